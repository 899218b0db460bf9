//! `PATCH /api/{user_id}/tasks/{id}/complete`

use http::HeaderMap;

use super::path::TaskId;
use super::{TaskState, changed_or_stale, if_match, task_etag, task_json};
use crate::auth::Caller;
use crate::db::{Database, Param};
use crate::error::ApiError;
#[cfg(test)]
use crate::openapi::{failures, schema};
use crate::precondition::IfMatch;

/// `$1` id, `$2` owner, `$3` the states that `If-Match` names, or null.
const COMPLETE_TASK: &str = concat!(
    "with changed as (
  update tasks
     set status = 'complete'
   where id = $1::int4
     and user_id = $2::text
     and ",
    if_match!(),
    "
  returning ",
    task_json!(),
    "::text as task, ",
    task_etag!(),
    " as etag
)",
    changed_or_stale!()
);

#[cfg_attr(test, utoipa::path(
    patch,
    path = "/api/{user_id}/tasks/{id}/complete",
    tag = "Tasks",
    summary = "Complete a task",
    description = "A completed task comes back unchanged.",
    params(schema::TaskInPath, schema::ExpectedState),
    responses(
        (status = 200, description = "The task, complete", body = schema::Task, headers(("ETag"))),
        (status = 400, response = failures::InvalidTaskId),
        (status = 412, response = failures::PreconditionFailed),
        failures::OfEveryTaskRoute,
    ),
    security(("token" = [])),
))]
/// 200 with the task. A completed task comes back unchanged: the trigger moves `updated_at` only
/// when the row really changes.
pub(crate) async fn complete_task(
    caller: Caller,
    id: TaskId,
    headers: HeaderMap,
    database: Database,
) -> Result<TaskState, ApiError> {
    let if_match = IfMatch::of(&headers)?;
    let params = vec![Param::Int4(id.0), Param::Text(caller.user_id)];
    TaskState::changed_by(&database, COMPLETE_TASK, params, if_match).await
}
