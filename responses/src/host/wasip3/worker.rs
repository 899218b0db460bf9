//! The host's worker threads. An instance runs on one of them; some calls to the host take it off and
//! wake other threads up, and then the head of a response can be sent before its body is there: the
//! client gets two packets, and waits 42 ms for the second one where it reuses the connection. Once
//! the instance has waited for something outside, its host is quiet again.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::clock::wait;

/// The shortest timer. Spin takes 1.3 ms for it, the resolution of its timers. Yielding is not enough:
/// it wakes other threads.
const TICK: Duration = Duration::from_nanos(1);

/// True while this instance may be off its worker thread.
static OFF: AtomicBool = AtomicBool::new(false);

/// To be called after a call that takes the instance off: Spin reads variables and the key-value store
/// while it blocks the thread. Also when a response is written in pieces, whose end other threads handle.
pub fn left() {
    OFF.store(true, Ordering::Relaxed);
}

/// To be called after the instance has waited for something outside the host, such as a database.
pub fn waited() {
    OFF.store(false, Ordering::Relaxed);
}

/// To be called before a response is handed out: waits for a moment where nothing else was waited for.
pub(super) async fn settle() {
    if OFF.load(Ordering::Relaxed) {
        wait(TICK).await;
        waited();
    }
}
