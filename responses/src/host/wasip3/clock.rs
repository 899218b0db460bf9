//! Waiting by the host's timers.
//!
//! To start a timer and to cancel it costs the host a tenth of a request that asks the database, and nearly every wait
//! is over before its limit. So in a busy instance one request stays after its response and watches over the others: it
//! has one timer for all, and wakes those whose time is over. To sleep until then costs a quarter of a timer.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use spin_sdk::wasip3::clocks::monotonic_clock;
use spin_sdk::wasip3::wit_bindgen::{StreamReader, StreamWriter};
use spin_sdk::wasip3::wit_stream;

use super::waits::Waits;

/// No wait is longer.
const LONGEST: Duration = Duration::from_hours(24);

/// A sleeper wakes when its writer is dropped: one request can wake another one only through a stream, and within a
/// component only a stream of numbers. None is ever sent.
static WAITS: Mutex<Waits<StreamWriter<u8>>> = Mutex::new(Waits::new());

/// Waits so long.
pub async fn wait(duration: Duration) {
    let place = Place::take();
    let mut left = duration.min(LONGEST);
    let end = Instant::now() + left;
    while !left.is_zero() {
        match place.sleep_until(end) {
            Some(mut bell) => drop(bell.read(Vec::with_capacity(1)).await),
            None => host_timer(left).await,
        }
        left = end.saturating_duration_since(Instant::now());
    }
}

/// To be called when all is done for a request: watches over the others if they need it.
pub(super) async fn watch() {
    if !lock().needs_watcher() {
        return;
    }
    let _watch = Watch;
    loop {
        let now = Instant::now();
        let Some(next) = lock().look(now) else { return };
        host_timer(next.saturating_duration_since(now)).await;
    }
}

async fn host_timer(duration: Duration) {
    monotonic_clock::wait_for(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)).await;
}

/// An instance has one thread, so nobody can have left it locked.
fn lock() -> MutexGuard<'static, Waits<StreamWriter<u8>>> {
    WAITS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The place of a wait among the others, until it is over or given up.
struct Place(u64);

impl Place {
    fn take() -> Self {
        Self(lock().begin())
    }

    /// What to sleep with if somebody watches.
    fn sleep_until(&self, end: Instant) -> Option<StreamReader<u8>> {
        let mut waits = lock();
        waits.are_watched_until(end).then(|| {
            let (bell, reader) = wit_stream::new();
            waits.sleep(self.0, end, bell);
            reader
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        lock().end(self.0);
    }
}

/// While it lives, somebody watches.
struct Watch;

impl Drop for Watch {
    fn drop(&mut self) {
        lock().leave();
    }
}
