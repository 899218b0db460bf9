//! `DELETE /api/{user_id}/tasks/{id}`

use http::{HeaderMap, StatusCode};

use super::{Change, change};
use crate::auth::Caller;
use crate::db::{Database, Param};
use crate::error::ApiError;
use crate::http::path::TaskId;
use crate::http::precondition::IfMatch;
#[cfg(test)]
use crate::openapi::{failures, schema};

/// `$3` the states that `If-Match` names.
const DELETE_TASK: Change = change!("delete from tasks", "$3", returning "id", "", "");

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
    DELETE_TASK.apply(&database, params, if_match).await?;
    Ok(StatusCode::NO_CONTENT)
}
