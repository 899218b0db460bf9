//! Output that `up`, `down` and `repair` share: the plan of `--dry-run`, and the progress of a run.

use std::time::Duration;

use migrator::{Direction, Error, Event, PlannedMigration, RunOptions, TransactionMode};
use serde_json::{Value, json};

use crate::output::Printer;
use crate::output::format::{count, elapsed, timed};
use crate::output::summary::Summary;
use crate::output::table::Table;

/// Follows a run.
pub(crate) struct Run<'a> {
    printer: &'a Printer,
    summary: Summary,
    done: Vec<Value>,
}

impl<'a> Run<'a> {
    pub(crate) fn new(printer: &'a Printer) -> Self {
        Self { printer, summary: Summary::default(), done: Vec::new() }
    }

    pub(crate) fn event(&mut self, event: &Event) {
        self.printer.event(event);
        self.summary.event(event);
        if let Event::Applied { name, elapsed, retries }
        | Event::Undone { name, elapsed, retries } = event
        {
            self.done.push(timed(name, *elapsed, *retries));
        }
    }

    /// Prints what became of each migration. Returns those that were run, as JSON has them.
    pub(crate) fn end<T>(self, result: Result<T, Error>) -> Result<(T, Vec<Value>), Error> {
        self.printer.summary(self.summary, result.as_ref().err());
        Ok((result?, self.done))
    }
}

/// Prints the plan of `up --dry-run` or `down --dry-run`.
pub(crate) fn print_plan(
    printer: &Printer,
    direction: Direction,
    plan: &[PlannedMigration],
    options: &RunOptions,
    nothing_to_do: &str,
) {
    let (key, verb) = match direction {
        Direction::Apply => ("would_apply", "applied"),
        Direction::Undo => ("would_undo", "undone"),
    };
    let document = json!({ "dry_run": true, key: documents(plan, options) });
    printer.result(&document, || table(plan));
    if plan.is_empty() {
        printer.note(nothing_to_do);
    } else {
        let number = count(plan.len(), "migration");
        printer.note(&format!("{number} would be {verb}; nothing was changed"));
    }
}

/// The checksum is a text: it has 64 bits, of which readers of JSON keep 53. Of the limits, null is
/// what the script sets itself, and 0 none.
fn documents(planned: &[PlannedMigration], options: &RunOptions) -> Vec<Value> {
    let document = |planned: &PlannedMigration| {
        json!({
            "version": planned.name.version,
            "name": planned.name.name,
            "checksum": planned.checksum.to_string(),
            "transactional": planned.mode == TransactionMode::One,
            "lock_timeout_ms": planned.lock_timeout.map(milliseconds),
            "lock_retries": options.lock_retries,
            "concurrent_statements": planned.concurrent_statements,
            "statement_timeout_ms": planned.statement_timeout.map(milliseconds),
            "resumes_at": planned.resumes_at,
        })
    };
    planned.iter().map(document).collect()
}

fn milliseconds(limit: Duration) -> u64 {
    u64::try_from(limit.as_millis()).unwrap_or(u64::MAX)
}

fn table(planned: &[PlannedMigration]) -> String {
    if planned.is_empty() {
        return String::new();
    }
    let headings =
        ["VERSION", "NAME", "CHECKSUM", "TRANSACTION", "LOCK TIMEOUT", "STATEMENT TIMEOUT"];
    let mut table = Table::of(&headings);
    for planned in planned {
        table.row(&[
            &planned.name.version.to_string(),
            &planned.name.name,
            &planned.checksum.to_string(),
            match planned.mode {
                TransactionMode::One => "one",
                TransactionMode::None => "none",
            },
            &lock_timeout(planned),
            &limit(planned.statement_timeout),
        ]);
    }
    table.to_string()
}

/// Statements with `concurrently` wait without end.
fn lock_timeout(planned: &PlannedMigration) -> String {
    let usual = limit(planned.lock_timeout);
    if planned.concurrent_statements == 0 || planned.lock_timeout == Some(Duration::ZERO) {
        usual
    } else {
        format!("{usual}, none for {} concurrently", planned.concurrent_statements)
    }
}

fn limit(limit: Option<Duration>) -> String {
    match limit {
        None => "its own".to_owned(),
        Some(Duration::ZERO) => "none".to_owned(),
        Some(limit) => elapsed(limit),
    }
}
