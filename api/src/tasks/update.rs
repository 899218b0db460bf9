//! `PUT` and `PATCH /api/{user_id}/tasks/{id}`

use super::fields::{Description, FieldReader, Status, Title};
use super::path::TaskId;
use super::{DatabaseJson, one_task, task_json};
use crate::auth::Caller;
use crate::db::{Database, Param};
use crate::error::ApiError;
use crate::json::JsonObject;

/// `$1` id, `$2` owner, `$3` title or null to keep it, `$4` whether the description is replaced,
/// `$5` the new description or null, `$6` status or null to keep it.
const UPDATE_TASK: &str = concat!(
    "update tasks
   set title = coalesce($3::text, title),
       description = case when $4::bool then $5::text else description end,
       status = coalesce($6::text, status)
 where id = $1::int4
   and user_id = $2::text
returning ",
    task_json!(),
    "::text"
);

/// What an update changes; at least one of them.
struct Changes {
    title: Option<Title>,
    /// `Some(None)` clears the description.
    #[expect(clippy::option_option, reason = "absent and null mean different things here")]
    description: Option<Option<Description>>,
    status: Option<Status>,
}

/// 200 with the task as it is now; members that are absent stay as they are. Both methods do the
/// same, as they did for the predecessor.
pub(crate) async fn update_task(
    caller: Caller,
    id: TaskId,
    database: Database,
    body: JsonObject,
) -> Result<DatabaseJson, ApiError> {
    let changes = Changes::from_body(&body)?;
    let params = vec![
        Param::Int4(id.0),
        Param::Text(caller.user_id),
        Param::OptionalText(changes.title.map(|title| title.0)),
        Param::Bool(changes.description.is_some()),
        Param::OptionalText(changes.description.flatten().map(|description| description.0)),
        Param::OptionalText(changes.status.map(|status| status.as_str().to_owned())),
    ];
    one_task(&database, UPDATE_TASK, params).await
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
