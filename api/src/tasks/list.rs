//! `GET /api/{user_id}/tasks`

use http::Uri;

use super::fields::{STATUS_UNKNOWN, Status};
use super::{DatabaseJson, task_json};
use crate::auth::Caller;
use crate::db::{Database, Param};
use crate::error::ApiError;

/// Newest first. `$1` owner.
const LIST_TASKS: &str = concat!(
    "select coalesce(json_agg(",
    task_json!(),
    " order by created_at desc, id desc), '[]')::text
  from tasks
 where user_id = $1::text"
);

/// Newest first. `$1` owner, `$2` status. A constant of its own, so that each of the two has the
/// index that fits it.
const LIST_TASKS_BY_STATUS: &str = concat!(
    "select coalesce(json_agg(",
    task_json!(),
    " order by created_at desc, id desc), '[]')::text
  from tasks
 where user_id = $1::text
   and status = $2::text"
);

/// 200 with the caller's tasks, newest first, of one status with `?status=`.
pub(crate) async fn list_tasks(
    caller: Caller,
    uri: Uri,
    database: Database,
) -> Result<DatabaseJson, ApiError> {
    let owner = Param::Text(caller.user_id);
    let mut row = match status_filter(uri.query().unwrap_or_default())? {
        None => database.row(LIST_TASKS, vec![owner]).await?,
        Some(status) => {
            let status = Param::Text(status.as_str().to_owned());
            database.row(LIST_TASKS_BY_STATUS, vec![owner, status]).await?
        }
    };
    Ok(DatabaseJson(row.text()?))
}

/// The `status` of the query; of several the last one counts, as it did for the predecessor.
fn status_filter(query: &str) -> Result<Option<Status>, ApiError> {
    let value = form_urlencoded::parse(query.as_bytes())
        .filter(|(name, _)| name == "status")
        .last()
        .map(|(_, value)| value);
    match value {
        None => Ok(None),
        Some(value) => {
            Status::parse(&value).map(Some).ok_or_else(|| ApiError::field("status", STATUS_UNKNOWN))
        }
    }
}
