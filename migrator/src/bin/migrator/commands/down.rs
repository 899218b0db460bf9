//! `migrator down`: undo applied migrations.

use migrator::{Direction, Error, Migrator, Target, UndoTarget, exit_code};
use serde_json::json;

use crate::args::{Cli, RunArguments};
use crate::commands::confirm::{self, Confirmation};
use crate::commands::scripts::{Run, print_plan};
use crate::output::format::count;
use crate::output::{Printer, ask};

const NOTHING_TO_DO: &str = "Nothing to do: no migration is applied that this would undo";

pub(crate) fn target(to: Option<i64>, steps: u32) -> UndoTarget {
    to.map_or(UndoTarget::Steps(steps), UndoTarget::Version)
}

pub(crate) async fn run(
    cli: &Cli,
    printer: &Printer,
    mut target: UndoTarget,
    confirmation: Confirmation,
    run: RunArguments,
) -> Result<u8, Error> {
    let database = cli.database.database()?;
    let migrations = cli.migrations.load()?;
    let options = run.options(printer.watches());
    if confirmation == Confirmation::Ask && !confirm::can_ask() {
        return Err(Error::ConfirmationNeeded);
    }
    let mut run = Run::new(printer);
    let mut on_event = |event| run.event(&event);
    let mut migrator =
        Migrator::new(database, &migrations, &mut on_event).with_options(options.clone());
    if confirmation != Confirmation::Given {
        let plan = migrator.plan(Target::Down(target)).await?;
        if confirmation == Confirmation::DryRun {
            print_plan(printer, Direction::Undo, &plan, &options, NOTHING_TO_DO);
            return Ok(exit_code::DONE);
        }
        if let Some(last) = plan.last() {
            let names: Vec<String> = plan.iter().map(|planned| planned.name.to_string()).collect();
            let question = format!(
                "Undo {} on {}, with all data in what they made?",
                names.join(", "),
                migrator.database()
            );
            if !ask(&question) {
                printer.note("Nothing was undone");
                printer.result(&json!({ "undone": [] }), String::new);
                return Ok(exit_code::NO);
            }
            // Only the confirmed migrations, also when another session undoes the same
            // meanwhile.
            target = UndoTarget::From(last.name.version);
        }
    }

    let result = migrator.run(Target::Down(target)).await;
    let (names, undone) = run.end(result)?;
    if names.is_empty() {
        printer.note(NOTHING_TO_DO);
    } else {
        printer.note(&format!("{} undone", count(names.len(), "migration")));
    }
    printer.result(&json!({ "undone": undone }), String::new);
    Ok(exit_code::DONE)
}
