//! Waiting by the host's timers.
//!
//! To start a timer and to cancel it costs the host a tenth of a request that asks the database, and nearly every wait
//! is cancelled. So in a busy instance one request stays after its response as the watcher of the others, with one timer
//! for all: their time limits ([`time_limit`]) read streams, which it ends when their time is over. That costs a quarter
//! of a timer.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use spin_sdk::wasip3::clocks::monotonic_clock;
use spin_sdk::wasip3::wit_bindgen::{StreamReader, StreamWriter};
use spin_sdk::wasip3::wit_stream;

use super::waits::Waits;
use super::worker;

/// The longest wait, because the sum of a time and a very long duration is a panic.
const LONGEST: Duration = Duration::from_hours(24);

/// A wait that is watched ends when its writer is dropped. One request can wake another one only through a stream, and
/// within a component only through one of numbers; none is ever sent.
static WAITS: Mutex<Waits<StreamWriter<u8>>> = Mutex::new(Waits::new());

/// Waits so long, by a timer of its own.
pub async fn wait(duration: Duration) {
    monotonic_clock::wait_for(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)).await;
}

/// Waits so long; for a wait that nearly always is given up before. Not for the body of a request: many of these end at
/// the same moment, the heads of their responses can be sent before their bodies then, and a connection that is closed
/// before the request was read loses the second packet.
pub async fn time_limit(duration: Duration) {
    let registration = Registration::new();
    let mut left = duration.min(LONGEST);
    let end = Instant::now() + left;
    while !left.is_zero() {
        match registration.watched_until(end) {
            Some(mut signal) => {
                signal.read(Vec::with_capacity(1)).await;
                // The watcher may have ended others too: the host has to be quiet again before the response.
                worker::left();
            }
            None => wait(left).await,
        }
        left = end.saturating_duration_since(Instant::now());
    }
}

/// To be called when all is done for a request: watches over the others if they need it.
pub(super) async fn watch() {
    if !lock().request_done() {
        return;
    }
    let _watch = Watch;
    loop {
        let now = Instant::now();
        let Some(next) = lock().check(now) else { return };
        wait(next.saturating_duration_since(now)).await;
    }
}

/// An instance has one thread, so nobody can have left it locked.
fn lock() -> MutexGuard<'static, Waits<StreamWriter<u8>>> {
    WAITS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A wait that is counted until it is over or given up: its number.
struct Registration(u64);

impl Registration {
    fn new() -> Self {
        Self(lock().begin())
    }

    /// A stream that the watcher ends then; none if the wait needs a timer of its own.
    fn watched_until(&self, end: Instant) -> Option<StreamReader<u8>> {
        let mut waits = lock();
        waits.are_watched_until(end).then(|| {
            let (signal, stream) = wit_stream::new();
            waits.watch(self.0, end, signal);
            stream
        })
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        lock().end(self.0);
    }
}

/// The watcher, until it leaves.
struct Watch;

impl Drop for Watch {
    fn drop(&mut self) {
        lock().leave();
    }
}
