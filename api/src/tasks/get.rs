//! `GET /api/{user_id}/tasks/{id}`

use const_format::formatcp;

use super::sql::TASK_STATE;
use super::state::TaskState;
use crate::auth::Caller;
use crate::db::{Database, Param};
use crate::error::ApiError;
use crate::http::path::TaskId;
#[cfg(test)]
use crate::openapi::{failures, schema};

/// `$1` id, `$2` owner.
pub(super) const GET_TASK: &str = formatcp!(
    "select {TASK_STATE}
  from tasks
 where id = $1::int4
   and user_id = $2::text"
);

#[cfg_attr(test, utoipa::path(
    get,
    path = "/api/{user_id}/tasks/{id}",
    tag = "Tasks",
    summary = "Read a task",
    params(schema::TaskInPath, schema::ExpectedState, schema::KnownState),
    responses(
        (status = 200, description = "The task", body = schema::Task, headers(("ETag"))),
        (status = 304, description = "It is still in the state that `If-None-Match` names", headers(("ETag"))),
        (status = 400, response = failures::InvalidTaskId),
        (status = 412, response = failures::PreconditionFailed),
        failures::OfEveryTaskRoute,
    ),
    security(("token" = [])),
))]
/// 200 with the task; 404 when it is missing or another user's.
pub(crate) async fn get_task(
    caller: Caller,
    id: TaskId,
    database: Database,
) -> Result<TaskState, ApiError> {
    let params = vec![Param::Int4(id.0), Param::Text(caller.user_id.clone())];
    let row = database.first_row(GET_TASK, params).await?;
    Ok(TaskState::read(&mut row.ok_or(ApiError::TaskNotFound)?, id.0, caller.user_id)?)
}
