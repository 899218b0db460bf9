//! Changing a task, with or without preconditions.

use crate::db::{Database, Param, Row};
use crate::error::ApiError;
use crate::http::precondition::Preconditions;

/// A statement that changes a task, and the same with `If-Match` or `If-None-Match`. `$1` id, `$2`
/// owner. Two texts, because the condition makes the statement longer to plan than to execute.
pub(super) struct Change {
    /// Its row is the changed task; none if the task is missing or another user's.
    pub(super) statement: &'static str,
    /// Its last two parameters are the tags, with spaces between them, and whether the task's tag has
    /// to be one of them (true) or must not be (false). Its first column is whether the task was
    /// changed: false where the task is there and its tag is not so.
    pub(super) conditional: &'static str,
}

impl Change {
    /// Changes the task. 404 when it is missing or another user's, 412 when its state is not one that
    /// the preconditions allow.
    pub(super) async fn apply(
        &self,
        database: &Database,
        mut params: Vec<Param>,
        preconditions: Preconditions,
    ) -> Result<Row, ApiError> {
        let mut statement = self.statement;
        let mut failure = None;
        if let Some(condition) = preconditions.into_condition() {
            statement = self.conditional;
            params.extend([Param::Text(condition.tags), Param::Bool(condition.is_listed)]);
            failure = Some(condition.failure);
        }
        let row = database.first_row(statement, params).await?;
        let mut row = row.ok_or(ApiError::TaskNotFound)?;
        match failure {
            Some(failure) if !row.bool()? => Err(failure),
            _ => Ok(row),
        }
    }
}
