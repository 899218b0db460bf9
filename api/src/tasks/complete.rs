//! `PATCH /api/{user_id}/tasks/{id}/complete`

use const_format::formatcp;

use super::change::Change;
use super::sql::{TAG, TASK_STATE};
use super::state::TaskState;
use crate::auth::Caller;
use crate::db::{Database, Param};
use crate::error::ApiError;
use crate::http::path::TaskId;
use crate::http::precondition::Preconditions;
#[cfg(test)]
use crate::openapi::{failures, schema};

/// `$3` and `$4` the condition on the task's tag.
const COMPLETE_TASK: Change = Change {
    statement: formatcp!(
        "update tasks
   set status = 'complete'
 where id = $1::int4
   and user_id = $2::text
returning {TASK_STATE}"
    ),
    conditional: formatcp!(
        "with changed as (
  update tasks
     set status = 'complete'
   where id = $1::int4
     and user_id = $2::text
     and ({TAG} = any (string_to_array($3::text, ' '))) = $4::bool
  returning {TASK_STATE}
)
select true, title, description, status, created_at, updated_at from changed
 union all
select false, null, null, null, null, null
 where not exists (select from changed)
   and exists (select from tasks where id = $1::int4 and user_id = $2::text)"
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
/// 200 with the task. A completed task comes back unchanged: the trigger moves `updated_at` only
/// when the row really changes.
pub(crate) async fn complete_task(
    caller: Caller,
    id: TaskId,
    preconditions: Preconditions,
    database: Database,
) -> Result<TaskState, ApiError> {
    let params = vec![Param::Int4(id.0), Param::Text(caller.user_id.clone())];
    let mut row = COMPLETE_TASK.apply(&database, params, preconditions).await?;
    Ok(TaskState::read(&mut row, id.0, caller.user_id)?)
}
