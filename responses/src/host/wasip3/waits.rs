//! The waits of an instance, and when its watcher checks them.

use std::mem;
use std::time::{Duration, Instant};

/// The watcher checks at least so often whether it is still needed. An instance lives up to twice as long after its last
/// wait began.
const TICK: Duration = Duration::from_millis(100);

/// Requests of an instance before there is a watcher. An instance that serves fewer has none, and ends with its last
/// response.
const UNWATCHED: u32 = 8;

/// The waits of now. One that is watched ends when its `Signal` is dropped.
pub(super) struct Waits<Signal> {
    /// Number of the latest wait.
    latest: u64,
    /// How many there are, watched or with timers of their own.
    count: usize,
    /// True if a wait began since the watcher's last check.
    is_busy: bool,
    /// Requests that are done; at most one more than [`UNWATCHED`].
    served: u32,
    /// The watcher's next check; none without a watcher.
    next_check: Option<Instant>,
    watched: Vec<Watched<Signal>>,
}

struct Watched<Signal> {
    number: u64,
    end: Instant,
    #[expect(dead_code, reason = "to be dropped")]
    signal: Signal,
}

impl<Signal> Waits<Signal> {
    pub(super) const fn new() -> Self {
        Self {
            latest: 0,
            count: 0,
            is_busy: false,
            served: 0,
            next_check: None,
            watched: Vec::new(),
        }
    }

    /// A wait begins: gives its number.
    pub(super) fn begin(&mut self) -> u64 {
        self.latest += 1;
        self.count += 1;
        self.is_busy = true;
        self.latest
    }

    /// A wait is over, or was given up.
    pub(super) fn end(&mut self, number: u64) {
        self.count -= 1;
        self.watched.retain(|wait| wait.number != number);
    }

    /// True if the watcher's next check is at that time, or earlier.
    pub(super) fn are_watched_until(&self, end: Instant) -> bool {
        self.next_check.is_some_and(|check| check <= end)
    }

    /// Has the watcher end a wait then.
    pub(super) fn watch(&mut self, number: u64, end: Instant, signal: Signal) {
        self.watched.push(Watched { number, end, signal });
    }

    /// Counts a request that is done: true if it is to be the watcher, whose first check is at once.
    pub(super) fn request_done(&mut self) -> bool {
        self.served = (self.served + 1).min(UNWATCHED + 1);
        self.next_check.is_none() && self.count > 0 && self.served > UNWATCHED
    }

    /// Ends the waits whose time is over. Gives the time of the next check; none if the watcher is not needed any more.
    pub(super) fn check(&mut self, now: Instant) -> Option<Instant> {
        self.watched.retain(|wait| wait.end > now);
        let was_busy = mem::take(&mut self.is_busy);
        let first_end = self.watched.iter().map(|wait| wait.end).min();
        let is_needed = was_busy || first_end.is_some();
        let tick = now + TICK;
        self.next_check = is_needed.then(|| first_end.map_or(tick, |end| end.min(tick)));
        self.next_check
    }

    /// The watcher leaves: those that it watched need timers of their own.
    pub(super) fn leave(&mut self) {
        self.next_check = None;
        self.watched.clear();
    }
}

#[cfg(test)]
mod tests {
    use std::rc::{Rc, Weak};
    use std::time::{Duration, Instant};

    use super::{TICK, UNWATCHED, Waits};

    /// Adds a wait that is watched: its number, and what shows that it was ended.
    fn watch(waits: &mut Waits<Rc<()>>, end: Instant) -> (u64, Weak<()>) {
        let (number, signal) = (waits.begin(), Rc::new(()));
        let wait = Rc::downgrade(&signal);
        waits.watch(number, end, signal);
        (number, wait)
    }

    fn is_over(wait: &Weak<()>) -> bool {
        wait.strong_count() == 0
    }

    /// With a watcher that has just checked.
    fn with_watcher(now: Instant) -> Waits<Rc<()>> {
        let mut waits = Waits::new();
        waits.begin();
        while !waits.request_done() {}
        assert_eq!(waits.check(now), Some(now + TICK));
        waits
    }

    #[test]
    fn only_a_busy_instance_has_a_watcher_and_only_one() {
        let mut waits = Waits::<()>::new();
        let number = waits.begin();
        for _ in 0..UNWATCHED {
            assert!(!waits.request_done(), "after a few requests");
        }
        waits.end(number);
        assert!(!waits.request_done(), "for nobody");
        waits.begin();
        assert!(waits.request_done());
        waits.check(Instant::now());
        assert!(!waits.request_done(), "a second one");
    }

    #[test]
    fn waits_end_when_their_time_is_over() {
        let now = Instant::now();
        let mut waits = with_watcher(now);
        let (first, last) = (now + TICK * 3 / 2, now + TICK * 10);
        assert!(!waits.are_watched_until(now + TICK / 2), "before the next check");
        assert!(waits.are_watched_until(now + TICK));
        let (_, one) = watch(&mut waits, last);
        let (_, other) = watch(&mut waits, first);
        assert_eq!(waits.check(now + TICK), Some(first));
        assert!(!is_over(&one) && !is_over(&other));
        assert_eq!(waits.check(first), Some(first + TICK));
        assert!(!is_over(&one) && is_over(&other));
        assert_eq!(waits.check(last + Duration::from_secs(1)), None);
        assert!(is_over(&one));
    }

    #[test]
    fn a_watcher_leaves_when_there_is_nothing_to_watch() {
        let now = Instant::now();
        let mut waits = with_watcher(now);
        let (number, _) = watch(&mut waits, now + TICK * 10);
        assert!(waits.check(now + TICK).is_some(), "a wait is watched");
        waits.end(number);
        assert_eq!(waits.check(now + TICK * 2), None);
        assert!(!waits.are_watched_until(now + TICK * 10));
        assert!(waits.request_done(), "the wait that has a timer of its own");
    }

    #[test]
    fn no_wait_depends_on_a_watcher_that_has_left() {
        let now = Instant::now();
        let mut waits = with_watcher(now);
        let (_, wait) = watch(&mut waits, now + TICK * 10);
        waits.leave();
        assert!(is_over(&wait));
        assert!(!waits.are_watched_until(now + TICK * 10));
    }
}
