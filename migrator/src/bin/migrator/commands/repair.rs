//! `migrator repair`: clear up after a migration without a transaction that stopped in the middle.

use migrator::{Direction, Error, IncompleteError, Migrator, Repair, RepairAction, exit_code};
use serde_json::{Value, json};

use crate::args::{Cli, RunArguments};
use crate::commands::confirm::{self, Confirmation};
use crate::commands::scripts::Run;
use crate::output::{Printer, ask, warning};

pub(crate) async fn run(
    cli: &Cli,
    printer: &Printer,
    action: RepairAction,
    confirmation: Confirmation,
    run: RunArguments,
) -> Result<u8, Error> {
    let database = cli.database.database()?;
    let migrations = cli.migrations.load()?;
    let options = run.options(printer.watches());
    let mut run = Run::new(printer);
    let mut on_event = |event| run.event(&event);
    let mut migrator = Migrator::new(database, &migrations, &mut on_event).with_options(options);
    if confirmation == Confirmation::DryRun {
        let plan = migrator.plan_repair(action).await?;
        report(printer, plan.as_ref(), true);
        return Ok(exit_code::DONE);
    }
    if action == RepairAction::Undo && confirmation == Confirmation::Ask {
        let Some(plan) = migrator.plan_repair(action).await? else {
            report(printer, None, false);
            return Ok(exit_code::DONE);
        };
        if !confirm::can_ask() {
            return Err(IncompleteError::Unconfirmed.into());
        }
        let question = format!(
            "Undo what is done of {} on {}, with all data in what it made?",
            plan.name,
            migrator.database()
        );
        if !ask(&question) {
            printer.note("Nothing was repaired");
            printer.result(&document(None, false), String::new);
            return Ok(exit_code::NO);
        }
    }

    let result = migrator.repair(action).await;
    let (repaired, _) = run.end(result)?;
    report(printer, repaired.as_ref(), false);
    Ok(exit_code::DONE)
}

fn report(printer: &Printer, repair: Option<&Repair>, dry_run: bool) {
    match repair {
        None => printer.note("Nothing to do: no migration is incomplete"),
        Some(repair) => {
            let dropped = if dry_run { "Would drop" } else { "Dropped" };
            for index in &repair.dropped {
                printer.note(&format!("{dropped} the invalid index {index}"));
            }
            printer.note(&conclusion(repair, dry_run));
        }
    }
    printer.result(&document(repair, dry_run), String::new);
    for text in repair.iter().flat_map(|repair| &repair.warnings) {
        warning(text);
    }
}

fn conclusion(repair: &Repair, dry_run: bool) -> String {
    let name = &repair.name;
    let end = if dry_run { "; nothing was changed" } else { "" };
    match repair.action {
        RepairAction::Resume => {
            let command = resuming_command(repair);
            let verb = if dry_run { "would be resumed" } else { "can be resumed" };
            match next(repair) {
                Some(next) => format!(
                    "{name} {verb} at statement {next} of {}: `{command}`{end}",
                    repair.statements
                ),
                None => format!(
                    "{name} {verb}, with all statements done: `{command}` writes the history{end}"
                ),
            }
        }
        RepairAction::Restart => {
            let verb = if dry_run { "would begin" } else { "begins" };
            format!(
                "{name} {verb} at its first statement again: `{}`{end}",
                resuming_command(repair)
            )
        }
        RepairAction::Finished => {
            let state = match repair.direction {
                Direction::Apply => "applied",
                Direction::Undo => "undone",
            };
            let verb = if dry_run { "would be noted" } else { "is noted" };
            format!("{name} {verb} as {state}{end}")
        }
        RepairAction::Undo => {
            let verb = if dry_run { "would be undone" } else { "is undone" };
            format!("{name} {verb}, and not applied{end}")
        }
    }
}

/// The command that resumes it.
fn resuming_command(repair: &Repair) -> &'static str {
    match (repair.direction, repair.applied) {
        (Direction::Apply, _) => "migrator up",
        (Direction::Undo, true) => "migrator down",
        (Direction::Undo, false) => "migrator repair --undo",
    }
}

/// The first statement that is not done, from 1.
fn next(repair: &Repair) -> Option<usize> {
    (repair.done < repair.statements).then_some(repair.done + 1)
}

fn document(repair: Option<&Repair>, dry_run: bool) -> Value {
    let repaired = repair.map(|repair| {
        let action = match repair.action {
            RepairAction::Resume => "go_on",
            RepairAction::Restart => "restart",
            RepairAction::Finished => "applied",
            RepairAction::Undo => "undo",
        };
        json!({
            "version": repair.name.version,
            "name": repair.name.name,
            "direction": repair.direction.to_string(),
            "action": action,
            "statements": repair.statements,
            "done": repair.done,
            "next_statement": next(repair).filter(|_| repair.action == RepairAction::Resume),
            "dropped_indexes": repair.dropped,
            "warnings": repair.warnings,
        })
    });
    json!({ "dry_run": dry_run, "repaired": repaired })
}
