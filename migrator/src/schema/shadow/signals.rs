//! Ctrl-C and other signals to end, which must not leave a database behind.

use std::future::pending;

#[cfg(unix)]
use tokio::signal::unix::{Signal as Stream, SignalKind, signal};

use crate::error::Signal;

/// Listens for requests to end. From then on they do not end the process by themselves.
#[cfg(unix)]
pub(super) struct SignalListener {
    streams: Vec<(Signal, Stream)>,
}

#[cfg(unix)]
impl SignalListener {
    pub(super) fn listen() -> Self {
        let kinds = [
            (Signal::Hangup, SignalKind::hangup()),
            (Signal::Interrupt, SignalKind::interrupt()),
            (Signal::Terminate, SignalKind::terminate()),
        ];
        // What cannot be listened for ends the process as ever, and the next run cleans up.
        let streams = kinds.into_iter().filter_map(|(name, kind)| Some((name, signal(kind).ok()?)));
        Self { streams: streams.collect() }
    }

    pub(super) async fn wait(&mut self) -> Signal {
        if self.streams.is_empty() {
            return pending().await;
        }
        let streams = self.streams.iter_mut().map(|(name, stream)| {
            Box::pin(async move {
                stream.recv().await;
                *name
            })
        });
        futures::future::select_all(streams).await.0
    }
}

/// Listens for Ctrl-C. From then on it does not end the process by itself.
#[cfg(not(unix))]
pub(super) struct SignalListener;

#[cfg(not(unix))]
impl SignalListener {
    pub(super) fn listen() -> Self {
        Self
    }

    pub(super) async fn wait(&mut self) -> Signal {
        match tokio::signal::ctrl_c().await {
            Ok(()) => Signal::Interrupt,
            Err(_) => pending().await,
        }
    }
}
