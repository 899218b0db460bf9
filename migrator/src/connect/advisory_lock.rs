//! One migrator at a time: a session-level advisory lock, taken before the history is read.
//!
//! PostgreSQL releases it when the session ends, however it ends. It does not survive a transaction
//! pooler, which is why migrations run on the direct connection.

use std::time::{Duration, Instant};

use tokio::time::{sleep, timeout};
use tokio_postgres::types::Type;
use tokio_postgres::{Client, GenericClient};

use crate::connect::backoff;
use crate::error::Error;
use crate::model::{Event, LockHolder};

/// The key of the advisory lock, per database: `TASKIE` in ASCII, then 1, which is
/// 6071225355489050625. To look for it by hand: `select * from pg_locks where locktype = 'advisory'
/// and classid = 1413567307 and objid = 1229258753`.
pub const LOCK_KEY: i64 = 0x5441_534B_4945_0001;

/// The halves in which `pg_locks` shows a 64-bit key.
const UPPER: i64 = LOCK_KEY >> 32;
const LOWER: i64 = LOCK_KEY & 0xFFFF_FFFF;

/// The first and the longest pause between two attempts to take the lock.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

/// True if there was a lock to release. Through a pooler, the server session of the moment is asked. `$1` the key, `$2` and `$3` its halves.
const UNLOCK: &str = "\
select pg_catalog.pg_advisory_unlock($1)
  from pg_catalog.pg_locks
 where pid = pg_catalog.pg_backend_pid()
   and locktype = 'advisory' and classid::int8 = $2 and objid::int8 = $3 and objsubid = 1
   and granted";

/// For how long the release of a lock may take: the end of the session releases it as well.
const PATIENCE: Duration = Duration::from_secs(1);

const TRY_LOCK: &str = "select pg_try_advisory_lock($1), pg_backend_pid()";

const OWN_PROCESS: &str = "select pg_catalog.pg_backend_pid()";

/// A 64-bit key is shown in two halves, with `objsubid` 1. `$1` the upper, `$2` the lower.
const FIND_HOLDER: &str = "\
select lock.pid, nullif(activity.application_name, '')
  from pg_locks as lock
  left join pg_stat_activity as activity on activity.pid = lock.pid
 where lock.locktype = 'advisory'
   and lock.database = (select oid from pg_database where datname = current_database())
   and lock.classid::int8 = $1 and lock.objid::int8 = $2 and lock.objsubid = 1
   and lock.granted
 limit 1";

/// True if this session holds the lock. `$1` the upper half of the key, `$2` the lower.
const IS_HELD: &str = "\
select exists (
  select from pg_catalog.pg_locks
   where pid = pg_catalog.pg_backend_pid()
     and locktype = 'advisory' and classid::int8 = $1 and objid::int8 = $2 and objsubid = 1
     and granted
)";

/// True if the session still holds the lock. False through a pooler that gives each transaction to
/// another session.
pub(crate) async fn is_held(client: &impl GenericClient) -> Result<bool, tokio_postgres::Error> {
    let row =
        client.query_typed_one(IS_HELD, &[(&UPPER, Type::INT8), (&LOWER, Type::INT8)]).await?;
    Ok(row.get(0))
}

/// The server process of a session.
pub(crate) async fn own_process(client: &Client) -> Result<i32, tokio_postgres::Error> {
    Ok(client.query_typed_one(OWN_PROCESS, &[]).await?.get(0))
}

/// Takes the lock, asking again until `wait` is over rather than waiting inside a statement: a
/// session that waits inside one would hold back `create index concurrently` elsewhere. Returns the
/// server process that holds it.
pub(crate) async fn acquire(
    client: &Client,
    wait: Duration,
    on_event: &mut (dyn FnMut(Event) + Send),
) -> Result<i32, Error> {
    let query = |source| Error::Query { action: "lock out other migrators", source };
    let start = Instant::now();
    let mut attempts = 0;
    loop {
        let locked =
            client.query_typed_one(TRY_LOCK, &[(&LOCK_KEY, Type::INT8)]).await.map_err(query)?;
        if locked.get(0) {
            return Ok(locked.get(1));
        }
        if start.elapsed() >= wait {
            return Err(Error::Locked {
                holder: find_holder(client).await?,
                waited: start.elapsed(),
            });
        }
        attempts += 1;
        if attempts == 1 {
            on_event(Event::WaitingForLock { holder: find_holder(client).await?, wait });
        }
        let pause = backoff::pause(attempts, FIRST_PAUSE, LONGEST_PAUSE);
        sleep(pause.min(wait.saturating_sub(start.elapsed()))).await;
    }
}

/// Releases the lock, as far as that is possible: a pooler keeps the session, and with it a lock that
/// would keep others waiting.
pub(crate) async fn release(client: &Client) {
    let parameters =
        [(&LOCK_KEY as _, Type::INT8), (&UPPER as _, Type::INT8), (&LOWER as _, Type::INT8)];
    let _ = timeout(PATIENCE, client.query_typed(UNLOCK, &parameters)).await;
}

/// The session that holds the lock, if it is another one.
pub(crate) async fn find_other_holder(client: &Client) -> Result<Option<LockHolder>, Error> {
    let held = is_held(client)
        .await
        .map_err(|source| Error::Query { action: "read who holds the migration lock", source })?;
    if held { Ok(None) } else { find_holder(client).await }
}

/// The lock holder, or `None` if it was just released.
async fn find_holder(client: &Client) -> Result<Option<LockHolder>, Error> {
    let row = client
        .query_typed_opt(FIND_HOLDER, &[(&UPPER, Type::INT8), (&LOWER, Type::INT8)])
        .await
        .map_err(|source| Error::Query { action: "read who holds the migration lock", source })?;
    Ok(row.map(|row| LockHolder { pid: row.get(0), application_name: row.get(1) }))
}

#[cfg(test)]
mod tests {
    use super::{LOCK_KEY, LOWER, UPPER};

    #[test]
    fn the_documented_halves_of_the_key_are_right() {
        assert_eq!((UPPER, LOWER), (1_413_567_307, 1_229_258_753));
        assert_eq!(&LOCK_KEY.to_be_bytes()[..6], b"TASKIE");
    }
}
