//! Turns an error of PostgreSQL into the message about a script: position, details, hint.

use tokio_postgres::error::{DbError, ErrorPosition};

use crate::error::{Error, FailedScript, LostDuring, pg_error};
use crate::model::{Direction, Outcome, Position, Progress};
use crate::run::step::Step;
use crate::sql;

/// Where in a script an error belongs.
#[derive(Clone, Copy)]
pub(crate) enum Place {
    /// Not in the script, but before or after it.
    Around,
    /// In the statement of this index, when the whole script was sent.
    InScript(usize),
    /// In the statement of this index, which was sent by itself.
    InStatement(usize),
}

impl Step<'_> {
    pub(crate) fn connection_lost(
        &self,
        error: &tokio_postgres::Error,
        during: LostDuring,
    ) -> Error {
        Error::ConnectionLost {
            name: self.script.name.clone(),
            during,
            reason: pg_error::describe(error),
        }
    }

    /// `more` goes below what PostgreSQL says.
    pub(crate) fn failure(
        &self,
        error: &tokio_postgres::Error,
        place: Place,
        mut more: Vec<String>,
        progress: Progress,
    ) -> Error {
        let Some(cause) = answer(error) else {
            return self.connection_lost(error, LostDuring::Transaction);
        };
        let position = self.position(cause, place);
        let said = [("detail", cause.detail()), ("context", cause.where_())];
        let said = said.iter().filter_map(|(label, text)| Some(format!("{label}: {}", (*text)?)));
        more.splice(0..0, said);
        let incomplete = matches!(progress.outcome, Outcome::Incomplete { .. });
        FailedScript {
            position,
            source_line: position.map(|position| position.line_of(&self.file.sql)),
            sqlstate: Some(cause.code().code().to_owned()),
            more,
            hint: Some(self.hint(cause, incomplete)),
            ..self.failed(cause.message().to_owned(), progress)
        }
        .into()
    }

    /// A failure in our own words, without a place.
    pub(crate) fn failed(&self, message: String, progress: Progress) -> FailedScript {
        FailedScript {
            name: self.script.name.clone(),
            direction: self.direction,
            file: self.file.name.clone(),
            path: self.file.path.clone(),
            position: None,
            source_line: None,
            message,
            sqlstate: None,
            more: Vec::new(),
            hint: None,
            progress,
        }
    }

    /// `if not exists` was content with an index that is invalid, or with something else of its name.
    pub(crate) fn index_not_built(
        &self,
        statement: usize,
        more: Vec<String>,
        progress: Progress,
    ) -> Error {
        let text = &self.file.sql;
        let statement = sql::statements(text).into_iter().nth(statement);
        let position = statement.map(|statement| Position::of_byte(text, statement.start));
        let message =
            "the index was not built: one of that name is there and invalid, or on another table"
                .to_owned();
        FailedScript {
            position,
            source_line: position.map(|position| position.line_of(text)),
            more,
            hint: Some(
                "drop what is there, with `drop index concurrently`, or choose another name"
                    .to_owned(),
            ),
            ..self.failed(message, progress)
        }
        .into()
    }

    fn position(&self, cause: &DbError, place: Place) -> Option<Position> {
        let text = &self.file.sql;
        let (index, offset) = match place {
            Place::Around => return None,
            Place::InScript(index) => (index, Some(0)),
            Place::InStatement(index) => (index, None),
        };
        let statement = sql::statements(text).into_iter().nth(index);
        if let Some(ErrorPosition::Original(character)) = cause.position() {
            let before = offset.or_else(|| {
                let start = statement.as_ref()?.start;
                u32::try_from(text[..start].chars().count()).ok()
            })?;
            return Some(Position::of_character(text, before.saturating_add(*character)));
        }
        statement.map(|statement| Position::of_byte(text, statement.start))
    }

    /// PostgreSQL's, or ours.
    fn hint(&self, cause: &DbError, incomplete: bool) -> String {
        let version = self.script.name.version;
        let command = match self.direction {
            Direction::Apply => "up",
            Direction::Undo => "down",
        };
        match (cause.hint(), cause.code().code()) {
            (Some(hint), _) => hint.to_owned(),
            (None, "25001") => {
                "each file runs in a transaction, where this statement is not possible; give it a file of its own whose first line is `-- migrator: no-transaction`".to_owned()
            }
            (None, "42501") => {
                "the role lacks a right: connect as the owner of the schema's tables".to_owned()
            }
            (None, _) if incomplete => format!(
                "make the rest of `{}` possible, then run `migrator repair` and `migrator {command}`",
                self.file.name
            ),
            (None, "42P07" | "42701" | "42710" | "42723") => {
                "something of that name is there already, not made by these migrations".to_owned()
            }
            (None, "55P03") => format!(
                "somebody else holds the lock on a table: run `migrator {command}` again when they are done"
            ),
            (None, _) => match self.direction {
                Direction::Apply => format!(
                    "fix V{version} and run `migrator up` again; `migrator status` shows the history"
                ),
                Direction::Undo => format!(
                    "fix `{}` and run `migrator down` again; `migrator status` shows the history",
                    self.file.name
                ),
            },
        }
    }
}

/// What PostgreSQL says about a statement. A server that shuts down or ends the session says so in
/// an error of its own, which is about the connection.
pub(crate) fn answer(error: &tokio_postgres::Error) -> Option<&DbError> {
    let lost = |code: &str| code.starts_with("57P0") || code.starts_with("08");
    error.as_db_error().filter(|cause| !lost(cause.code().code()))
}
