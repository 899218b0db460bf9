//! `DELETE /api/{user_id}/tasks/{id}`

use const_format::formatcp;
use http::StatusCode;

use super::change::Change;
use super::sql::TAG;
use crate::auth::Caller;
use crate::db::{Database, Param};
use crate::error::ApiError;
use crate::http::path::TaskId;
use crate::http::precondition::Preconditions;
use crate::http::response::{self, Response};
#[cfg(test)]
use crate::openapi::{failures, schema};

/// `$3` and `$4` the condition on the task's tag.
const DELETE_TASK: Change = Change {
    statement: "delete from tasks
 where id = $1::int4
   and user_id = $2::text
returning id",
    conditional: formatcp!(
        "with changed as (
  delete from tasks
   where id = $1::int4
     and user_id = $2::text
     and ({TAG} = any (string_to_array($3::text, ' '))) = $4::bool
  returning id
)
select true from changed
 union all
select false
 where not exists (select from changed)
   and exists (select from tasks where id = $1::int4 and user_id = $2::text)"
    ),
};

#[cfg_attr(test, utoipa::path(
    delete,
    path = "/api/{user_id}/tasks/{id}",
    tag = "Tasks",
    summary = "Delete a task",
    params(schema::TaskInPath, schema::ExpectedState, schema::ExcludedState),
    responses(
        (status = 204, description = "The task is gone"),
        (status = 400, response = failures::InvalidTaskId),
        (status = 412, response = failures::PreconditionFailed),
        failures::OfEveryTaskRoute,
    ),
    security(("token" = [])),
))]
/// 204; 404 when the task is missing or another user's.
pub(crate) async fn delete_task(
    caller: Caller,
    id: TaskId,
    preconditions: Preconditions,
    database: Database,
) -> Result<Response, ApiError> {
    let params = vec![Param::Int4(id.0), Param::Text(caller.user_id)];
    DELETE_TASK.apply(&database, params, preconditions).await?;
    Ok(response::empty(StatusCode::NO_CONTENT))
}
