//! Waiting by the host's clock: the host sets no limit to anything that it does for a component.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use futures::future::{Either, select};
use spin_sdk::wasip3::clocks::monotonic_clock;

/// The future's value, or `None` when it takes longer than `limit`; it is cancelled then. The host's
/// timer is only set when the value is not there at once.
pub async fn within<F: Future>(limit: Duration, future: F) -> Option<F::Output> {
    match select(pin!(future), pin!(pause(limit))).await {
        Either::Left((value, _)) => Some(value),
        Either::Right(((), _)) => None,
    }
}

/// Waits so long.
pub async fn pause(duration: Duration) {
    let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
    monotonic_clock::wait_for(nanos).await;
}
