//! The host's timer.

use std::time::Duration;

use spin_sdk::wasip3::clocks::monotonic_clock;

/// Waits so long.
pub async fn wait(duration: Duration) {
    let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
    monotonic_clock::wait_for(nanos).await;
}
