//! A failed script: position, reason, and the state of the database after it.

use std::fmt;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use super::diagnostic::{Diagnostic, Report};
use super::{Error, ScriptError, kind};
use crate::model::{Direction, MigrationName, Outcome, Position, Progress, TransactionMode};

/// The columns of a line that is shown; a longer one is cut around the mark.
const WIDTH: usize = 120;

/// A script that failed or was refused.
#[derive(Debug)]
pub struct FailedScript {
    /// The migration.
    pub name: MigrationName,
    /// Apply or undo.
    pub direction: Direction,
    /// The file.
    pub file: String,
    /// Path of the file, as it was given; of a built-in one its name.
    pub path: String,
    /// Transaction mode of the file.
    pub mode: TransactionMode,
    /// Position of the error itself, or of the statement that failed.
    pub position: Option<Position>,
    /// The line there.
    pub source_line: Option<String>,
    /// The reason.
    pub cause: ScriptError,
    /// Retries, and what was cleaned up.
    pub notes: Vec<String>,
    /// State of the database now.
    pub progress: Progress,
}

impl fmt::Display for FailedScript {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "failed to {} {}: ", self.direction, self.file)?;
        if let Some(position) = self.position {
            write!(f, "{position}: ")?;
        }
        write!(f, "{}", self.cause)
    }
}

impl std::error::Error for FailedScript {}

impl Diagnostic for FailedScript {
    fn report(&self) -> Report {
        let kind =
            if self.is_incomplete() { kind::FAILED_SCRIPT_INCOMPLETE } else { kind::FAILED_SCRIPT };
        let mut details = self.explanation();
        details.push(self.state(self.progress.outcome));
        Report { kind, message: self.to_string(), details, hint: Some(self.hint()) }
    }
}

impl From<FailedScript> for Error {
    fn from(failed: FailedScript) -> Self {
        Self::FailedScript(Box::new(failed))
    }
}

impl FailedScript {
    /// PostgreSQL's code, if the error is its own.
    pub fn sqlstate(&self) -> Option<&str> {
        match &self.cause {
            ScriptError::Refused { sqlstate, .. } => Some(sqlstate),
            _ => None,
        }
    }

    /// The place in the file and the reason, without the state of the database.
    pub(crate) fn explanation(&self) -> Vec<String> {
        let excerpt = self.position.zip(self.source_line.as_deref());
        let mut lines = excerpt
            .map(|(position, line)| excerpt_lines(&self.path, position, line))
            .unwrap_or_default();
        lines.extend(self.cause.report().details);
        lines.extend(self.notes.iter().cloned());
        lines
    }

    /// In a shadow database there is nothing to repair.
    ///
    /// Where a person has vouched for a statement, nobody knows what it did.
    pub(super) fn details_in_shadow(&self, vouched: bool) -> Vec<String> {
        let mut lines = self.explanation();
        let live = if vouched { "" } else { "; the live one was not touched" };
        lines.push(format!("this was in a shadow database, which is removed{live}"));
        lines.push(self.state(match self.progress.outcome {
            Outcome::Incomplete { .. } => Outcome::Unfinished,
            outcome => outcome,
        }));
        lines
    }

    fn is_incomplete(&self) -> bool {
        matches!(self.progress.outcome, Outcome::Incomplete { .. })
    }

    /// That of the cause, or else one for PostgreSQL's code and the state of the database.
    fn hint(&self) -> String {
        let (file, version) = (&self.file, self.name.version);
        let command = match self.direction {
            Direction::Apply => "up",
            Direction::Undo => "down",
        };
        match (self.cause.report().hint, self.sqlstate()) {
            (Some(hint), _) => hint,
            // Of a `do` or a procedure that commits, the latter code.
            (None, Some("25001" | "2D000")) if self.mode == TransactionMode::One => {
                "each file runs in a transaction, where this statement is not possible; give it a file of its own whose first line is `-- migrator: no-transaction`".to_owned()
            }
            (None, Some("2D000")) => {
                "only a `do`, and a procedure that `call` runs by itself, can commit or roll back".to_owned()
            }
            (None, Some("42501")) => {
                "the role lacks a right: connect as the owner of the schema's tables".to_owned()
            }
            (None, _) if self.is_incomplete() => format!(
                "make the rest of `{file}` possible, then run `migrator repair` and `migrator {command}`"
            ),
            (None, Some("42P07" | "42701" | "42710" | "42723")) => {
                "something of that name is there already, not made by these migrations".to_owned()
            }
            (None, Some("55P03")) => format!(
                "another session holds the lock on a table: run `migrator {command}` again when it is done"
            ),
            (None, _) => {
                let script = match self.direction {
                    Direction::Apply => format!("V{version}"),
                    Direction::Undo => format!("`{file}`"),
                };
                format!(
                    "fix {script} and run `migrator {command}` again; `migrator status` shows the history"
                )
            }
        }
    }

    /// The state that `outcome` leaves.
    fn state(&self, outcome: Outcome) -> String {
        let Progress { current, not_started, .. } = &self.progress;
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

/// The line with a mark below it, as compilers show errors.
fn excerpt_lines(path: &str, position: Position, line: &str) -> Vec<String> {
    labelled_excerpt(path, position, line, None)
}

/// The line with a mark below it, and a text beside the mark.
pub(super) fn labelled_excerpt(
    path: &str,
    position: Position,
    line: &str,
    label: Option<&str>,
) -> Vec<String> {
    let mut characters = line.char_indices().skip(position.column - 1);
    let start = characters.next().map_or(line.len(), |(byte, _)| byte);
    let end = characters.next().map_or(line.len(), |(byte, _)| byte);
    let snippet = Snippet::source(line)
        .line_start(position.line)
        .path(path)
        .annotation(AnnotationKind::Primary.span(start..end).label(label));
    let group = Group::with_level(Level::ERROR).element(snippet);
    let excerpt = Renderer::plain().term_width(WIDTH).render(&[group]);
    excerpt.lines().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::{
        Diagnostic as _, Direction, FailedScript, Outcome, Progress, ScriptError, TransactionMode,
        WIDTH, excerpt_lines,
    };
    use crate::error::exit_code;
    use crate::model::{MigrationName, Position};

    fn name(version: i64) -> MigrationName {
        MigrationName { version, name: "x".to_owned() }
    }

    #[test]
    fn a_failed_script_says_where_and_what_state_is_left() {
        let mut failed = FailedScript {
            name: name(7),
            direction: Direction::Apply,
            file: "V7__x.sql".to_owned(),
            path: "migrations/V7__x.sql".to_owned(),
            mode: TransactionMode::One,
            position: Some(Position { line: 12, column: 3 }),
            source_line: Some("a b".to_owned()),
            cause: ScriptError::Refused {
                message: "relation \"b\" does not exist".to_owned(),
                sqlstate: "42P01".to_owned(),
                details: vec!["detail: d".to_owned()],
                hint: None,
            },
            notes: vec!["tried 2 times".to_owned()],
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
            failed.report().details,
            [
                "  --> migrations/V7__x.sql:12:3",
                "   |",
                "12 | a b",
                "   |   ^",
                "detail: d",
                "tried 2 times",
                "V6 and earlier are applied; V7 was rolled back; V8 to V10 were not started",
            ]
        );
        assert_eq!(failed.report().kind.exit_code, exit_code::FAILED_MIGRATION);
        for (done, state) in [
            (0, "statement 1 of 4 failed"),
            (1, "statement 1 of 4 is done, 2 failed"),
            (2, "statements 1 to 2 of 4 are done, 3 failed"),
        ] {
            failed.progress.outcome = Outcome::Incomplete { done, statements: 4 };
            assert_eq!(
                failed.report().details.last().map(String::as_str),
                Some(format!("V6 and earlier are applied; V7 is incomplete: {state}; run `migrator repair`; V8 to V10 were not started").as_str()),
            );
            assert_eq!(failed.report().kind.exit_code, exit_code::INCOMPLETE);
        }
    }
    #[test]
    fn the_mark_stands_below_its_character() {
        for (label, line, column, mark) in [
            ("plain", "select a", 8, "       ^"),
            ("after wide characters", "'漢字' x", 6, "       ^"),
            ("a wide character", "'漢字' x", 3, "   ^^"),
            ("after a combining mark", "'e\u{301}' x", 6, "    ^"),
            ("at the end", "ab", 3, "  ^"),
        ] {
            let position = Position { line: 3, column };
            let lines = excerpt_lines("m/V1__x.sql", position, line);
            let place = format!(" --> m/V1__x.sql:3:{column}");
            assert_eq!(
                lines,
                [&place, "  |", &format!("3 | {line}"), &format!("  | {mark}")],
                "{label}"
            );
        }
    }

    #[test]
    fn long_lines_are_cut_around_the_mark() {
        let line: String = ('a'..='z').cycle().take(1000).collect();
        for column in [1, 10, 119, 500, 995, 1000] {
            let lines = excerpt_lines("m/V1__x.sql", Position { line: 3, column }, &line);
            let mark = lines[3].find('^').expect("a mark");
            assert!(lines[2].len() <= WIDTH, "{column}: {}", lines[2].len());
            assert_eq!(lines[2].chars().nth(mark), line.chars().nth(column - 1), "{column}");
            assert!(lines[2].contains("..."), "{column}");
        }
        let wide =
            excerpt_lines("m/V1__x.sql", Position { line: 3, column: 150 }, &"漢".repeat(200));
        assert!(wide[2].chars().count() <= WIDTH / 2 + 10, "{}", wide[2]);
        assert!(wide[3].ends_with("^^"), "{}", wide[3]);
    }
}
