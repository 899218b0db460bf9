//! `PATCH /api/{user_id}/tasks/{id}/complete`, `…/incomplete` and `…/status`

use const_format::formatcp;

use super::change::Change;
use super::fields::{FieldReader, Status};
use super::sql::{CHANGED_OR_NOT, TAG, TASK_STATE};
use super::state::TaskState;
use crate::auth::Caller;
use crate::db::{Database, Param};
use crate::error::ApiError;
use crate::http::json::JsonObject;
use crate::http::path::TaskId;
use crate::http::precondition::Preconditions;
#[cfg(test)]
use crate::openapi::{failures, schema};

/// `$3` status, `$4` and `$5` the condition on the task's tag. A task that has the status already comes
/// back unchanged: the trigger moves `updated_at` only when the row really changes.
pub(super) const SET_STATUS: Change = Change {
    statement: formatcp!(
        "update tasks
   set status = $3::text
 where id = $1::int4
   and user_id = $2::text
returning {TASK_STATE}"
    ),
    conditional: formatcp!(
        "with changed as (
  update tasks
     set status = $3::text
   where id = $1::int4
     and user_id = $2::text
     and ({TAG} = any (string_to_array($4::text, ' '))) = $5::bool
  returning {TASK_STATE}
)
{CHANGED_OR_NOT}"
    ),
};

#[cfg_attr(test, utoipa::path(
    patch,
    path = "/api/{user_id}/tasks/{id}/complete",
    tag = "Tasks",
    summary = "Complete a task",
    description = "A completed task comes back unchanged.",
    params(schema::TaskInPath, schema::ExpectedState, schema::ExcludedState),
    responses(
        (status = 200, description = "The task, complete", body = schema::Task, headers(("ETag"))),
        (status = 400, response = failures::InvalidTaskId),
        (status = 412, response = failures::PreconditionFailed),
        failures::OfEveryTaskRoute,
    ),
    security(("token" = [])),
))]
/// 200 with the task, complete. Reads no body.
pub(crate) async fn complete_task(
    caller: Caller,
    id: TaskId,
    preconditions: Preconditions,
    database: Database,
) -> Result<TaskState, ApiError> {
    set_status(caller, id, preconditions, database, Status::Complete).await
}

#[cfg_attr(test, utoipa::path(
    patch,
    path = "/api/{user_id}/tasks/{id}/incomplete",
    tag = "Tasks",
    summary = "Open a task again",
    description = "A task that is not complete comes back unchanged.",
    params(schema::TaskInPath, schema::ExpectedState, schema::ExcludedState),
    responses(
        (status = 200, description = "The task, incomplete", body = schema::Task, headers(("ETag"))),
        (status = 400, response = failures::InvalidTaskId),
        (status = 412, response = failures::PreconditionFailed),
        failures::OfEveryTaskRoute,
    ),
    security(("token" = [])),
))]
/// 200 with the task, incomplete. Reads no body.
pub(crate) async fn reopen_task(
    caller: Caller,
    id: TaskId,
    preconditions: Preconditions,
    database: Database,
) -> Result<TaskState, ApiError> {
    set_status(caller, id, preconditions, database, Status::Incomplete).await
}

#[cfg_attr(test, utoipa::path(
    patch,
    path = "/api/{user_id}/tasks/{id}/status",
    tag = "Tasks",
    summary = "Set a task's status",
    description = "A task that has the status already comes back unchanged.",
    params(schema::TaskInPath, schema::ExpectedState, schema::ExcludedState),
    request_body(
        content = schema::StatusUpdate,
        description = "The status, at most 128 KiB",
        example = json!({ "status": "complete" }),
    ),
    responses(
        (status = 200, description = "The task, with this status", body = schema::Task, headers(("ETag"))),
        (status = 400, response = failures::InvalidStatus),
        (status = 412, response = failures::PreconditionFailed),
        failures::OfABody,
        failures::OfEveryTaskRoute,
    ),
    security(("token" = [])),
))]
/// 200 with the task, which has the status of the body now; 400 when that is no status.
pub(crate) async fn set_task_status(
    caller: Caller,
    id: TaskId,
    preconditions: Preconditions,
    database: Database,
    body: JsonObject,
) -> Result<TaskState, ApiError> {
    let mut fields = FieldReader::new(&body);
    match (fields.required_status(), fields.into_errors()) {
        (Some(status), _) => set_status(caller, id, preconditions, database, status).await,
        (None, errors) => Err(ApiError::Invalid(errors)),
    }
}

async fn set_status(
    caller: Caller,
    id: TaskId,
    preconditions: Preconditions,
    database: Database,
    status: Status,
) -> Result<TaskState, ApiError> {
    let params = vec![
        Param::Int4(id.0),
        Param::Text(caller.user_id.clone()),
        Param::Text(status.as_str().to_owned()),
    ];
    let mut row = SET_STATUS.apply(&database, params, preconditions).await?;
    Ok(TaskState::read(&mut row, id.0, caller.user_id)?)
}
