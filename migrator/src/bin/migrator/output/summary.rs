//! The table at the end of a run: the outcome of each migration.

use std::time::{Duration, Instant};

use migrator::{Error, Event, LostDuring, MigrationName, Outcome};

use crate::output::format::elapsed;
use crate::output::table::Table;

/// Follows a run.
#[derive(Default)]
pub(crate) struct Summary {
    rows: Vec<Row>,
}

struct Row {
    name: MigrationName,
    state: &'static str,
    started: Option<Instant>,
    elapsed: Option<Duration>,
    retries: u32,
}

const NOT_STARTED: &str = "not started";
const RUNNING: &str = "running";

impl Summary {
    pub(crate) fn event(&mut self, event: &Event) {
        match event {
            Event::Planned { names, .. } => {
                let row = |name: &MigrationName| Row {
                    name: name.clone(),
                    state: NOT_STARTED,
                    started: None,
                    elapsed: None,
                    retries: 0,
                };
                self.rows = names.iter().map(row).collect();
            }
            Event::Applying(name) | Event::Undoing(name) | Event::Resuming { name, .. } => {
                if let Some(row) = self.find(name) {
                    row.state = RUNNING;
                    row.started = Some(Instant::now());
                }
            }
            Event::LockRetry { name, .. } => {
                if let Some(row) = self.find(name) {
                    row.retries += 1;
                }
            }
            Event::Applied { name, elapsed, .. } => self.done(name, "applied", *elapsed),
            Event::Undone { name, elapsed, .. } => self.done(name, "undone", *elapsed),
            _ => {}
        }
    }

    fn find(&mut self, name: &MigrationName) -> Option<&mut Row> {
        self.rows.iter_mut().find(|row| row.name == *name)
    }

    fn done(&mut self, name: &MigrationName, state: &'static str, elapsed: Duration) {
        if let Some(row) = self.find(name) {
            row.state = state;
            row.elapsed = Some(elapsed);
        }
    }

    /// The table, unless nothing was to be run. `error` is the one that ended the run, if any.
    pub(crate) fn table(mut self, error: Option<&Error>) -> Option<String> {
        if let Some(row) = self.rows.iter_mut().find(|row| row.state == RUNNING) {
            row.state = error.map_or(RUNNING, state_after);
            row.elapsed = row.started.map(|start| start.elapsed());
        }
        let any_retries = self.rows.iter().any(|row| row.retries > 0);
        let mut headings = vec!["VERSION", "NAME", "STATE", "TIME"];
        if any_retries {
            headings.push("RETRIES");
        }
        let mut table = Table::of(&headings);
        for row in &self.rows {
            let (version, retries) = (row.name.version.to_string(), row.retries.to_string());
            let time = row.elapsed.map_or_else(|| "-".to_owned(), elapsed);
            let mut cells = vec![version.as_str(), &row.name.name, row.state, &time];
            if any_retries {
                cells.push(&retries);
            }
            table.row(&cells);
        }
        (!self.rows.is_empty()).then(|| table.to_string())
    }
}

/// State of a migration whose script ended with this error.
fn state_after(error: &Error) -> &'static str {
    match error {
        Error::FailedScript(failed) => match failed.progress.outcome {
            Outcome::Incomplete { .. } => "incomplete",
            Outcome::RolledBack | Outcome::NotStarted | Outcome::Unfinished => "failed",
        },
        Error::ConnectionLost { during: LostDuring::Statements, .. }
        | Error::LockLost { incomplete: Some(_), .. } => "incomplete",
        Error::ConnectionLost { during: LostDuring::Commit, .. } => "unknown",
        _ => "failed",
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use migrator::{Direction, Error, Event, LockLoss, LostDuring, MigrationName, RetryReason};

    use super::Summary;

    fn name(version: i64) -> MigrationName {
        MigrationName { version, name: "x".to_owned() }
    }

    fn started() -> Summary {
        let mut summary = Summary::default();
        for event in [
            Event::Planned { direction: Direction::Apply, names: vec![name(1), name(2), name(3)] },
            Event::Applying(name(1)),
            Event::Applied { name: name(1), elapsed: Duration::from_millis(12), retries: 0 },
            Event::Applying(name(2)),
        ] {
            summary.event(&event);
        }
        summary
    }

    fn states(table: &str) -> Vec<&str> {
        let lines = table.lines().skip(1);
        lines.filter_map(|line| line.get(15..26).map(str::trim)).collect()
    }

    #[test]
    fn every_migration_has_a_line() {
        let lost = |during| Error::ConnectionLost { name: name(2), during, reason: String::new() };
        let lock_lost = |incomplete| Error::LockLost { reason: LockLoss::OtherSession, incomplete };
        for (error, state) in [
            (lock_lost(None), "failed"),
            (lock_lost(Some(name(2))), "incomplete"),
            (lost(LostDuring::Transaction), "failed"),
            (lost(LostDuring::Statements), "incomplete"),
            (lost(LostDuring::Commit), "unknown"),
        ] {
            let table = started().table(Some(&error)).expect("a table");
            assert!(table.starts_with("VERSION  NAME  STATE        TIME\n"), "{table}");
            assert_eq!(states(&table), ["applied", state, "not started"], "{table}");
        }
        assert_eq!(Summary::default().table(None), None);
    }

    #[test]
    fn retries_are_shown_where_there_are_any() {
        let mut summary = started();
        summary.event(&Event::LockRetry {
            name: name(2),
            reason: RetryReason::LockTimeout,
            pause: Duration::ZERO,
            retry: 1,
            of: 5,
        });
        let error = Error::LockLost { reason: LockLoss::OtherSession, incomplete: None };
        let table = summary.table(Some(&error)).expect("a table");
        assert!(table.starts_with("VERSION  NAME  STATE        TIME   RETRIES\n"), "{table}");
    }
}
