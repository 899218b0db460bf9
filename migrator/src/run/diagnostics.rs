//! Turns an error of PostgreSQL into the message about a script, with its position.

use tokio_postgres::error::{DbError, ErrorPosition};

use crate::error::{Error, FailedScript, LostDuring, ScriptError, pg_error};
use crate::model::{Position, Progress};
use crate::run::step::Step;
use crate::sql;

/// Place of an error in a script.
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

    /// `notes` go below what PostgreSQL says.
    pub(crate) fn failure(
        &self,
        error: &tokio_postgres::Error,
        place: Place,
        notes: Vec<String>,
        progress: Progress,
    ) -> Error {
        let Some(cause) = answer(error) else {
            return self.connection_lost(error, LostDuring::Transaction);
        };
        self.failed(ScriptError::from(cause), self.position(cause, place), notes, progress)
    }

    pub(crate) fn failed(
        &self,
        cause: ScriptError,
        position: Option<Position>,
        notes: Vec<String>,
        progress: Progress,
    ) -> Error {
        FailedScript {
            name: self.script.name.clone(),
            direction: self.direction,
            file: self.file.name.clone(),
            path: self.file.path.clone(),
            mode: self.file.mode,
            position,
            source_line: position.map(|position| position.line_of(&self.file.sql)),
            cause,
            notes,
            progress,
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
        if let Some(ErrorPosition::Original(character)) = cause.position() {
            let before = offset.or_else(|| {
                let start = sql::statements(text).get(index)?.start;
                u32::try_from(text[..start].chars().count()).ok()
            })?;
            return Some(Position::of_character(text, before.saturating_add(*character)));
        }
        self.position_of(index)
    }

    /// The position of the statement of this index.
    pub(crate) fn position_of(&self, statement: usize) -> Option<Position> {
        let text = &self.file.sql;
        let statement = sql::statements(text).into_iter().nth(statement)?;
        Some(Position::of_byte(text, statement.start))
    }
}

/// PostgreSQL's error about a statement; `None` for one about the connection, such as a shutdown of the
/// server or the end of the session.
pub(crate) fn answer(error: &tokio_postgres::Error) -> Option<&DbError> {
    let lost = |code: &str| code.starts_with("57P0") || code.starts_with("08");
    error.as_db_error().filter(|cause| !lost(cause.code().code()))
}
