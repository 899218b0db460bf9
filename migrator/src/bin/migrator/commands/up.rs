//! `migrator up`: apply pending migrations.

use migrator::{Direction, Error, Migrator, Target, exit_code};
use serde_json::json;

use crate::args::{Cli, RunArguments};
use crate::commands::scripts::{Run, print_plan};
use crate::output::Printer;
use crate::output::format::count;

const NOTHING_TO_DO: &str = "Nothing to do: no migration is pending";

pub(crate) async fn run(
    cli: &Cli,
    printer: &Printer,
    to: Option<i64>,
    dry_run: bool,
    run: RunArguments,
) -> Result<u8, Error> {
    let database = cli.database.database()?;
    let migrations = cli.migrations.load()?;
    let options = run.options(printer.watches());
    let mut run = Run::new(printer);
    let mut on_event = |event| run.event(&event);
    let mut migrator =
        Migrator::new(database, &migrations, &mut on_event).with_options(options.clone());
    if dry_run {
        let plan = migrator.plan(Target::Up(to)).await?;
        print_plan(printer, Direction::Apply, &plan, &options, NOTHING_TO_DO);
        return Ok(exit_code::DONE);
    }
    let result = migrator.run(Target::Up(to)).await;
    let (names, applied) = run.end(result)?;
    match names.last() {
        None => printer.note(NOTHING_TO_DO),
        Some(newest) => printer.note(&format!(
            "{} applied, the database is at {newest}",
            count(names.len(), "migration")
        )),
    }
    printer.result(&json!({ "applied": applied }), String::new);
    Ok(exit_code::DONE)
}
