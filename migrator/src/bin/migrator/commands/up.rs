//! `migrator up`: apply pending migrations.

use migrator::{Error, RunOptions, exit_code};
use serde_json::json;

use crate::args::{Cli, RunArguments};
use crate::commands::dry_run::{documents, table};
use crate::output::Printer;
use crate::output::format::{count, timed};
use crate::output::summary::Summary;

const NOTHING_TO_DO: &str = "Nothing to do: no migration is pending";

pub(crate) async fn run(
    cli: &Cli,
    printer: &Printer,
    to: Option<i32>,
    run: RunArguments,
) -> Result<u8, Error> {
    let url = cli.database.url()?;
    let options = cli.database.connect_options()?;
    let migrations = cli.migrations.load()?;
    let run = RunOptions { watch: printer.watches(), ..run.options() };
    let mut applied = Vec::new();
    let mut summary = Summary::default();
    let mut on_event = |event| {
        printer.event(&event);
        summary.event(&event);
        if let migrator::Event::Applied { name, elapsed, retries } = event {
            applied.push(timed(&name, elapsed, retries));
        }
    };
    let result = migrator::up_with(&url, &options, &run, &migrations, to, &mut on_event).await;
    printer.summary(summary, result.as_ref().err());
    let names = result?;
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

/// `--dry-run`: what would run, in order.
pub(crate) async fn plan(
    cli: &Cli,
    printer: &Printer,
    to: Option<i32>,
    run: RunArguments,
) -> Result<u8, Error> {
    let url = cli.database.url()?;
    let options = cli.database.connect_options()?;
    let migrations = cli.migrations.load()?;
    let run = run.options();
    let mut on_event = |event| printer.event(&event);
    let planned = migrator::plan_up(&url, &options, &run, &migrations, to, &mut on_event).await?;
    let document = json!({ "dry_run": true, "would_apply": documents(&planned, &run) });
    printer.result(&document, || table(&planned));
    if planned.is_empty() {
        printer.note(NOTHING_TO_DO);
    } else {
        let number = count(planned.len(), "migration");
        printer.note(&format!("{number} would be applied; nothing was changed"));
    }
    Ok(exit_code::DONE)
}
