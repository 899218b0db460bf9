//! A failed script: position, message, and the state of the database after it.

use std::fmt;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use crate::error::{Error, exit_code};
use crate::model::{Direction, MigrationName, Outcome, Position, Progress};

/// The columns of a line that is shown; a longer one is cut around the mark.
const WIDTH: usize = 120;

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
            (Some(position), Some(line)) => excerpt_lines(&self.path, position, line),
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

/// The line with a mark below it, as compilers show errors.
fn excerpt_lines(path: &str, position: Position, line: &str) -> Vec<String> {
    let mut characters = line.char_indices().skip(position.column - 1);
    let start = characters.next().map_or(line.len(), |(byte, _)| byte);
    let end = characters.next().map_or(line.len(), |(byte, _)| byte);
    let snippet = Snippet::source(line)
        .line_start(position.line)
        .path(path)
        .annotation(AnnotationKind::Primary.span(start..end));
    let group = Group::with_level(Level::ERROR).element(snippet);
    let excerpt = Renderer::plain().term_width(WIDTH).render(&[group]);
    excerpt.lines().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::{Direction, FailedScript, Outcome, Progress, WIDTH, excerpt_lines};
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
