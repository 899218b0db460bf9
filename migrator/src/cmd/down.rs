//! `migrator down`: undo applied migrations.

use migrator::{Error, UndoTarget, exit_code};
use serde_json::json;

use crate::cli::{Cli, LockOptions};
use crate::cmd::consent::{self, Consent};
use crate::output::{Printer, ask, count, timed};

pub(crate) fn target(to: Option<i32>, steps: u32) -> UndoTarget {
    to.map_or(UndoTarget::Steps(steps), UndoTarget::Version)
}

pub(crate) async fn run(
    cli: &Cli,
    printer: &Printer,
    mut target: UndoTarget,
    consent: Consent,
    lock: LockOptions,
) -> Result<u8, Error> {
    let url = cli.database.url()?;
    let options = cli.database.connect_options()?;
    let migrations = cli.migrations.load()?;
    if consent == Consent::ToBeAsked {
        if !consent::can_be_asked() {
            return Err(Error::ConfirmationNeeded);
        }
        let mut on_event = |event| printer.event(&event);
        let plan = migrator::plan_down(&url, &options, &migrations, target, &mut on_event).await?;
        if let Some(last) = plan.last() {
            let names: Vec<String> = plan.iter().map(ToString::to_string).collect();
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
            let kept = current
                .iter()
                .filter(|entry| entry.applied_on.is_some() && entry.name.version < last.version);
            target = UndoTarget::Version(kept.map(|entry| entry.name.version).max().unwrap_or(0));
        }
    }

    let mut undone = Vec::new();
    let mut on_event = |event| {
        printer.event(&event);
        if let migrator::Event::Undone { name, elapsed } = event {
            undone.push(timed(&name, elapsed));
        }
    };
    let names =
        migrator::down(&url, &options, lock.lock_timeout, &migrations, target, &mut on_event)
            .await?;
    if names.is_empty() {
        printer.note("Nothing to do: no migration is applied that this would undo");
    } else {
        printer.note(&format!("{} undone", count(names.len(), "migration")));
    }
    printer.result(&json!({ "undone": undone }), String::new);
    Ok(exit_code::DONE)
}
