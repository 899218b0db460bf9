//! `PATCH /api/{user_id}/tasks/{id}/complete`

use super::path::TaskId;
use super::{DatabaseJson, one_task, task_json};
use crate::auth::Caller;
use crate::db::{Database, Param};
use crate::error::ApiError;

/// `$1` id, `$2` owner.
const COMPLETE_TASK: &str = concat!(
    "update tasks
   set status = 'complete'
 where id = $1::int4
   and user_id = $2::text
returning ",
    task_json!(),
    "::text"
);

/// 200 with the task. A completed task comes back unchanged: the trigger moves `updated_at` only
/// when the row really changes.
pub(crate) async fn complete_task(
    caller: Caller,
    id: TaskId,
    database: Database,
) -> Result<DatabaseJson, ApiError> {
    let params = vec![Param::Int4(id.0), Param::Text(caller.user_id)];
    one_task(&database, COMPLETE_TASK, params).await
}
