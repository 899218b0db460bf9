//! Lets one request of an instance work while the others wait for its result.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use responses::time::pause;

/// A waiting request's first pause, which doubles up to the longest one. Each is a timer of the host, and
/// hundreds of requests may wait for seconds.
const FIRST_PAUSE: Duration = Duration::from_millis(5);
const LONGEST_PAUSE: Duration = Duration::from_millis(100);

/// Gives a permit to one request of the instance at a time.
pub(crate) struct SingleFlight(AtomicBool);

/// The permit; dropping it lets the next request have one.
pub(crate) struct Permit<'a>(&'a AtomicBool);

/// The pauses of one waiting request.
pub(crate) struct Pauses(Duration);

impl SingleFlight {
    pub(crate) const fn new() -> Self {
        Self(AtomicBool::new(false))
    }

    /// Waits for the permit by polling. A lock would wake the next in line, which is another request
    /// and so another task of the host, which a waker of Rust cannot wake: the instance would end in a
    /// trap. The holder must work within a limit of time.
    pub(crate) async fn acquire(&self) -> Permit<'_> {
        self.acquire_with(pause).await
    }

    async fn acquire_with(&self, pause: impl AsyncFn(Duration)) -> Permit<'_> {
        let mut pauses = Pauses::new();
        loop {
            match self.try_acquire() {
                Some(permit) => return permit,
                None => pause(pauses.next()).await,
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

impl Pauses {
    pub(crate) const fn new() -> Self {
        Self(FIRST_PAUSE)
    }

    /// The next pause: each is twice as long as the one before, up to a tenth of a second.
    pub(crate) fn next(&mut self) -> Duration {
        let pause = self.0;
        self.0 = (pause * 2).min(LONGEST_PAUSE);
        pause
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::time::Duration;

    use futures::executor::block_on;

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

    #[test]
    fn a_request_that_waits_for_long_sets_few_timers() {
        const TIME: Duration = Duration::from_secs(10);
        let single_flight = SingleFlight::new();
        let first = Mutex::new(single_flight.try_acquire());
        let pauses = Mutex::new(Vec::new());
        let wait = async |pause: Duration| {
            let mut pauses = pauses.lock().expect("not poisoned");
            pauses.push(pause);
            if pauses.iter().sum::<Duration>() >= TIME {
                *first.lock().expect("not poisoned") = None;
            }
        };
        drop(block_on(single_flight.acquire_with(wait)));
        let pauses: Vec<_> =
            pauses.lock().expect("not poisoned").iter().map(Duration::as_millis).collect();
        assert_eq!(pauses[..7], [5, 10, 20, 40, 80, 100, 100]);
        assert!(pauses.len() <= 105, "{pauses:?}");
    }
}
