//! `PUT` and `PATCH /api/{user_id}/tasks/{id}`

use http::HeaderMap;

use super::fields::{Description, FieldReader, Status, Title};
use super::path::TaskId;
use super::{TaskState, changed_or_stale, if_match, task_etag, task_json};
use crate::auth::Caller;
use crate::db::{Database, Param};
use crate::error::ApiError;
use crate::json::JsonObject;
#[cfg(test)]
use crate::openapi::{failures, schema};
use crate::precondition::IfMatch;

/// `$1` id, `$2` owner, `$3` the states that `If-Match` names, or null, `$4` title or null to keep
/// it, `$5` whether the description is replaced, `$6` the new description or null, `$7` status or
/// null to keep it.
const UPDATE_TASK: &str = concat!(
    "with changed as (
  update tasks
     set title = coalesce($4::text, title),
         description = case when $5::bool then $6::text else description end,
         status = coalesce($7::text, status)
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

/// What an update changes; at least one of them.
struct Changes {
    title: Option<Title>,
    /// `Some(None)` clears the description.
    #[expect(clippy::option_option, reason = "absent and null mean different things here")]
    description: Option<Option<Description>>,
    status: Option<Status>,
}

#[cfg_attr(test, utoipa::path(
    method(put, patch),
    path = "/api/{user_id}/tasks/{id}",
    tag = "Tasks",
    summary = "Change a task",
    description = "Members that are absent stay as they are, with `PUT` as with `PATCH`.",
    params(schema::TaskInPath, schema::ExpectedState),
    request_body(
        content = schema::TaskUpdate,
        description = "What to change, at most 128 KiB",
        examples(
            ("text" = (summary = "Another text", value = json!({ "title": "Buy groceries and wine", "description": null }))),
            ("reopen" = (summary = "Open it again", value = json!({ "status": "incomplete" }))),
        ),
    ),
    responses(
        (status = 200, description = "The task as it is now", body = schema::Task, headers(("ETag"))),
        (status = 400, response = failures::InvalidUpdate),
        (status = 412, response = failures::PreconditionFailed),
        failures::OfABody,
        failures::OfEveryTaskRoute,
    ),
    security(("token" = [])),
))]
/// 200 with the task as it is now; members that are absent stay as they are. Both methods do the
/// same, as they did for the predecessor.
pub(crate) async fn update_task(
    caller: Caller,
    id: TaskId,
    headers: HeaderMap,
    database: Database,
    body: JsonObject,
) -> Result<TaskState, ApiError> {
    let if_match = IfMatch::of(&headers)?;
    let changes = Changes::from_body(&body)?;
    let params = vec![
        Param::Int4(id.0),
        Param::Text(caller.user_id),
        Param::OptionalText(changes.title.map(|title| title.0)),
        Param::Bool(changes.description.is_some()),
        Param::OptionalText(changes.description.flatten().map(|description| description.0)),
        Param::OptionalText(changes.status.map(|status| status.as_str().to_owned())),
    ];
    TaskState::changed_by(&database, UPDATE_TASK, params, if_match).await
}

impl Changes {
    fn from_body(body: &JsonObject) -> Result<Self, ApiError> {
        let mut fields = FieldReader::new(body);
        let changes = Self {
            title: fields.new_title(),
            description: fields.description(),
            status: fields.status(),
        };
        let errors = fields.into_errors();
        if !errors.is_empty() {
            return Err(ApiError::Invalid(errors));
        }
        match changes {
            Self { title: None, description: None, status: None } => Err(ApiError::NothingToUpdate),
            changes => Ok(changes),
        }
    }
}
