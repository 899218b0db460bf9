//! Waiting by the host's clock: the host sets no limit to anything that it does for a component.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use futures::future::{Either, select};

pub use crate::host::{time_limit, wait as pause};

/// The future's value, or `None` when it takes longer than `limit`; it is cancelled then. The wait
/// only begins when the value is not there at once.
pub async fn within<F: Future>(limit: Duration, future: F) -> Option<F::Output> {
    match select(pin!(future), pin!(pause(limit))).await {
        Either::Left((value, _)) => Some(value),
        Either::Right(((), _)) => None,
    }
}
