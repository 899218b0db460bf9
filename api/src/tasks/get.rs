//! `GET /api/{user_id}/tasks/{id}`

use super::path::TaskId;
use super::{DatabaseJson, one_task, task_json};
use crate::auth::Caller;
use crate::db::{Database, Param};
use crate::error::ApiError;

/// `$1` id, `$2` owner.
const GET_TASK: &str = concat!(
    "select ",
    task_json!(),
    "::text
  from tasks
 where id = $1::int4
   and user_id = $2::text"
);

/// 200 with the task; 404 when it is absent or somebody else's.
pub(crate) async fn get_task(
    caller: Caller,
    id: TaskId,
    database: Database,
) -> Result<DatabaseJson, ApiError> {
    let params = vec![Param::Int4(id.0), Param::Text(caller.user_id)];
    one_task(&database, GET_TASK, params).await
}
