//! For the native server that `cargo bench-api` compares the component with (`benches/native`): the same
//! statements, and the same code from a row to a response. So the two differ in where they run, and in
//! nothing that either of them could do better.

use super::page::PageLimit;
use super::records;
use super::state::{self, TaskState};
use crate::db::Time;
use crate::http::response::{self, Response};

/// `$1` id, `$2` owner.
pub const GET_TASK: &str = super::get::GET_TASK;

/// `$1` owner, `$2` the largest number of tasks, at most 200. Columns: the tasks, and how many there are.
pub const LIST_TASKS: &str = super::list::LIST_TASKS.few;

/// The same of one status, `$3`, by priority.
pub const LIST_BY_PRIORITY_OF_STATUS: &str = super::list::LIST_BY_PRIORITY_OF_STATUS.few;

/// `$1` owner, `$2` title, `$3` description or null, `$4` status, `$5` priority, `$6` the account's email
/// address. Columns: id and creation time.
pub const INSERT_TASK: &str = super::create::INSERT_TASK.task_and_account;

/// `$1` id, `$2` owner, `$3` title or null, `$4` whether the description is replaced, `$5` the new one,
/// `$6` status or null, `$7` priority or null.
pub const UPDATE_TASK: &str = super::update::UPDATE_TASK.statement;

/// `$1` id, `$2` owner, `$3` status.
pub const SET_STATUS: &str = super::status::SET_STATUS.statement;

/// A task. The columns of the statements that give one, after its id and owner.
pub struct Task {
    /// The task's id.
    pub id: i32,
    /// The user it belongs to.
    pub owner: String,
    /// 1 to 255 characters.
    pub title: String,
    /// At most 5,000 characters.
    pub description: Option<String>,
    /// `incomplete` or `complete`.
    pub status: String,
    /// `low`, `medium` or `high`.
    pub priority: String,
    /// Microseconds since 2000, as `timestamptz_send` gives them.
    pub created_at: i64,
    /// The same.
    pub updated_at: i64,
}

impl From<Task> for TaskState {
    fn from(task: Task) -> Self {
        Self {
            id: task.id,
            user_id: task.owner,
            title: task.title,
            description: task.description,
            status: task.status,
            priority: task.priority,
            created_at: Time(task.created_at),
            updated_at: Time(task.updated_at),
        }
    }
}

impl From<Task> for Response {
    /// 200 with the task and its `ETag`.
    fn from(task: Task) -> Self {
        TaskState::from(task).into()
    }
}

/// 201 with the task and its `Location`.
pub fn created(task: Task) -> Response {
    let location = format!("tasks/{}", task.id);
    state::created(task.into(), &location)
}

/// 200 with a page of up to `limit` of the tasks that a statement gave in `records`, of which there are
/// `count`. None where they are not whole.
pub fn page(records: &[u8], count: i64, limit: i32, owner: &str) -> Option<Response> {
    let shown = records::to_json(records, count, PageLimit(limit), owner).ok()?;
    Some(response::json(shown.json))
}
