//! Waits for a condition, never for a fixed time.

use std::time::{Duration, Instant};

/// Time limit of a condition.
const PATIENCE: Duration = Duration::from_secs(30);

/// Polls until `condition` returns a value; panics with `what` after the time limit.
#[track_caller]
pub fn until<T>(what: &str, condition: impl AsyncFn() -> Option<T>) -> impl Future<Output = T> {
    until_within(PATIENCE, what, condition)
}

/// Like [`until`], with another time limit.
#[track_caller]
pub fn until_within<T>(
    limit: Duration,
    what: &str,
    condition: impl AsyncFn() -> Option<T>,
) -> impl Future<Output = T> {
    let caller = std::panic::Location::caller();
    async move {
        let deadline = Instant::now() + limit;
        loop {
            if let Some(value) = condition().await {
                return value;
            }
            assert!(Instant::now() < deadline, "{what}: not within {limit:?}, at {caller}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}
