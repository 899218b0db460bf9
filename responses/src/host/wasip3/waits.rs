//! The waits of an instance, and when its watcher looks after them.

use std::mem;
use std::time::{Duration, Instant};

/// The watcher looks at least so often whether there is still anything to watch: so much longer an instance lives.
const TICK: Duration = Duration::from_millis(100);

/// Requests of an instance before there is a watcher: one for a few requests, or for one, ends with its last response.
const UNWATCHED: u32 = 8;

/// The waits of now. A sleeper wakes when its `Bell` is dropped.
pub(super) struct Waits<Bell> {
    /// Number of the latest wait.
    latest: u64,
    /// Number of waits, with the sleepers.
    count: usize,
    /// True if a wait began since the watcher looked.
    is_busy: bool,
    /// Requests that are done; at most one more than [`UNWATCHED`].
    served: u32,
    /// When the watcher looks next; none without a watcher.
    next_look: Option<Instant>,
    sleepers: Vec<Sleeper<Bell>>,
}

struct Sleeper<Bell> {
    number: u64,
    end: Instant,
    #[expect(dead_code, reason = "to be dropped")]
    bell: Bell,
}

impl<Bell> Waits<Bell> {
    pub(super) const fn new() -> Self {
        Self {
            latest: 0,
            count: 0,
            is_busy: false,
            served: 0,
            next_look: None,
            sleepers: Vec::new(),
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
        self.sleepers.retain(|sleeper| sleeper.number != number);
    }

    /// True if the watcher looks at that time, or earlier.
    pub(super) fn are_watched_until(&self, end: Instant) -> bool {
        self.next_look.is_some_and(|look| look <= end)
    }

    /// A wait sleeps until the watcher wakes it.
    pub(super) fn sleep(&mut self, number: u64, end: Instant, bell: Bell) {
        self.sleepers.push(Sleeper { number, end, bell });
    }

    /// A request is done: true if it is to be the watcher, and look at once.
    pub(super) fn needs_watcher(&mut self) -> bool {
        self.served = (self.served + 1).min(UNWATCHED + 1);
        self.next_look.is_none() && self.count > 0 && self.served > UNWATCHED
    }

    /// Wakes those whose time is over, and says when to look next; never, if there is nothing to watch any more.
    pub(super) fn look(&mut self, now: Instant) -> Option<Instant> {
        self.sleepers.retain(|sleeper| sleeper.end > now);
        let was_busy = mem::take(&mut self.is_busy);
        let first_end = self.sleepers.iter().map(|sleeper| sleeper.end).min();
        let is_needed = was_busy || first_end.is_some();
        let tick = now + TICK;
        self.next_look = is_needed.then(|| first_end.map_or(tick, |end| end.min(tick)));
        self.next_look
    }

    /// The watcher leaves: wakes all, which wait by timers of their own then.
    pub(super) fn leave(&mut self) {
        self.next_look = None;
        self.sleepers.clear();
    }
}

#[cfg(test)]
mod tests {
    use std::rc::{Rc, Weak};
    use std::time::{Duration, Instant};

    use super::{TICK, UNWATCHED, Waits};

    /// A sleeper's end of its bell.
    fn sleep(waits: &mut Waits<Rc<()>>, end: Instant) -> (u64, Weak<()>) {
        let (number, bell) = (waits.begin(), Rc::new(()));
        let sleeper = Rc::downgrade(&bell);
        waits.sleep(number, end, bell);
        (number, sleeper)
    }

    fn is_awake(sleeper: &Weak<()>) -> bool {
        sleeper.strong_count() == 0
    }

    /// Waits with a watcher that has just looked.
    fn watched(now: Instant) -> Waits<Rc<()>> {
        let mut waits = Waits::new();
        waits.begin();
        while !waits.needs_watcher() {}
        assert_eq!(waits.look(now), Some(now + TICK));
        waits
    }

    #[test]
    fn only_a_busy_instance_has_a_watcher_and_only_one() {
        let mut waits = Waits::<()>::new();
        let number = waits.begin();
        for _ in 0..UNWATCHED {
            assert!(!waits.needs_watcher(), "after a few requests");
        }
        waits.end(number);
        assert!(!waits.needs_watcher(), "for nobody");
        waits.begin();
        assert!(waits.needs_watcher());
        waits.look(Instant::now());
        assert!(!waits.needs_watcher(), "a second one");
    }

    #[test]
    fn those_whose_time_is_over_are_woken_then() {
        let now = Instant::now();
        let mut waits = watched(now);
        let (first, last) = (now + TICK * 3 / 2, now + TICK * 10);
        assert!(!waits.are_watched_until(now + TICK / 2), "before the watcher looks");
        assert!(waits.are_watched_until(now + TICK));
        let (_, one) = sleep(&mut waits, last);
        let (_, other) = sleep(&mut waits, first);
        assert_eq!(waits.look(now + TICK), Some(first));
        assert!(!is_awake(&one) && !is_awake(&other));
        assert_eq!(waits.look(first), Some(first + TICK));
        assert!(!is_awake(&one) && is_awake(&other));
        assert_eq!(waits.look(last + Duration::from_secs(1)), None);
        assert!(is_awake(&one));
    }

    #[test]
    fn a_watcher_leaves_when_there_is_nothing_to_watch() {
        let now = Instant::now();
        let mut waits = watched(now);
        let (number, _) = sleep(&mut waits, now + TICK * 10);
        assert!(waits.look(now + TICK).is_some(), "somebody sleeps");
        waits.end(number);
        assert_eq!(waits.look(now + TICK * 2), None);
        assert!(!waits.are_watched_until(now + TICK * 10));
        assert!(waits.needs_watcher(), "the wait that has a timer of its own");
    }

    #[test]
    fn nobody_sleeps_on_without_a_watcher() {
        let now = Instant::now();
        let mut waits = watched(now);
        let (_, sleeper) = sleep(&mut waits, now + TICK * 10);
        waits.leave();
        assert!(is_awake(&sleeper));
        assert!(!waits.are_watched_until(now + TICK * 10));
    }
}
