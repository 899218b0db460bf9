//! The progress of a running script: elapsed time, and the server's progress views.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::time::{MissedTickBehavior, interval_at, sleep};
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use crate::connect::{self, ConnectOptions, Database};
use crate::model::{Event, ServerProgress};
use crate::run::step::Run;

/// Interval of the reports.
const PERIOD: Duration = Duration::from_secs(1);

/// For how long a script runs before a second connection is worth it.
const PATIENCE: Duration = Duration::from_secs(2);

/// Activity of a session, from the most precise source: description, completed amount, total amount, and
/// the session that it waits for. One statement for each report, so that no snapshot is held in between:
/// `create index concurrently` would wait for it. `$1` the server process.
const PROGRESS: &str = "\
with found (rank, doing, done, total, waits_for) as (
  select 1, phase,
         case when phase like 'waiting%' then lockers_done
              when phase like '%tuples%' then tuples_done else blocks_done end,
         case when phase like 'waiting%' then lockers_total
              when phase like '%tuples%' then tuples_total else blocks_total end,
         case when phase like 'waiting%' then current_locker_pid end
    from pg_catalog.pg_stat_progress_create_index where pid = $1
  union all
  select 2, 'vacuum: ' || phase, heap_blks_scanned, heap_blks_total, null
    from pg_catalog.pg_stat_progress_vacuum where pid = $1
  union all
  select 2, pg_catalog.lower(command) || ': ' || phase, heap_blks_scanned, heap_blks_total, null
    from pg_catalog.pg_stat_progress_cluster where pid = $1
  union all
  select 2, 'analyze: ' || phase, sample_blks_scanned, sample_blks_total, null
    from pg_catalog.pg_stat_progress_analyze where pid = $1
  union all
  select 2, pg_catalog.lower(command), bytes_processed, bytes_total, null
    from pg_catalog.pg_stat_progress_copy where pid = $1
  union all
  select 3, 'waiting for a lock', 0, 0, (pg_catalog.pg_blocking_pids(pid))[1]
    from pg_catalog.pg_stat_activity where pid = $1 and wait_event_type = 'Lock'
)
select doing, done::int8, total::int8, waits_for::int4 from found order by rank limit 1";

impl ServerProgress {
    fn of(row: &Row) -> Option<Self> {
        let (done, total): (Option<i64>, Option<i64>) =
            (row.try_get(1).ok()?, row.try_get(2).ok()?);
        let waits_for: Option<i32> = row.try_get(3).ok()?;
        Some(Self {
            doing: row.try_get(0).ok()?,
            percent: percent(done.unwrap_or(0), total.unwrap_or(0)),
            waits_for: waits_for.filter(|pid| *pid > 0),
        })
    }
}

/// None where there is nothing to be counted.
fn percent(done: i64, total: i64) -> Option<u8> {
    if total <= 0 {
        return None;
    }
    u8::try_from(i128::from(done.clamp(0, total)) * 100 / i128::from(total)).ok()
}

/// Reports every second, until it is dropped, for how long a script runs and what the server knows
/// about the process that runs it: that is read over a second connection, once it is worth one.
pub(super) async fn follow(database: &Database, pid: i32, run: &Run<'_>) {
    let start = Instant::now();
    let latest = Mutex::new(None);
    let report = async {
        let mut ticks = interval_at((start + PERIOD).into(), PERIOD);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let server = latest.lock().unwrap_or_else(PoisonError::into_inner).clone();
            run.report(Event::Running { elapsed: start.elapsed(), server });
        }
    };
    let read = async {
        sleep(PATIENCE).await;
        let options = ConnectOptions { wait: Duration::ZERO, ..database.options.clone() };
        let database = Database { url: database.url.direct(), options };
        // An error here does not affect the script.
        let Ok(connection) = connect::connect(&database, &mut |_| {}).await else { return };
        let set = |progress| *latest.lock().unwrap_or_else(PoisonError::into_inner) = progress;
        let parameters = [(&pid as _, Type::INT4)];
        while let Ok(row) = connection.client.query_typed_opt(PROGRESS, &parameters).await {
            set(row.as_ref().and_then(ServerProgress::of));
            sleep(PERIOD).await;
        }
        set(None);
    };
    let ((), ()) = tokio::join!(report, read);
}

#[cfg(test)]
mod tests {
    use super::{ServerProgress, percent};

    #[test]
    fn shares_are_whole_percents() {
        for (done, total, expected) in [
            (0, 0, None),
            (5, 0, None),
            (0, 7, Some(0)),
            (5, 7, Some(71)),
            (7, 7, Some(100)),
            (9, 7, Some(100)),
            (i64::MAX, i64::MAX, Some(100)),
        ] {
            assert_eq!(percent(done, total), expected, "{done} of {total}");
        }
    }

    #[test]
    fn progress_is_one_line() {
        let progress = |percent, waits_for| {
            ServerProgress { doing: "vacuum: scanning heap".to_owned(), percent, waits_for }
                .to_string()
        };
        assert_eq!(progress(None, None), "vacuum: scanning heap");
        assert_eq!(progress(Some(42), None), "vacuum: scanning heap, 42 %");
        assert_eq!(progress(None, Some(7)), "vacuum: scanning heap, held up by server process 7");
    }
}
