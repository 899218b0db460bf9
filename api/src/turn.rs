//! One request at a time, within an instance.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use responses::time::pause;

/// How often those who wait look again.
const PAUSE: Duration = Duration::from_millis(5);

/// Lets one request at a time do something that others of the instance would otherwise do as well.
pub(crate) struct Turns(AtomicBool);

/// A request's turn; the next one's begins when this is dropped.
pub(crate) struct Turn<'a>(&'a AtomicBool);

impl Turns {
    pub(crate) const fn new() -> Self {
        Self(AtomicBool::new(false))
    }

    /// Waits for the turn, by looking again and again. A lock would wake the next in line, which is
    /// another request and so another task of the host, and one task cannot wake another: the
    /// instance would end in a trap. Whoever has the turn has to have a limit of time.
    pub(crate) async fn next(&self) -> Turn<'_> {
        loop {
            match self.try_next() {
                Some(turn) => return turn,
                None => pause(PAUSE).await,
            }
        }
    }

    /// The turn, if nobody has it.
    pub(crate) fn try_next(&self) -> Option<Turn<'_>> {
        (!self.0.swap(true, Ordering::Acquire)).then_some(Turn(&self.0))
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}
