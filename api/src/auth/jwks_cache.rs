//! The keys that an issuer publishes: fetched when they are needed, kept for ten minutes, fetched again
//! ahead of their end, and when a token names one that is not there yet.
//!
//! Instances are short-lived, so the set is in a store that they share: one of them fetches for all.
//! Each also has a copy of its own, and reads the store only when the copy is too old.

use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::algorithms::Algorithm;
use super::jwks_record::{CLAIM_MILLIS, INTERVAL_MILLIS, Record, is_recent};
use super::key_set::{Key, KeySet, Unavailable};
use crate::single_flight::{Pauses, SingleFlight};

/// Lifetime of a set from its request on, and so the longest time that a withdrawn key works while its
/// issuer can be reached.
const MAX_AGE_MILLIS: u64 = 10 * 60_000;

/// From this age on, one request fetches the set again after its own response was written.
const REFRESH_AGE_MILLIS: u64 = 9 * 60_000;

/// Lifetime of a set while its issuer goes on failing.
const MAX_STALE_MILLIS: u64 = 60 * 60_000;

/// Time after a failure in which a set past its age is used: as long as the issuer is not asked again. After it,
/// the issuer may have recovered, and have withdrawn a key, so it is asked before the set is used.
const EXCUSE_MILLIS: u64 = INTERVAL_MILLIS;

/// The same for all but the one that asks, while it asks: they do not wait for an issuer that still fails.
const EXCUSE_WHILE_ASKED_MILLIS: u64 = EXCUSE_MILLIS + CLAIM_MILLIS;

/// Maximum difference between the clocks of two hosts.
const CLOCK_SKEW_MILLIS: u64 = 60_000;

/// Limit of a request's wait for the fetch of another one.
const WAIT_MILLIS: u64 = 15_000;

/// Outside world of the cache.
pub(crate) trait Environment {
    /// Fetches the document, within a limit of time.
    fn fetch(&self) -> impl Future<Output = Result<String, Unavailable>> + Send;
    /// The time: milliseconds since 1970.
    fn now(&self) -> u64;
    /// A pause of a request that waits for the fetch of another one.
    fn pause(&self, pause: Duration) -> impl Future<Output = ()> + Send;
    /// Reads the record that all instances share.
    fn load(&self) -> impl Future<Output = Record> + Send;
    /// Changes what is known, unless `change` says no.
    fn update(
        &self,
        change: impl Fn(&mut Record) -> bool + Send + Sync,
    ) -> impl Future<Output = bool> + Send;
    /// Tells the operator.
    fn warn(&self, warning: String) -> impl Future<Output = ()> + Send;
}

/// The keys of one issuer.
pub(crate) struct JwksCache<E> {
    environment: E,
    copy: Mutex<Option<Fetched>>,
    /// One request of the instance at a time reads the store and fetches.
    single_flight: SingleFlight,
}

/// A set that was fetched.
#[derive(Clone)]
struct Fetched {
    set: Arc<KeySet>,
    /// When it was asked for.
    at: u64,
    /// Number of sets fetched so far, this one included.
    number: u64,
    /// When the issuer failed since, by the record that was read last.
    failed_at: Option<u64>,
}

/// Condition on a set: while the known one does not meet it, the issuer is asked for another.
#[derive(Clone, Copy)]
enum Need<'a> {
    Nothing,
    /// A key with this `kid`.
    Id(&'a str),
    /// A key for this algorithm.
    Algorithm(Algorithm),
    /// Another key than this one.
    Not(&'a Key),
}

impl<E: Environment> JwksCache<E> {
    pub(crate) fn new(environment: E) -> Self {
        Self { environment, copy: Mutex::new(None), single_flight: SingleFlight::new() }
    }

    /// The key for a token with this algorithm and `kid`. `Ok(None)` when the issuer has none.
    pub(super) async fn find(
        &self,
        id: Option<&str>,
        algorithm: Algorithm,
    ) -> Result<Option<Arc<Key>>, Unavailable> {
        let need = id.map_or(Need::Algorithm(algorithm), Need::Id);
        Ok(self.set_with(need).await?.find(id, algorithm))
    }

    /// The key that the issuer has in place of this one, for a token without `kid` that this one has
    /// not signed.
    pub(super) async fn find_other(&self, key: &Key) -> Result<Option<Arc<Key>>, Unavailable> {
        let found = self.set_with(Need::Not(key)).await?.find(None, key.public.algorithm());
        Ok(found.filter(|found| **found != *key))
    }

    /// True if the issuer still has this key.
    pub(super) async fn contains(&self, key: &Key) -> Result<bool, Unavailable> {
        Ok(self.set_with(Need::Nothing).await?.contains(key))
    }

    /// Fetches the set again when it nears its end, unless another request does. Called after the response
    /// was written, so that no client waits for it.
    pub(super) async fn refresh(&self) {
        let now = self.environment.now();
        let is_due = |fetched: &Fetched| {
            now.saturating_sub(fetched.at) >= REFRESH_AGE_MILLIS
                && !is_recent(fetched.failed_at, now, INTERVAL_MILLIS)
        };
        if !self.copy().as_ref().is_some_and(is_due) {
            return;
        }
        let Some(_permit) = self.single_flight.try_acquire() else { return };
        let record = self.environment.load().await;
        if self.newest(&record).as_ref().is_some_and(is_due)
            && self.environment.update(|newer| newer.claim(record.number, now)).await
        {
            // A failure is in the record and in the log.
            let _ = self.fetch(now, Need::Nothing).await;
        }
    }

    /// A set that may be used; fetched from the issuer if the current one does not meet the need.
    async fn set_with(&self, need: Need<'_>) -> Result<Arc<KeySet>, Unavailable> {
        let mut pauses = Pauses::new();
        loop {
            let now = self.environment.now();
            let copy = self.copy().clone();
            let usable = |excuse| copy.as_ref().filter(|copy| copy.is_usable(need, now, excuse));
            if let Some(copy) = usable(EXCUSE_MILLIS) {
                return Ok(Arc::clone(&copy.set));
            }
            if let Some(_permit) = self.single_flight.try_acquire() {
                return self.look_up(need).await;
            }
            if let Some(copy) = usable(EXCUSE_WHILE_ASKED_MILLIS) {
                return Ok(Arc::clone(&copy.set));
            }
            self.environment.pause(pauses.next()).await;
        }
    }

    /// The caller must hold the permit.
    async fn look_up(&self, need: Need<'_>) -> Result<Arc<KeySet>, Unavailable> {
        let started = self.environment.now();
        let mut pauses = Pauses::new();
        loop {
            let now = self.environment.now();
            let record = self.environment.load().await;
            let newest = self.newest(&record);
            let is_fetching = record.is_fetching(now);
            let excuse = if is_fetching { EXCUSE_WHILE_ASKED_MILLIS } else { EXCUSE_MILLIS };
            if let Some(newest) = newest.as_ref().filter(|set| set.is_usable(need, now, excuse)) {
                return Ok(Arc::clone(&newest.set));
            }
            let waits_too_long = now.saturating_sub(started) > WAIT_MILLIS;
            if is_fetching && !waits_too_long {
                self.environment.pause(pauses.next()).await;
                continue;
            }
            let is_search = newest.is_some_and(|newest| newest.counts_at(now));
            let seen = record.number;
            let is_claimed = self
                .environment
                .update(|newer| {
                    if is_search { newer.claim_search(seen, now) } else { newer.claim(seen, now) }
                })
                .await;
            if is_claimed && let Ok(fetched) = self.fetch(now, need).await {
                return Ok(fetched.set);
            }
            // The fetch failed, somebody else was quicker, or it is too soon.
            let record = self.environment.load().await;
            if !is_claimed && record.is_fetching(now) && !waits_too_long {
                continue;
            }
            let newest = self.newest(&record).filter(|newest| {
                newest.counts_at(now)
                    || newest.is_excused(now, EXCUSE_MILLIS)
                    || (is_claimed && newest.is_known_at(now))
            });
            return newest
                .map(|newest| newest.set)
                .ok_or_else(|| Unavailable(record.failure().unwrap_or("none yet").to_owned()));
        }
    }

    /// The caller must have claimed the fetch at `now`.
    async fn fetch(&self, now: u64, need: Need<'_>) -> Result<Fetched, Unavailable> {
        let fetched = self.environment.fetch().await.and_then(|document| {
            let set = KeySet::parse(document.as_bytes());
            let set = set.map_err(|error| Unavailable(format!("the answer {error}")))?;
            // The age counts from the question: the answer may have been on its way for a while.
            Ok((document, Arc::new(set)))
        });
        match fetched {
            Ok((document, set)) => {
                let mut fetched = Fetched { set, at: now, number: 0, failed_at: None };
                let in_vain = !fetched.meets(need, now);
                let number = AtomicU64::new(0);
                self.environment
                    .update(|record| {
                        record.fetched(&document, now, in_vain);
                        number.store(record.number, Ordering::Relaxed);
                        true
                    })
                    .await;
                fetched.number = number.into_inner();
                *self.copy() = Some(fetched.clone());
                Ok(fetched)
            }
            Err(failure) => {
                let ended = self.environment.now();
                self.environment
                    .update(|record| {
                        record.failed(&failure.0, ended);
                        true
                    })
                    .await;
                let age = self.copy().as_ref().map(|copy| ended.saturating_sub(copy.at) / 1_000);
                let what = match age {
                    Some(age) => {
                        format!("those of {age} s ago go on to count, for an hour at most")
                    }
                    None => "there are none yet".to_owned(),
                };
                let warning =
                    format!("the issuer's keys cannot be fetched ({}); {what}", failure.0);
                self.environment.warn(warning).await;
                Err(failure)
            }
        }
    }

    /// The newest set that this instance or another one has fetched.
    fn newest(&self, record: &Record) -> Option<Fetched> {
        let mut copy = self.copy();
        let is_newer = copy.as_ref().is_none_or(|copy| copy.number < record.number);
        if let Some(document) = record.document.as_ref().filter(|_| is_newer)
            && let Ok(set) = KeySet::parse(document.as_bytes())
        {
            let (at, number) = (record.fetched_at, record.number);
            *copy = Some(Fetched { set: Arc::new(set), at, number, failed_at: None });
        }
        if let Some(copy) = copy.as_mut() {
            copy.failed_at = record.failed_at;
        }
        copy.clone()
    }

    fn copy(&self) -> MutexGuard<'_, Option<Fetched>> {
        self.copy.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Fetched {
    fn counts_at(&self, now: u64) -> bool {
        self.is_younger_than(MAX_AGE_MILLIS, now)
    }

    /// True if a failure of its issuer can extend the set's lifetime.
    fn is_known_at(&self, now: u64) -> bool {
        self.is_younger_than(MAX_STALE_MILLIS, now)
    }

    /// True if the issuer's last failure, less than `excuse` milliseconds ago, extends the set's lifetime.
    fn is_excused(&self, now: u64, excuse: u64) -> bool {
        self.is_known_at(now) && is_recent(self.failed_at, now, excuse)
    }

    /// True if the issuer need not be asked before the set is used.
    fn is_usable(&self, need: Need<'_>, now: u64, excuse: u64) -> bool {
        if self.counts_at(now) { self.meets(need, now) } else { self.is_excused(now, excuse) }
    }

    fn is_younger_than(&self, millis: u64, now: u64) -> bool {
        self.at <= now + CLOCK_SKEW_MILLIS && now.saturating_sub(self.at) < millis
    }

    /// True if the set meets the need. A set that was just fetched is not fetched again: forged tokens could
    /// name any key.
    fn meets(&self, need: Need<'_>, now: u64) -> bool {
        match need {
            Need::Nothing => true,
            Need::Id(id) => self.set.knows(id),
            Need::Algorithm(algorithm) => self.set.has_for(algorithm),
            Need::Not(key) => !self.set.contains(key) || self.is_younger_than(INTERVAL_MILLIS, now),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::future::poll_fn;
    use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
    use std::sync::{Arc, Mutex};
    use std::task::Poll;
    use std::time::Duration;

    use futures::channel::oneshot;
    use futures::executor::block_on;
    use futures::future::join_all;
    use futures::join;
    use serde_json::json;

    use super::{Environment, JwksCache};
    use crate::auth::algorithms::Algorithm;
    use crate::auth::jwks_record::Record;
    use crate::auth::key_set::{Key, Unavailable};

    const MINUTE: u64 = 60;

    /// An issuer, a store and a clock in the hands of a test. The last answer is given again and
    /// again.
    struct World {
        answers: Mutex<VecDeque<Option<Vec<&'static str>>>>,
        fetches: AtomicUsize,
        now: AtomicU64,
        record: Mutex<Record>,
        /// An outdated record that the next reader gets.
        outdated: Mutex<Option<Record>>,
        warnings: Mutex<Vec<String>>,
        /// Holds the next fetch back until it is opened.
        gate: Mutex<Option<oneshot::Receiver<()>>>,
    }

    impl Environment for Arc<World> {
        async fn fetch(&self) -> Result<String, Unavailable> {
            self.fetches.fetch_add(1, Ordering::Relaxed);
            let gate = self.gate.lock().expect("not poisoned").take();
            if let Some(gate) = gate {
                gate.await.expect("a gate that is opened");
            }
            let mut answers = self.answers.lock().expect("not poisoned");
            let answer =
                if answers.len() > 1 { answers.pop_front() } else { answers.front().cloned() };
            match answer.flatten() {
                Some(ids) => Ok(document_of(&ids)),
                None => Err(Unavailable("down".to_owned())),
            }
        }

        fn now(&self) -> u64 {
            self.now.load(Ordering::Relaxed)
        }

        async fn pause(&self, _: Duration) {
            let mut paused = false;
            poll_fn(|context| {
                context.waker().wake_by_ref();
                if std::mem::replace(&mut paused, true) { Poll::Ready(()) } else { Poll::Pending }
            })
            .await;
        }

        async fn load(&self) -> Record {
            let outdated = self.outdated.lock().expect("not poisoned").take();
            outdated.unwrap_or_else(|| self.record.lock().expect("not poisoned").clone())
        }

        async fn update(&self, change: impl Fn(&mut Record) -> bool + Send + Sync) -> bool {
            let mut record = self.record.lock().expect("not poisoned");
            let mut copy = record.clone();
            let is_changed = change(&mut copy);
            if is_changed {
                *record = copy;
            }
            is_changed
        }

        async fn warn(&self, warning: String) {
            self.warnings.lock().expect("not poisoned").push(warning);
        }
    }

    /// A set of keys with these ids. All are the same key but the one of the id "other".
    fn document_of(ids: &[&str]) -> String {
        let key = |id: &&str| {
            let x = match *id {
                "other" => "PUAXw-hDiVqStwqnTRt-vJyYLM8uxJaMwM1V8Sr0Zgw",
                _ => "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
            };
            json!({ "kty": "OKP", "crv": "Ed25519", "kid": id, "x": x })
        };
        let keys: Vec<_> = ids.iter().map(key).collect();
        json!({ "keys": keys }).to_string()
    }

    /// A world whose issuer gives these answers; `None` is a failure.
    fn world(answers: &[Option<&[&'static str]>]) -> Arc<World> {
        Arc::new(World {
            answers: Mutex::new(answers.iter().map(|ids| ids.map(<[_]>::to_vec)).collect()),
            fetches: AtomicUsize::new(0),
            now: AtomicU64::new(1_800_000_000_000),
            record: Mutex::new(Record::new("https://id.example/jwks")),
            outdated: Mutex::new(None),
            warnings: Mutex::default(),
            gate: Mutex::new(None),
        })
    }

    impl World {
        fn fetches(&self) -> usize {
            self.fetches.load(Ordering::Relaxed)
        }

        fn wait(&self, seconds: u64) {
            self.now.fetch_add(seconds * 1_000, Ordering::Relaxed);
        }

        fn close(&self) -> oneshot::Sender<()> {
            let (open, gate) = oneshot::channel();
            *self.gate.lock().expect("not poisoned") = Some(gate);
            open
        }
    }

    /// An instance of the component.
    fn instance(world: &Arc<World>) -> JwksCache<Arc<World>> {
        JwksCache::new(Arc::clone(world))
    }

    impl JwksCache<Arc<World>> {
        async fn has(&self, id: &str) -> Result<bool, Unavailable> {
            self.find(Some(id), Algorithm::EdDSA).await.map(|key| key.is_some())
        }

        /// The key for a token without an id.
        async fn only_key(&self) -> Result<Option<Arc<Key>>, Unavailable> {
            self.find(None, Algorithm::EdDSA).await
        }

        /// Refuses a token without an id that none of the keys has signed.
        async fn refuse(&self) {
            let key = self.only_key().await.expect("a set").expect("a key");
            assert_eq!(self.find_other(&key).await, Ok(None));
        }
    }

    /// Looks for a key in a new instance.
    fn has(world: &Arc<World>, id: &str) -> Result<bool, Unavailable> {
        block_on(instance(world).has(id))
    }

    #[test]
    fn nothing_is_fetched_before_it_is_needed_and_then_once_for_all_instances() {
        let world = world(&[Some(&["a"])]);
        let first = instance(&world);
        assert_eq!(world.fetches(), 0);
        for _ in 0..3 {
            assert_eq!(block_on(first.has("a")), Ok(true));
            assert_eq!(has(&world, "a"), Ok(true));
        }
        assert_eq!(world.fetches(), 1);
    }

    #[test]
    fn a_set_counts_for_ten_minutes_in_every_instance() {
        let world = world(&[Some(&["a"]), Some(&["b"])]);
        let old = instance(&world);
        assert_eq!(block_on(old.has("a")), Ok(true));
        world.wait(10 * MINUTE - 1);
        assert_eq!(block_on(old.has("a")), Ok(true));
        assert_eq!(has(&world, "a"), Ok(true));
        assert_eq!(world.fetches(), 1);
        world.wait(1);
        assert_eq!(block_on(old.has("a")), Ok(false), "withdrawn");
        assert_eq!(has(&world, "a"), Ok(false), "withdrawn");
        assert_eq!(world.fetches(), 2);
    }

    #[test]
    fn a_set_is_refreshed_ahead_of_its_end_by_one_while_the_others_use_it() {
        let world = world(&[Some(&["a"]), Some(&["b"])]);
        let instances = [instance(&world), instance(&world)];
        for instance in &instances {
            assert_eq!(block_on(instance.has("a")), Ok(true));
        }
        world.wait(9 * MINUTE - 1);
        block_on(instances[0].refresh());
        assert_eq!(world.fetches(), 1, "too early");
        world.wait(1);
        let open = world.close();
        block_on(async {
            join!(instances[0].refresh(), async {
                instances[1].refresh().await;
                assert_eq!(instances[0].has("a").await, Ok(true));
                assert_eq!(instances[1].has("a").await, Ok(true));
                open.send(()).expect("a fetch that waits");
            })
        });
        assert_eq!(world.fetches(), 2);
        assert_eq!(block_on(instances[0].has("b")), Ok(true));
        block_on(instances[1].refresh());
        assert_eq!(block_on(instances[1].has("b")), Ok(true), "taken over");
        assert_eq!(world.fetches(), 2);
    }

    #[test]
    fn an_instance_that_has_not_used_the_keys_does_not_fetch_them() {
        let world = world(&[Some(&["a"])]);
        block_on(instance(&world).refresh());
        assert_eq!(world.fetches(), 0);
    }

    #[test]
    fn a_withdrawn_key_is_not_contained() {
        let world = world(&[Some(&["a"]), Some(&["b"])]);
        let keys = instance(&world);
        let key = block_on(keys.find(Some("a"), Algorithm::EdDSA)).expect("a set").expect("a key");
        assert_eq!(block_on(keys.contains(&key)), Ok(true));
        assert_eq!(block_on(keys.has("b")), Ok(true));
        assert_eq!(block_on(keys.contains(&key)), Ok(false));
    }

    #[test]
    fn an_unknown_key_is_looked_for_once_in_thirty_seconds_by_all_instances() {
        let world = world(&[Some(&["a"]), Some(&["a", "b"]), Some(&["a", "b", "c"])]);
        assert_eq!(has(&world, "a"), Ok(true));
        assert_eq!(has(&world, "b"), Ok(true), "rotated");
        assert_eq!(world.fetches(), 2);
        assert_eq!(has(&world, "c"), Ok(false), "too soon");
        world.wait(29);
        assert_eq!(has(&world, "c"), Ok(false), "still too soon");
        assert_eq!(world.fetches(), 2);
        world.wait(1);
        assert_eq!(has(&world, "c"), Ok(true));
        assert_eq!(world.fetches(), 3);
    }

    #[test]
    fn what_another_instance_has_found_is_taken_over() {
        let world = world(&[Some(&["a"]), Some(&["a", "b"])]);
        let old = instance(&world);
        assert_eq!(block_on(old.has("a")), Ok(true));
        assert_eq!(has(&world, "b"), Ok(true));
        assert_eq!(block_on(old.has("b")), Ok(true));
        assert_eq!(world.fetches(), 2);
    }

    #[test]
    fn forged_tokens_cause_one_fetch_in_thirty_seconds() {
        let world = world(&[Some(&["a"])]);
        for _ in 0..50 {
            assert_eq!(has(&world, "forged"), Ok(false));
        }
        assert_eq!(world.fetches(), 1);
        world.wait(30);
        let instances: Vec<_> = (0..50).map(|_| instance(&world)).collect();
        let answers = block_on(join_all(instances.iter().map(|keys| keys.has("forged"))));
        assert!(answers.iter().all(|answer| *answer == Ok(false)));
        assert_eq!(world.fetches(), 2);
    }

    #[test]
    fn a_known_key_of_another_algorithm_sends_nobody_looking() {
        let world = world(&[Some(&["a"])]);
        let keys = instance(&world);
        assert_eq!(block_on(keys.has("a")), Ok(true));
        assert_eq!(block_on(keys.find(Some("a"), Algorithm::ES256)), Ok(None));
        assert_eq!(world.fetches(), 1);
    }

    #[test]
    fn tokens_without_an_id_cost_no_more_fetches_than_others() {
        let world = world(&[Some(&["a"])]);
        for _ in 0..3 {
            assert!(block_on(instance(&world).only_key()).expect("a set").is_some());
        }
        assert_eq!(world.fetches(), 1);
    }

    #[test]
    fn several_keys_send_nobody_looking_for_the_only_one() {
        let world = world(&[Some(&["a", "b"])]);
        for _ in 0..3 {
            assert_eq!(block_on(instance(&world).only_key()), Ok(None));
            world.wait(31);
        }
        assert_eq!(world.fetches(), 1);
    }

    #[test]
    fn a_key_that_was_replaced_is_found_by_a_token_without_an_id() {
        let world = world(&[Some(&["a"]), Some(&["other"])]);
        let keys = instance(&world);
        let old = block_on(keys.only_key()).expect("a set").expect("a key");
        world.wait(29);
        assert_eq!(block_on(keys.find_other(&old)), Ok(None), "too soon");
        assert_eq!(world.fetches(), 1);
        world.wait(1);
        let new = block_on(keys.find_other(&old)).expect("a set").expect("a key");
        assert_ne!(new, old);
        assert_eq!(block_on(keys.only_key()), Ok(Some(new)));
        assert_eq!(world.fetches(), 2);
    }

    #[test]
    fn forged_tokens_without_an_id_cause_one_fetch_in_thirty_seconds() {
        let world = world(&[Some(&["a"])]);
        for fetches in 1..=3 {
            for _ in 0..50 {
                block_on(instance(&world).refuse());
            }
            let instances: Vec<_> = (0..50).map(|_| instance(&world)).collect();
            block_on(join_all(instances.iter().map(JwksCache::refuse)));
            assert_eq!(world.fetches(), fetches);
            world.wait(29);
            block_on(instance(&world).refuse());
            assert_eq!(world.fetches(), fetches, "too soon");
            world.wait(1);
        }
    }

    #[test]
    fn forged_tokens_with_and_without_an_id_share_their_fetches() {
        let world = world(&[Some(&["a"])]);
        block_on(instance(&world).refuse());
        world.wait(30);
        for _ in 0..50 {
            block_on(instance(&world).refuse());
            assert_eq!(has(&world, "forged"), Ok(false));
        }
        assert_eq!(world.fetches(), 2);
    }

    #[test]
    fn a_failing_issuer_is_left_alone_for_thirty_seconds() {
        let world = world(&[None, Some(&["a"])]);
        let down = Err(Unavailable("down".to_owned()));
        assert_eq!(has(&world, "a"), down);
        world.wait(29);
        assert_eq!(has(&world, "a"), down);
        assert_eq!(world.fetches(), 1);
        world.wait(1);
        assert_eq!(has(&world, "a"), Ok(true));
        assert_eq!(world.fetches(), 2);
    }

    #[test]
    fn what_is_known_goes_on_to_count_for_an_hour_while_the_issuer_fails() {
        let world = world(&[Some(&["a"]), None]);
        let old = instance(&world);
        assert_eq!(block_on(old.has("a")), Ok(true));
        assert_eq!(block_on(old.has("b")), Ok(false), "the search failed");
        assert_eq!(world.fetches(), 2);
        world.wait(10 * MINUTE);
        assert_eq!(block_on(old.has("a")), Ok(true));
        assert_eq!(world.fetches(), 3, "the failure was long ago");
        for fetches in 3..103 {
            assert_eq!(block_on(old.has("a")), Ok(true));
            assert_eq!(has(&world, "a"), Ok(true));
            world.wait(29);
            assert_eq!(has(&world, "a"), Ok(true));
            block_on(old.refresh());
            assert_eq!(world.fetches(), fetches, "not again within 30 s");
            world.wait(1);
            block_on(old.refresh());
        }
        assert!(has(&world, "a").is_err(), "but not for ever");
        assert!(block_on(old.has("a")).is_err(), "but not for ever");
        let warnings = world.warnings.lock().expect("not poisoned");
        assert!(warnings[1].contains("(down); those of 600 s ago"), "{warnings:?}");
    }

    #[test]
    fn a_failure_extends_a_sets_life_until_the_issuer_can_be_asked_again() {
        let world = world(&[Some(&["a"]), None, Some(&["b"])]);
        let instances = [instance(&world), instance(&world)];
        for instance in &instances {
            assert_eq!(block_on(instance.has("a")), Ok(true));
        }
        world.wait(10 * MINUTE - 10);
        block_on(instances[0].refresh());
        assert_eq!(world.fetches(), 2, "which failed");
        world.wait(29);
        for instance in &instances {
            assert_eq!(block_on(instance.has("a")), Ok(true), "the issuer has just failed");
        }
        assert_eq!(has(&world, "a"), Ok(true));
        assert_eq!(world.fetches(), 2);
        world.wait(1);
        for instance in &instances {
            assert_eq!(block_on(instance.has("a")), Ok(false), "withdrawn");
        }
        assert_eq!(has(&world, "a"), Ok(false), "withdrawn");
        assert_eq!(world.fetches(), 3);
    }

    /// A world in which a fetch failed at minute 9, and nobody has used the keys for the 31 minutes since, with
    /// instances that have the first set.
    fn idle_after_a_failure(
        third: Option<&'static [&'static str]>,
    ) -> (Arc<World>, [JwksCache<Arc<World>>; 3]) {
        let world = world(&[Some(&["a"]), None, third]);
        let instances = [(); 3].map(|()| instance(&world));
        for instance in &instances {
            assert_eq!(block_on(instance.has("a")), Ok(true));
        }
        world.wait(9 * MINUTE);
        block_on(instances[0].refresh());
        world.wait(31 * MINUTE);
        assert_eq!(world.fetches(), 2);
        (world, instances)
    }

    #[test]
    fn an_old_failure_does_not_keep_a_withdrawn_key_valid() {
        let (world, instances) = idle_after_a_failure(Some(&["b"]));
        for instance in &instances {
            assert_eq!(block_on(instance.has("a")), Ok(false), "withdrawn");
        }
        assert_eq!(has(&world, "a"), Ok(false), "withdrawn");
        assert_eq!(has(&world, "b"), Ok(true));
        assert_eq!(world.fetches(), 3);
    }

    #[test]
    fn an_old_failure_makes_everybody_wait_for_one_fetch() {
        for (third, valid) in [(Some(&["b"][..]), false), (None, true)] {
            let (world, instances) = idle_after_a_failure(third);
            let open = world.close();
            let answered = AtomicUsize::new(0);
            let ask = async |keys: &JwksCache<Arc<World>>| {
                let answer = keys.has("a").await;
                answered.fetch_add(1, Ordering::Relaxed);
                answer
            };
            let everybody = instances.iter().flat_map(|keys| (0..10).map(|_| ask(keys)));
            let (answers, ()) = block_on(async {
                join!(join_all(everybody), async {
                    for _ in 0..20 {
                        world.pause(Duration::ZERO).await;
                    }
                    assert_eq!(answered.load(Ordering::Relaxed), 0, "all wait");
                    open.send(()).expect("a fetch that waits");
                })
            });
            assert!(answers.iter().all(|answer| *answer == Ok(valid)), "{third:?}");
            assert_eq!(world.fetches(), 3);
        }
    }

    #[test]
    fn nobody_else_waits_while_an_issuer_that_has_just_failed_is_asked_again() {
        let world = world(&[Some(&["a"]), None, Some(&["b"])]);
        let instances = [(); 3].map(|()| instance(&world));
        for instance in &instances {
            assert_eq!(block_on(instance.has("a")), Ok(true));
        }
        world.wait(10 * MINUTE);
        assert_eq!(block_on(instances[0].has("a")), Ok(true), "the fetch failed");
        world.wait(30);
        let open = world.close();
        let (first, ()) = block_on(async {
            join!(instances[0].has("a"), async {
                for instance in &instances {
                    assert_eq!(instance.has("a").await, Ok(true), "while one asks");
                }
                assert_eq!(instance(&world).has("a").await, Ok(true), "while one asks");
                assert_eq!(world.fetches(), 3);
                open.send(()).expect("a fetch that waits");
            })
        });
        assert_eq!(first, Ok(false), "withdrawn");
        for instance in &instances {
            assert_eq!(block_on(instance.has("a")), Ok(false), "withdrawn");
        }
        assert_eq!(world.fetches(), 3);
    }

    #[test]
    fn an_instance_that_ended_while_it_asked_again_extends_a_sets_life_by_little() {
        let world = world(&[Some(&["a"]), None, Some(&["b"])]);
        assert_eq!(has(&world, "a"), Ok(true));
        world.wait(10 * MINUTE);
        assert_eq!(has(&world, "a"), Ok(true), "the fetch failed");
        world.wait(30);
        let now = world.now();
        assert!(block_on(world.update(|record| record.claim(1, now))));
        assert_eq!(has(&world, "a"), Ok(true));
        world.wait(8);
        assert_eq!(has(&world, "a"), Ok(false), "withdrawn");
    }

    #[test]
    fn one_fetch_at_a_time_however_many_wait_in_however_many_instances() {
        let world = world(&[Some(&["a"]), Some(&["b"])]);
        let instances: Vec<_> = (0..5).map(|_| instance(&world)).collect();
        let everybody = |id: &'static str| {
            join_all(instances.iter().flat_map(move |keys| (0..10).map(move |_| keys.has(id))))
        };
        for (fetches, id) in [(1, "a"), (2, "b")] {
            let open = world.close();
            let (answers, ()) = block_on(async {
                join!(everybody(id), async { open.send(()).expect("a fetch that waits") })
            });
            assert!(answers.iter().all(|answer| *answer == Ok(true)), "{id}");
            assert_eq!(world.fetches(), fetches);
        }
    }

    #[test]
    fn what_was_fetched_between_a_look_and_a_claim_is_not_fetched_again() {
        let world = world(&[Some(&["a"])]);
        let look_again = |outdated: &Record| {
            *world.outdated.lock().expect("not poisoned") = Some(outdated.clone());
        };
        let before = block_on(world.load());
        assert_eq!(has(&world, "a"), Ok(true));
        look_again(&before);
        assert_eq!(has(&world, "a"), Ok(true));
        look_again(&before);
        assert_eq!(has(&world, "forged"), Ok(false));
        assert_eq!(world.fetches(), 1);

        let instances = [instance(&world), instance(&world)];
        for instance in &instances {
            assert_eq!(block_on(instance.has("a")), Ok(true));
        }
        world.wait(9 * MINUTE);
        let due = block_on(world.load());
        block_on(instances[0].refresh());
        look_again(&due);
        block_on(instances[1].refresh());
        assert_eq!(world.fetches(), 2);
    }

    #[test]
    fn those_who_waited_for_a_failure_share_it() {
        let world = world(&[None]);
        let instances: Vec<_> = (0..50).map(|_| instance(&world)).collect();
        let open = world.close();
        let everybody = join_all(instances.iter().map(|keys| keys.has("a")));
        let (answers, ()) = block_on(async {
            join!(everybody, async { open.send(()).expect("a fetch that waits") })
        });
        assert!(answers.iter().all(Result::is_err));
        assert_eq!(world.fetches(), 1);
    }

    #[test]
    fn an_instance_that_ended_while_it_fetched_keeps_nobody_waiting_for_long() {
        let world = world(&[Some(&["a"])]);
        let now = world.now();
        assert!(block_on(world.update(|record| record.claim(0, now))));
        world.wait(8);
        assert_eq!(has(&world, "a"), Ok(true));
    }
}
