//! Lets one request of an instance work while the others wait for its result.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use responses::time::pause;

/// Interval at which waiting requests try again.
const PAUSE: Duration = Duration::from_millis(5);

/// Gives a permit to one request of the instance at a time.
pub(crate) struct SingleFlight(AtomicBool);

/// The permit; dropping it lets the next request have one.
pub(crate) struct Permit<'a>(&'a AtomicBool);

impl SingleFlight {
    pub(crate) const fn new() -> Self {
        Self(AtomicBool::new(false))
    }

    /// Waits for the permit by polling. A lock would wake the next in line, which is another request
    /// and so another task of the host, and one task cannot wake another: the instance would end in a
    /// trap. The holder must work within a limit of time.
    pub(crate) async fn acquire(&self) -> Permit<'_> {
        loop {
            match self.try_acquire() {
                Some(permit) => return permit,
                None => pause(PAUSE).await,
            }
        }
    }

    /// The permit, if no request has it.
    pub(crate) fn try_acquire(&self) -> Option<Permit<'_>> {
        let is_free = !self.0.swap(true, Ordering::Acquire);
        // A permit that is created for nothing would free the one in use when it is dropped.
        is_free.then(|| Permit(&self.0))
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::SingleFlight;

    #[test]
    fn a_failed_attempt_frees_nothing() {
        let single_flight = SingleFlight::new();
        let first = single_flight.try_acquire();
        assert!(first.is_some());
        for _ in 0..3 {
            assert!(single_flight.try_acquire().is_none());
        }
        drop(first);
        assert!(single_flight.try_acquire().is_some());
    }
}
