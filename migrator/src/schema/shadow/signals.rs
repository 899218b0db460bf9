//! Ctrl-C and other signals to end, which must not leave a database behind.

#[cfg(unix)]
use futures::StreamExt as _;
#[cfg(unix)]
use futures::stream::FuturesUnordered;
#[cfg(unix)]
use tokio::signal::unix::{SignalKind, signal};

use crate::error::Signal;

/// Listens for requests to end, from the call on: they do not end the process by themselves any more.
/// `None` if there is nothing to listen for.
#[cfg(unix)]
pub(super) fn listen() -> impl Future<Output = Option<Signal>> {
    let kinds = [
        (Signal::Hangup, SignalKind::hangup()),
        (Signal::Interrupt, SignalKind::interrupt()),
        (Signal::Terminate, SignalKind::terminate()),
    ];
    // A signal without a listener ends the process, and the next run cleans up.
    let streams = kinds.into_iter().filter_map(|(name, kind)| Some((name, signal(kind).ok()?)));
    let mut signals: FuturesUnordered<_> = streams
        .map(|(name, mut stream)| async move { stream.recv().await.map(|()| name) })
        .collect();
    async move { signals.next().await.flatten() }
}

/// Listens for Ctrl-C, which does not end the process by itself any more.
#[cfg(not(unix))]
pub(super) async fn listen() -> Option<Signal> {
    tokio::signal::ctrl_c().await.ok().map(|()| Signal::Interrupt)
}
