//! A failed script: position, message, and the state of the database after it.

use std::fmt;

use crate::error::{Error, excerpt, exit_code};
use crate::model::{Direction, MigrationName, Outcome, Position, Progress};

/// A script that failed or was refused.
#[derive(Debug)]
pub struct FailedScript {
    /// The migration.
    pub name: MigrationName,
    /// Whether it was being applied or undone.
    pub direction: Direction,
    /// The file.
    pub file: String,
    /// Where the file is, as it was named; of a built-in one its name.
    pub path: String,
    /// Where in the file: the error itself, or the statement that failed.
    pub position: Option<Position>,
    /// The line there.
    pub source_line: Option<String>,
    /// What is wrong, in PostgreSQL's words or ours.
    pub message: String,
    /// PostgreSQL's code.
    pub sqlstate: Option<String>,
    /// More from PostgreSQL: detail and context.
    pub more: Vec<String>,
    /// PostgreSQL's hint, or ours.
    pub hint: Option<String>,
    /// Where the database stands now.
    pub progress: Progress,
}

impl fmt::Display for FailedScript {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "failed to {} {}: ", self.direction, self.file)?;
        if let Some(position) = self.position {
            write!(f, "{position}: ")?;
        }
        f.write_str(&self.message)?;
        if let Some(sqlstate) = &self.sqlstate {
            write!(f, " ({sqlstate})")?;
        }
        Ok(())
    }
}

impl std::error::Error for FailedScript {}

impl From<FailedScript> for Error {
    fn from(failed: FailedScript) -> Self {
        Self::FailedScript(Box::new(failed))
    }
}

impl FailedScript {
    pub(crate) fn details(&self) -> Vec<String> {
        let mut lines = self.explanation();
        lines.push(self.state());
        lines
    }

    /// The place in the file, and what PostgreSQL said besides.
    pub(crate) fn explanation(&self) -> Vec<String> {
        let mut lines = match (self.position, &self.source_line) {
            (Some(position), Some(line)) => excerpt::lines(&self.path, position, line),
            _ => Vec::new(),
        };
        lines.extend(self.more.iter().cloned());
        lines
    }

    pub(crate) fn exit_code(&self) -> u8 {
        match self.progress.outcome {
            Outcome::RolledBack | Outcome::NotStarted | Outcome::Unfinished => {
                exit_code::FAILED_MIGRATION
            }
            Outcome::Incomplete { .. } => exit_code::INCOMPLETE,
        }
    }

    /// What state is left.
    fn state(&self) -> String {
        let Progress { current, outcome, not_started, .. } = &self.progress;
        let version = self.name.version;
        let applied = match (current, self.direction) {
            (Some(current), Direction::Apply) => {
                format!("V{} and earlier are applied", current.version)
            }
            (Some(current), Direction::Undo) => format!("the database is at V{}", current.version),
            (None, _) => "nothing is applied".to_owned(),
        };
        let subject = match self.direction {
            Direction::Apply => format!("V{version}"),
            Direction::Undo => format!("the undoing of V{version}"),
        };
        let outcome = match outcome {
            Outcome::NotStarted => return format!("{applied}; nothing was run"),
            Outcome::RolledBack => "was rolled back".to_owned(),
            Outcome::Unfinished => "was left unfinished".to_owned(),
            Outcome::Incomplete { done, statements } => {
                let before = match done {
                    0 => String::new(),
                    1 => format!("statement 1 of {statements} is done, "),
                    done => format!("statements 1 to {done} of {statements} are done, "),
                };
                let failed = match done {
                    0 => format!("statement 1 of {statements} failed"),
                    done => format!("{} failed", done + 1),
                };
                format!("is incomplete: {before}{failed}; run `migrator repair`")
            }
        };
        let rest = match &not_started[..] {
            [] => String::new(),
            [one] => format!("; V{} was not started", one.version),
            [first, .., last] => {
                format!("; V{} to V{} were not started", first.version, last.version)
            }
        };
        format!("{applied}; {subject} {outcome}{rest}")
    }
}

#[cfg(test)]
mod tests {
    use super::{Direction, FailedScript, Outcome, Progress};
    use crate::error::exit_code;
    use crate::model::{MigrationName, Position};

    fn name(version: i32) -> MigrationName {
        MigrationName { version, name: "x".to_owned() }
    }

    #[test]
    fn a_failed_script_says_where_and_what_state_is_left() {
        let mut failed = FailedScript {
            name: name(7),
            direction: Direction::Apply,
            file: "V7__x.sql".to_owned(),
            path: "migrations/V7__x.sql".to_owned(),
            position: Some(Position { line: 12, column: 3 }),
            source_line: Some("a b".to_owned()),
            message: "relation \"b\" does not exist".to_owned(),
            sqlstate: Some("42P01".to_owned()),
            more: vec!["detail: d".to_owned()],
            hint: None,
            progress: Progress {
                done: Vec::new(),
                current: Some(name(6)),
                outcome: Outcome::RolledBack,
                not_started: vec![name(8), name(9), name(10)],
            },
        };
        assert_eq!(
            failed.to_string(),
            "failed to apply V7__x.sql: line 12, column 3: relation \"b\" does not exist (42P01)"
        );
        assert_eq!(
            failed.details(),
            [
                "  --> migrations/V7__x.sql:12:3",
                "   |",
                "12 | a b",
                "   |   ^",
                "detail: d",
                "V6 and earlier are applied; V7 was rolled back; V8 to V10 were not started",
            ]
        );
        assert_eq!(failed.exit_code(), exit_code::FAILED_MIGRATION);
        for (done, state) in [
            (0, "statement 1 of 4 failed"),
            (1, "statement 1 of 4 is done, 2 failed"),
            (2, "statements 1 to 2 of 4 are done, 3 failed"),
        ] {
            failed.progress.outcome = Outcome::Incomplete { done, statements: 4 };
            assert_eq!(
                failed.details().last().map(String::as_str),
                Some(format!("V6 and earlier are applied; V7 is incomplete: {state}; run `migrator repair`; V8 to V10 were not started").as_str()),
            );
            assert_eq!(failed.exit_code(), exit_code::INCOMPLETE);
        }
    }
}
