//! `DELETE /api/{user_id}/tasks/{id}`

use http::StatusCode;

use super::path::TaskId;
use crate::auth::Caller;
use crate::db::{Database, Param};
use crate::error::ApiError;

/// `$1` id, `$2` owner.
const DELETE_TASK: &str = "\
delete from tasks
 where id = $1::int4
   and user_id = $2::text
returning id";

/// 204; 404 when the task is absent or somebody else's.
pub(crate) async fn delete_task(
    caller: Caller,
    id: TaskId,
    database: Database,
) -> Result<StatusCode, ApiError> {
    let params = vec![Param::Int4(id.0), Param::Text(caller.user_id)];
    let deleted = database.first_row(DELETE_TASK, params).await?;
    deleted.map(|_| StatusCode::NO_CONTENT).ok_or(ApiError::TaskNotFound)
}
