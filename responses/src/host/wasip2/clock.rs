//! The host's timer.

use std::time::Duration;

use wasi::clocks::monotonic_clock;

use super::poll::until;

/// Waits so long.
pub async fn wait(duration: Duration) {
    let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
    let end = monotonic_clock::now().saturating_add(nanos);
    let is_over = || (monotonic_clock::now() >= end).then_some(());
    until(is_over, || monotonic_clock::subscribe_instant(end)).await;
}
