//! The simplest statements that give what the API's give: the same JSON, without entity tags,
//! preconditions, pages or accounts.

/// The JSON of a row of `tasks`, as the API writes it.
macro_rules! task_json {
    () => {
        "json_build_object(\
           'id', id, \
           'user_id', user_id, \
           'title', title, \
           'description', description, \
           'status', status, \
           'priority', priority, \
           'created_at', to_char(created_at at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"'), \
           'updated_at', to_char(updated_at at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"'))"
    };
}

/// `$1` id, `$2` owner.
pub(crate) const GET_TASK: &str = concat!(
    "select ",
    task_json!(),
    "::text
  from tasks
 where id = $1::int4
   and user_id = $2::text"
);

/// `$1` owner.
pub(crate) const LIST_TASKS: &str = concat!(
    "select coalesce(json_agg(",
    task_json!(),
    "), '[]')::text
  from (
  select id, user_id, title, description, status, priority, created_at, updated_at
    from tasks
   where user_id = $1::text
   order by created_at desc, id desc
   limit 100
) as page"
);

/// `$1` owner, `$2` title.
pub(crate) const INSERT_TASK: &str = concat!(
    "insert into tasks (user_id, title)
values ($1::text, $2::text)
returning ",
    task_json!(),
    "::text"
);

/// `$1` id, `$2` owner, `$3` title.
pub(crate) const UPDATE_TASK: &str = concat!(
    "update tasks
   set title = $3::text
 where id = $1::int4
   and user_id = $2::text
returning ",
    task_json!(),
    "::text"
);

/// `$1` owner. The order is that of the index.
pub(crate) const LIST_BY_PRIORITY: &str = concat!(
    "select coalesce(json_agg(",
    task_json!(),
    "), '[]')::text
  from (
  select id, user_id, title, description, status, priority, created_at, updated_at
    from tasks
   where user_id = $1::text
     and status = 'incomplete'
   order by (case priority when 'high' then 3 when 'low' then 1 else 2 end) desc, created_at desc, id desc
   limit 100
) as page"
);

/// `$1` id, `$2` owner, `$3` status.
pub(crate) const SET_STATUS: &str = concat!(
    "update tasks
   set status = $3::text
 where id = $1::int4
   and user_id = $2::text
returning ",
    task_json!(),
    "::text"
);
