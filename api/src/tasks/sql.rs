//! Parts that several statements share. Each statement is one constant text that contains them.

use const_format::formatcp;

/// The columns of a task in a list, whose JSON the component writes ([`super::records`]).
pub(super) const LISTED: &str =
    formatcp!("id, title, description, status, {PRIORITY} as priority, created_at, updated_at");

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
