//! The statements by name, as JSON.

use api::bench;
use serde_json::json;

/// An object with the texts of all statements.
pub(crate) fn to_json() -> String {
    json!({
        "get": bench::GET_TASK,
        "list": bench::LIST_TASKS,
        "filtered": bench::LIST_BY_PRIORITY_OF_STATUS,
        "create": bench::INSERT_TASK,
        "update": bench::UPDATE_TASK,
        "set_status": bench::SET_STATUS,
    })
    .to_string()
}
