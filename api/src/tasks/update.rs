//! `PUT` and `PATCH /api/{user_id}/tasks/{id}`

use const_format::formatcp;

use super::change::Change;
use super::fields::{Description, FieldReader, Priority, Status, Title};
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

/// `$3` title or null to keep it, `$4` whether the description is replaced, `$5` the new description
/// or null, `$6` status or null to keep it, `$7` priority or null to keep it, `$8` and `$9` the condition
/// on the task's tag.
pub(super) const UPDATE_TASK: Change = Change {
    statement: formatcp!(
        "update tasks
   set title = coalesce($3::text, title),
       description = case when $4::bool then $5::text else description end,
       status = coalesce($6::text, status),
       priority = coalesce($7::text, priority)
 where id = $1::int4
   and user_id = $2::text
returning {TASK_STATE}"
    ),
    conditional: formatcp!(
        "with changed as (
  update tasks
     set title = coalesce($3::text, title),
         description = case when $4::bool then $5::text else description end,
         status = coalesce($6::text, status),
         priority = coalesce($7::text, priority)
   where id = $1::int4
     and user_id = $2::text
     and ({TAG} = any (string_to_array($8::text, ' '))) = $9::bool
  returning {TASK_STATE}
)
{CHANGED_OR_NOT}"
    ),
};

/// Members of an update, at least one.
struct Changes {
    title: Option<Title>,
    /// `Some(None)` clears the description.
    #[expect(clippy::option_option, reason = "absent and null mean different things here")]
    description: Option<Option<Description>>,
    status: Option<Status>,
    priority: Option<Priority>,
}

#[cfg_attr(test, utoipa::path(
    method(put, patch),
    path = "/api/{user_id}/tasks/{id}",
    tag = "Tasks",
    summary = "Change a task",
    description = "Members that are absent stay as they are, with `PUT` as with `PATCH`.",
    params(schema::TaskInPath, schema::ExpectedState, schema::ExcludedState),
    request_body(
        content = schema::TaskUpdate,
        description = "What to change, at most 128 KiB",
        examples(
            ("text" = (summary = "Another text", value = json!({ "title": "Buy groceries and wine", "description": null }))),
            ("reopen" = (summary = "Open it again, as urgent", value = json!({ "status": "incomplete", "priority": "high" }))),
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
    preconditions: Preconditions,
    database: Database,
    body: JsonObject,
) -> Result<TaskState, ApiError> {
    let changes = Changes::from_body(&body)?;
    let params = vec![
        Param::Int4(id.0),
        Param::Text(caller.user_id.clone()),
        Param::OptionalText(changes.title.map(|title| title.0)),
        Param::Bool(changes.description.is_some()),
        Param::OptionalText(changes.description.flatten().map(|description| description.0)),
        Param::OptionalText(changes.status.map(|status| status.as_str().to_owned())),
        Param::OptionalText(changes.priority.map(|priority| priority.as_str().to_owned())),
    ];
    let mut row = UPDATE_TASK.apply(&database, params, preconditions).await?;
    Ok(TaskState::read(&mut row, id.0, caller.user_id)?)
}

impl Changes {
    fn from_body(body: &JsonObject) -> Result<Self, ApiError> {
        let mut fields = FieldReader::new(body);
        let changes = Self {
            title: fields.new_title(),
            description: fields.description(),
            status: fields.status(),
            priority: fields.priority(),
        };
        let errors = fields.into_errors();
        if !errors.is_empty() {
            return Err(ApiError::Invalid(errors));
        }
        match changes {
            Self { title: None, description: None, status: None, priority: None } => {
                Err(ApiError::NothingToUpdate)
            }
            changes => Ok(changes),
        }
    }
}
