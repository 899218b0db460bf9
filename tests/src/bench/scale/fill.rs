//! Fills a database with tasks of many users, as a service in use would have them.
//!
//! Of each ten users the first one has a third of their tasks and the last one a thirtieth: shares of 1, 1/2, 1/3 to 1/10.
//! A small database and a large one have the same kinds of users, and differ in how many there are. One user
//! has a hundredth of all tasks besides. The tasks of all users come in turns, by chance, so those of one user lie
//! everywhere in the table, and the indexes grow as they do in use.

use anyhow::Context;
use tokio_postgres::Client;

use super::options::Size;
use crate::bench::output::progress;

/// Tasks that one statement adds.
const BATCH: u32 = 250_000;

/// More tasks than these are added without indexes, which are built at the end: it takes a fifth of the time, and leaves
/// them as small as `reindex` does.
const MOST_WITH_INDEXES: u32 = 1_000_000;

/// The id of a user with this number, from 1: as long as those of authentication providers.
macro_rules! user_id {
    ($number:literal) => {
        concat!("md5('user ' || ", $number, ")")
    };
}

const INSERT_USERS: &str = concat!(
    "insert into users (id, email)
select id, id || '@example.com'
  from (select ",
    user_id!("number"),
    " as id from generate_series(1, $1::int4) as number) as people"
);

/// `$1` and `$2` numbers of the first and the last task, `$3` tasks of all statements, `$4` users. The thresholds are
/// the sums of 1, 1/2 to 1/9, of the sum to 1/10.
const INSERT_TASKS: &str = concat!(
    "insert into tasks (user_id, title, description, status, priority, created_at, updated_at)
select ",
    user_id!("owner"),
    ",
       'Task ' || lpad(number::text, 10, '0') || ' for tomorrow',
       case when chance < 0.5 then repeat('More about it. ', 1 + (chance * 16)::int4) end,
       case when number % 10 < 3 then 'complete' else 'incomplete' end,
       (array['low', 'medium', 'medium', 'high'])[1 + (number / 10) % 4],
       moment, moment
  from (select number, random() as chance,
               now() - interval '1 year' * (1 - number::float8 / $3::int4) as moment,
               case when random() < 0.01 then 1
                    else 1 + 10 * floor(random() * ($4::int4 / 10))::int4
                           + width_bucket(random(), array[0.3414, 0.5121, 0.6259, 0.7113, 0.7796,
                                                          0.8365, 0.8852, 0.9279, 0.9659])
               end as owner
          from generate_series($1::int4, $2::int4) as number
        offset 0) as drawn"
);

/// A key for each of the newest hundredth of the tasks.
const INSERT_KEYS: &str = "\
insert into idempotency_keys (user_id, key, fingerprint, task_id, created_at)
select user_id, gen_random_uuid()::text, sha256(title::bytea), id, now()
  from tasks
 order by id desc
 limit $1::int4";

/// Adds users, tasks and keys to an empty database.
pub(crate) async fn fill(database: &Client, size: Size) -> anyhow::Result<()> {
    let (tasks, users) = (i32::try_from(size.tasks)?, i32::try_from(size.users)?);
    // Each time the same. That users are there is known, and need not be looked up for each task.
    let settings = "select setseed(0.5); set session_replication_role = replica";
    database.batch_execute(settings).await.context("set the session up")?;
    database.execute(INSERT_USERS, &[&users]).await.context("add users")?;
    let is_large = size.tasks > MOST_WITH_INDEXES;
    let indexes = if is_large { drop_indexes(database).await? } else { Vec::new() };
    let insert = database.prepare(INSERT_TASKS).await.context("prepare tasks")?;
    for first in (1..=size.tasks).step_by(usize::try_from(BATCH)?) {
        let last = (first + BATCH - 1).min(size.tasks);
        let (first, last) = (i32::try_from(first)?, i32::try_from(last)?);
        database.execute(&insert, &[&first, &last, &tasks, &users]).await.context("add tasks")?;
        if size.tasks > BATCH {
            progress(&format!("added {last} of {tasks} tasks"));
        }
    }
    for index in indexes {
        progress(&index);
        database.batch_execute(&index).await.context("build an index")?;
    }
    database.execute(INSERT_KEYS, &[&(tasks / 100)]).await.context("add keys")?;
    let tidy = "reset session_replication_role; vacuum (analyze) users, tasks, idempotency_keys; checkpoint";
    for statement in tidy.split("; ") {
        database.batch_execute(statement).await.context("tidy the tables")?;
    }
    Ok(())
}

/// Drops the indexes of tasks that no constraint needs. Returns the statements that build them again.
async fn drop_indexes(database: &Client) -> anyhow::Result<Vec<String>> {
    let statement = "select indexrelid::regclass::text, pg_get_indexdef(indexrelid)
  from pg_index
 where indrelid = 'tasks'::regclass and not indisunique";
    let rows = database.query(statement, &[]).await.context("list indexes")?;
    for row in &rows {
        let name: String = row.get(0);
        database.batch_execute(&format!("drop index {name}")).await.context("drop an index")?;
    }
    Ok(rows.iter().map(|row| row.get(1)).collect())
}

/// The ids of the users from one number to another.
pub(crate) async fn users(database: &Client, from: u32, to: u32) -> anyhow::Result<Vec<String>> {
    let statement = concat!(
        "select ",
        user_id!("number"),
        " from generate_series($1::int4, $2::int4) as number order by number"
    );
    let range = (i32::try_from(from)?, i32::try_from(to)?);
    let rows = database.query(statement, &[&range.0, &range.1]).await.context("list users")?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}
