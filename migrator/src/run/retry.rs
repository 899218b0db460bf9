//! Retries after a lock timeout or a deadlock.

use std::time::{Duration, Instant};

use tokio_postgres::error::{DbError, SqlState};

use crate::model::RetryReason;

/// The first pause; each is twice as long as the one before, up to the last.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Whether the same again may come to something else.
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

/// How long to wait before trying for the `retry`th time, counting from 1. With jitter, so that two
/// which met do not meet again.
pub(crate) fn pause(retry: u32) -> Duration {
    let doubled = FIRST_PAUSE.saturating_mul(1 << retry.saturating_sub(1).min(10));
    doubled.min(LONGEST_PAUSE).mul_f64(rand::random_range(0.8..1.2))
}

/// How often it was tried, where that was more than once.
pub(crate) fn tried(retries: u32, start: Instant) -> Option<String> {
    let seconds = start.elapsed().as_secs_f64();
    (retries > 0).then(|| format!("tried {} times in {seconds:.1} s", retries + 1))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::pause;

    #[test]
    fn pauses_become_longer_up_to_a_limit() {
        for (retry, seconds) in [(1, 0.5), (2, 1.0), (3, 2.0), (5, 8.0), (7, 30.0), (4000, 30.0)] {
            let expected = Duration::from_secs_f64(seconds);
            let pause = pause(retry);
            assert!(pause >= expected.mul_f64(0.79), "{retry}: {pause:?}");
            assert!(pause <= expected.mul_f64(1.21), "{retry}: {pause:?}");
        }
    }
}
