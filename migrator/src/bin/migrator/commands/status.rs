//! `migrator status`: every migration and its state.

use migrator::{Entry, Error, Migrator, State, exit_code};
use serde_json::{Value, json};

use crate::args::Cli;
use crate::output::table::Table;
use crate::output::{BAD, GOOD, NEUTRAL, Printer};

/// Effect of the states on the exit code.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    None,
    ExitCode,
}

pub(crate) async fn run(cli: &Cli, printer: &Printer, verdict: Verdict) -> Result<u8, Error> {
    let database = cli.database.database()?;
    let migrations = cli.migrations.load()?;
    let mut on_event = |event| printer.event(&event);
    let entries = Migrator::new(database, &migrations, &mut on_event).status().await?;

    let number = |state| entries.iter().filter(|entry| entry.state == state).count();
    let (pending, diverged, missing) =
        (number(State::Pending), number(State::Diverged), number(State::Missing));
    let incomplete = number(State::Incomplete);
    let current = entries
        .iter()
        .filter(|entry| entry.applied_on.is_some())
        .map(|entry| entry.name.version)
        .max();
    let document = json!({
        "current": current,
        "applied": number(State::Applied),
        "pending": pending,
        "incomplete": incomplete,
        "diverged": diverged,
        "missing": missing,
        "migrations": entries.iter().map(entry_document).collect::<Vec<_>>(),
    });
    printer.result(&document, || table(&entries));
    Ok(match verdict {
        Verdict::ExitCode if incomplete > 0 => exit_code::INCOMPLETE,
        Verdict::ExitCode if diverged + missing > 0 => exit_code::DIVERGED,
        Verdict::ExitCode if pending > 0 => exit_code::NO,
        Verdict::ExitCode | Verdict::None => exit_code::DONE,
    })
}

fn entry_document(entry: &Entry) -> Value {
    json!({
        "version": entry.name.version,
        "name": entry.name.name,
        "state": entry.state.as_str(),
        "applied_on": entry.applied_on_rfc3339(),
        "problem": entry.problem_text(),
    })
}

fn table(entries: &[Entry]) -> String {
    if entries.is_empty() {
        return "no migrations\n".to_owned();
    }
    let mut table = Table::of(&["VERSION", "NAME", "STATE", "APPLIED"]);
    for entry in entries {
        let style = match entry.state {
            State::Applied => GOOD,
            State::Pending => NEUTRAL,
            State::Diverged | State::Missing | State::Incomplete => BAD,
        };
        let applied = match entry.applied_on {
            Some(time) => time.to_utc().format("%Y-%m-%d %H:%M:%S UTC").to_string(),
            None => "-".to_owned(),
        };
        let problem =
            entry.problem_text().map(|problem| format!("  ({problem})")).unwrap_or_default();
        table.row(&[
            &entry.name.version.to_string(),
            &entry.name.name,
            &format!("{style}{}{style:#}", entry.state.as_str()),
            &format!("{applied}{problem}"),
        ]);
    }
    table.to_string()
}
