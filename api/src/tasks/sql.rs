//! Parts that several statements share. Each statement is one constant text that contains them.

use const_format::formatcp;

/// The JSON of a row of `tasks`, as text, for lists. The component itself writes the same JSON of a single
/// task, which costs the server less ([`TASK_STATE`]).
///
/// Not `json_build_object`, which looks up for each value of each row how to write its
/// type: this takes half the time. What can hold a character that JSON escapes goes through
/// `to_json`; a status and a priority cannot, their columns are checked.
pub(super) const TASK_JSON: &str = formatcp!(
    "format({TEMPLATE}, id, to_json(user_id), to_json(title), \
     coalesce(to_json(description)::text, 'null'), status, {PRIORITY}, {CREATED_AT}, {UPDATED_AT})"
);

const TEMPLATE: &str = r#"'{"id" : %s, "user_id" : %s, "title" : %s, "description" : %s, "status" : "%s", "priority" : "%s", "created_at" : "%s", "updated_at" : "%s"}'"#;

/// RFC 3339 in UTC with six digits, whatever the session's time zone and date style are. A time
/// that RFC 3339 cannot represent, such as `infinity`, becomes the nearest one that it can.
const CREATED_AT: &str = r#"to_char(least(greatest(created_at, '0001-01-01 00:00:00Z'), '9999-12-31 23:59:59.999999Z') at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"#;

const UPDATED_AT: &str = r#"to_char(least(greatest(updated_at, '0001-01-01 00:00:00Z'), '9999-12-31 23:59:59.999999Z') at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"#;

/// The columns of a task except id and owner, which are in the request. Times are
/// microseconds since 2000, in eight bytes: exact, `infinity` too.
pub(super) const TASK_STATE: &str = formatcp!(
    "title, description, status, {PRIORITY} as priority, \
     timestamptz_send(created_at) as created_at, timestamptz_send(updated_at) as updated_at"
);

/// A column that was there before the migrations may have another text type, and nulls.
const PRIORITY: &str = "coalesce(priority::text, 'medium')";

/// The place of a priority in the order of `?sort=priority`, exactly as in the index.
pub(super) const RANK: &str = "(case priority when 'high' then 3 when 'low' then 1 else 2 end)";

/// The end of a change with a condition, of `$1` id and `$2` owner: the task in `changed`, or `false` where
/// it is there and was not changed.
pub(super) const CHANGED_OR_NOT: &str = "\
select true, title, description, status, priority, created_at, updated_at from changed
 union all
select false, null, null, null, null, null, null
 where not exists (select from changed)
   and exists (select from tasks where id = $1::int4 and user_id = $2::text)";

/// The value of a task's `ETag`: how its JSON is written, and when the task last changed, which moves
/// forward with every change.
pub(super) const TAG: &str = "'1-' || trunc(extract(epoch from updated_at) * 1000000)";
