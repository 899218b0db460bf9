//! Waiting for a condition, never for a while.

use std::time::{Duration, Instant};

/// How long a condition may take to come true.
const PATIENCE: Duration = Duration::from_secs(30);

/// Asks again and again until `condition` gives a value; panics, naming `what`, when it never does.
#[track_caller]
pub fn until<T>(what: &str, condition: impl AsyncFn() -> Option<T>) -> impl Future<Output = T> {
    until_within(PATIENCE, what, condition)
}

/// The same for a condition that takes longer by its nature.
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
