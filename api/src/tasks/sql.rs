//! What several statements have in common. Each statement is one constant text, with these in it.

use const_format::formatcp;

/// `created_at` as it stands in JSON: RFC 3339 in UTC with six digits, whatever the session's time
/// zone and date style are.
pub(super) const CREATED_AT: &str =
    r#"to_char(created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"#;

/// `updated_at` likewise.
pub(super) const UPDATED_AT: &str =
    r#"to_char(updated_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"#;

/// The JSON of a row of `tasks`, as text.
///
/// Not `json_build_object`, which looks up for each value of each row how to write its
/// type: this takes half the time. What can hold a character that JSON escapes goes through
/// `to_json`; a status cannot, its column is checked.
pub(super) const TASK_JSON: &str = formatcp!(
    "format({TEMPLATE}, id, to_json(user_id), to_json(title), \
     coalesce(to_json(description)::text, 'null'), status, {CREATED_AT}, {UPDATED_AT})"
);

const TEMPLATE: &str = r#"'{"id" : %s, "user_id" : %s, "title" : %s, "description" : %s, "status" : "%s", "created_at" : "%s", "updated_at" : "%s"}'"#;

/// The columns of a task with its `ETag`.
pub(super) const TASK_STATE: &str = formatcp!("{TASK_JSON}, {UPDATED_AT}");

/// The value of a task's `ETag`: how its JSON is written, and when the task last changed, which moves
/// forward with every change.
pub(super) const TAG: &str = "'1-' || (extract(epoch from updated_at) * 1000000)::int8";
