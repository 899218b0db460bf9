//! `DELETE /api/{user_id}/tasks/{id}`

use http::{HeaderMap, StatusCode};

use super::path::TaskId;
use super::{TaskState, changed_or_stale, if_match, task_etag};
use crate::auth::Caller;
use crate::db::{Database, Param};
use crate::error::ApiError;
#[cfg(test)]
use crate::openapi::{failures, schema};
use crate::precondition::IfMatch;

/// `$1` id, `$2` owner, `$3` the states that `If-Match` names, or null.
const DELETE_TASK: &str = concat!(
    "with changed as (
  delete from tasks
   where id = $1::int4
     and user_id = $2::text
     and ",
    if_match!(),
    "
  returning '' as task, ",
    task_etag!(),
    " as etag
)",
    changed_or_stale!()
);

#[cfg_attr(test, utoipa::path(
    delete,
    path = "/api/{user_id}/tasks/{id}",
    tag = "Tasks",
    summary = "Delete a task",
    params(schema::TaskInPath, schema::ExpectedState),
    responses(
        (status = 204, description = "The task is gone"),
        (status = 400, response = failures::InvalidTaskId),
        (status = 412, response = failures::PreconditionFailed),
        failures::OfEveryTaskRoute,
    ),
    security(("token" = [])),
))]
/// 204; 404 when the task is absent or somebody else's.
pub(crate) async fn delete_task(
    caller: Caller,
    id: TaskId,
    headers: HeaderMap,
    database: Database,
) -> Result<StatusCode, ApiError> {
    let if_match = IfMatch::of(&headers)?;
    let params = vec![Param::Int4(id.0), Param::Text(caller.user_id)];
    TaskState::changed_by(&database, DELETE_TASK, params, if_match).await?;
    Ok(StatusCode::NO_CONTENT)
}
