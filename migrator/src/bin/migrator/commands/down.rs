//! `migrator down`: undo applied migrations.

use migrator::{Error, RunOptions, UndoTarget, exit_code};
use serde_json::json;

use crate::args::{Cli, RunArguments};
use crate::commands::confirm::{self, Confirmation};
use crate::commands::dry_run::{documents, table};
use crate::output::format::{count, timed};
use crate::output::summary::Summary;
use crate::output::{Printer, ask};

const NOTHING_TO_DO: &str = "Nothing to do: no migration is applied that this would undo";

pub(crate) fn target(to: Option<i32>, steps: u32) -> UndoTarget {
    to.map_or(UndoTarget::Steps(steps), UndoTarget::Version)
}

pub(crate) async fn run(
    cli: &Cli,
    printer: &Printer,
    mut target: UndoTarget,
    confirmation: Confirmation,
    run: RunArguments,
) -> Result<u8, Error> {
    let url = cli.database.url()?;
    let options = cli.database.connect_options()?;
    let migrations = cli.migrations.load()?;
    let run = RunOptions { watch: printer.watches(), ..run.options() };
    if confirmation == Confirmation::Ask {
        if !confirm::can_ask() {
            return Err(Error::ConfirmationNeeded);
        }
        let mut on_event = |event| printer.event(&event);
        let plan =
            migrator::plan_down(&url, &options, &run, &migrations, target, &mut on_event).await?;
        if let Some(last) = plan.last() {
            let names: Vec<String> = plan.iter().map(|planned| planned.name.to_string()).collect();
            let question = format!(
                "Undo {} on database `{}` at `{}`, with all data in what they made?",
                names.join(", "),
                url.database(),
                url.host()
            );
            if !ask(&question) {
                printer.note("Nothing was undone");
                printer.result(&json!({ "undone": [] }), String::new);
                return Ok(exit_code::NO);
            }
            // What was agreed to, and not one more, also when somebody else undoes the same
            // meanwhile.
            let current = migrator::status(&url, &options, &migrations, &mut |_| {}).await?;
            let kept = current.iter().filter(|entry| {
                entry.applied_on.is_some() && entry.name.version < last.name.version
            });
            target = UndoTarget::Version(kept.map(|entry| entry.name.version).max().unwrap_or(0));
        }
    }

    let mut undone = Vec::new();
    let mut summary = Summary::default();
    let mut on_event = |event| {
        printer.event(&event);
        summary.event(&event);
        if let migrator::Event::Undone { name, elapsed, retries } = event {
            undone.push(timed(&name, elapsed, retries));
        }
    };
    let result = migrator::down(&url, &options, &run, &migrations, target, &mut on_event).await;
    printer.summary(summary, result.as_ref().err());
    let names = result?;
    if names.is_empty() {
        printer.note(NOTHING_TO_DO);
    } else {
        printer.note(&format!("{} undone", count(names.len(), "migration")));
    }
    printer.result(&json!({ "undone": undone }), String::new);
    Ok(exit_code::DONE)
}

/// `--dry-run`: what would run, in order.
pub(crate) async fn plan(
    cli: &Cli,
    printer: &Printer,
    target: UndoTarget,
    run: RunArguments,
) -> Result<u8, Error> {
    let url = cli.database.url()?;
    let options = cli.database.connect_options()?;
    let migrations = cli.migrations.load()?;
    let run = run.options();
    let mut on_event = |event| printer.event(&event);
    let planned =
        migrator::plan_down(&url, &options, &run, &migrations, target, &mut on_event).await?;
    let document = json!({ "dry_run": true, "would_undo": documents(&planned, &run) });
    printer.result(&document, || table(&planned));
    if planned.is_empty() {
        printer.note(NOTHING_TO_DO);
    } else {
        let number = count(planned.len(), "migration");
        printer.note(&format!("{number} would be undone; nothing was changed"));
    }
    Ok(exit_code::DONE)
}
