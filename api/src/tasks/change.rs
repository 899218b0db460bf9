//! Changing a task, with or without the condition of `If-Match`.

use crate::db::{Database, Param, Row};
use crate::error::ApiError;
use crate::http::precondition::IfMatch;

/// A statement that changes a task, and the same with `If-Match`. `$1` id, `$2` owner. Two texts,
/// because the condition makes the statement longer to plan than to execute.
pub(super) struct Change {
    /// Its row is the changed task; none where the task is absent or somebody else's.
    pub(super) statement: &'static str,
    /// Its last parameter has the tags, with spaces between them. Its first column is whether the task
    /// was changed: false where the task is there, but in another state than the tags name.
    pub(super) if_match: &'static str,
}

impl Change {
    /// Changes the task. 404 when it is absent or somebody else's, 412 when its state is not one that
    /// `If-Match` names.
    pub(super) async fn apply(
        &self,
        database: &Database,
        mut params: Vec<Param>,
        if_match: IfMatch,
    ) -> Result<Row, ApiError> {
        let tags = if_match.into_param();
        let is_conditional = tags.is_some();
        params.extend(tags.map(Param::Text));
        let statement = if is_conditional { self.if_match } else { self.statement };
        let row = database.first_row(statement, params).await?;
        let mut row = row.ok_or(ApiError::TaskNotFound)?;
        if is_conditional && !row.bool()? {
            return Err(ApiError::PreconditionFailed);
        }
        Ok(row)
    }
}
