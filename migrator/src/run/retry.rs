//! Retries after a lock timeout or a deadlock.

use std::time::{Duration, Instant};

use tokio_postgres::error::{DbError, SqlState};

use crate::connect::backoff;
use crate::model::RetryReason;

/// The first and the longest pause.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Reason to retry, if the same script may succeed then.
pub(crate) fn reason(error: &tokio_postgres::Error) -> Option<RetryReason> {
    let cause = error.as_db_error()?;
    if *cause.code() == SqlState::T_R_DEADLOCK_DETECTED {
        return Some(RetryReason::Deadlock);
    }
    (*cause.code() == SqlState::LOCK_NOT_AVAILABLE && is_timeout(cause))
        .then_some(RetryReason::LockTimeout)
}

/// A `nowait` of the script has the same code. Messages are translated; the place in PostgreSQL's
/// source is not: a time limit is noticed where interrupts are.
fn is_timeout(cause: &DbError) -> bool {
    match cause.routine() {
        Some(routine) => routine == "ProcessInterrupts",
        None => cause.message().contains("lock timeout"),
    }
}

/// Pause before retry number `retry`, from 1.
pub(crate) fn pause(retry: u32) -> Duration {
    backoff::pause(retry, FIRST_PAUSE, LONGEST_PAUSE)
}

/// Number of attempts as text, if there was more than one.
pub(crate) fn tried(retries: u32, start: Instant) -> Option<String> {
    let seconds = start.elapsed().as_secs_f64();
    (retries > 0).then(|| format!("tried {} times in {seconds:.1} s", retries + 1))
}
