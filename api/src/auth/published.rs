//! Keys that an issuer publishes: fetched when they are needed, kept for a while, fetched again when
//! a token names one that is not there yet.

use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use jsonwebtoken::Algorithm;

use super::key_set::{Key, KeySet};

/// How long a set counts after it was fetched, and so the longest time that a withdrawn key works.
const MAX_AGE: Duration = Duration::from_mins(10);

/// How often tokens may send us looking for a key that is not in the set. A forged token names any.
const SEARCH_INTERVAL: Duration = Duration::from_secs(30);

/// Where a set comes from.
pub(super) trait Source {
    /// Fetches the set, within a limit of time.
    fn fetch(&self) -> impl Future<Output = Result<KeySet, Unavailable>> + Send;
    /// The time by a clock that never goes back.
    fn now(&self) -> Instant;
    /// A moment, for those who wait for somebody else's fetch.
    fn pause(&self) -> impl Future<Output = ()> + Send;
}

/// There is no usable set. The text is for the log, never for a client.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no key set: {0}")]
pub(crate) struct Unavailable(pub(crate) String);

/// The keys of one source.
pub(super) struct PublishedKeys<S> {
    source: S,
    state: Mutex<State>,
    /// Whether somebody is fetching; the others wait and take what has come.
    fetching: AtomicBool,
}

#[derive(Default)]
struct State {
    current: Option<Fetched>,
    /// How many fetches have ended, well or not.
    fetches: u64,
    /// Why the last fetch failed, if it did.
    failure: Option<Unavailable>,
    /// When a token last sent us looking.
    searched: Option<Instant>,
}

/// A set that was fetched.
#[derive(Clone)]
struct Fetched {
    set: Arc<KeySet>,
    at: Instant,
    /// The number of its fetch.
    number: u64,
}

impl<S: Source> PublishedKeys<S> {
    pub(super) fn of(source: S) -> Self {
        Self { source, state: Mutex::default(), fetching: AtomicBool::new(false) }
    }

    /// The key with this `kid` for this algorithm. `Ok(None)` when the issuer has none.
    pub(super) async fn find(
        &self,
        id: &str,
        algorithm: Algorithm,
    ) -> Result<Option<Arc<Key>>, Unavailable> {
        let fetches_before = self.state().fetches;
        let known = self.current().await?;
        // A set that was fetched for this very request has nothing newer behind it.
        if known.set.knows(id) || known.number > fetches_before {
            return Ok(known.set.find(id, algorithm));
        }
        Ok(self.newer_than(&known).await.and_then(|set| set.find(id, algorithm)))
    }

    /// Whether the issuer still has this key.
    pub(super) async fn contains(&self, key: &Key) -> Result<bool, Unavailable> {
        Ok(self.current().await?.set.contains(key))
    }

    /// The set that counts now, fetched if there is none.
    async fn current(&self) -> Result<Fetched, Unavailable> {
        let fetches_before = {
            let state = self.state();
            if let Some(current) = state.usable(self.source.now()) {
                return Ok(current);
            }
            state.fetches
        };
        let _turn = self.turn().await;
        {
            let state = self.state();
            if let Some(current) = state.usable(self.source.now()) {
                return Ok(current);
            }
            // The fetch that we waited for has failed: it would be no better for us.
            if let (true, Some(failure)) = (state.fetches > fetches_before, &state.failure) {
                return Err(failure.clone());
            }
        }
        self.fetch().await
    }

    /// A set that is newer than this one, unless somebody has looked for one a moment ago. The
    /// issuer's failure is not the client's: what is known goes on to count.
    async fn newer_than(&self, known: &Fetched) -> Option<Arc<KeySet>> {
        let _turn = self.turn().await;
        {
            let now = self.source.now();
            let mut state = self.state();
            if let Some(current) = state.current.as_ref().filter(|set| set.number > known.number) {
                return Some(Arc::clone(&current.set));
            }
            if state.searched.is_some_and(|last| now.duration_since(last) < SEARCH_INTERVAL) {
                return None;
            }
            state.searched = Some(now);
        }
        self.fetch().await.ok().map(|fetched| fetched.set)
    }

    /// Waits for the turn to fetch, by looking again and again. A lock would wake the next in line,
    /// which is another request and so another task of the host, and one task cannot wake another:
    /// the instance would end in a trap.
    async fn turn(&self) -> Turn<'_> {
        while self.fetching.swap(true, Ordering::Acquire) {
            self.source.pause().await;
        }
        Turn(&self.fetching)
    }

    /// To be called by whoever has the turn.
    async fn fetch(&self) -> Result<Fetched, Unavailable> {
        // The age counts from the question: the answer may have been on its way for a while.
        let at = self.source.now();
        let fetched = self.source.fetch().await;
        let mut state = self.state();
        state.fetches += 1;
        match fetched {
            Ok(set) => {
                let fetched = Fetched { set: Arc::new(set), at, number: state.fetches };
                state.current = Some(fetched.clone());
                state.failure = None;
                Ok(fetched)
            }
            Err(failure) => {
                state.failure = Some(failure.clone());
                Err(failure)
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The turn to fetch; gives it up when it is dropped.
struct Turn<'a>(&'a AtomicBool);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

impl State {
    fn usable(&self, now: Instant) -> Option<Fetched> {
        self.current.clone().filter(|set| now.duration_since(set.at) < MAX_AGE)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::future::poll_fn;
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Poll;
    use std::time::{Duration, Instant};

    use futures::channel::oneshot;
    use futures::executor::block_on;
    use futures::future::join_all;
    use futures::join;
    use jsonwebtoken::Algorithm;
    use serde_json::json;

    use super::{PublishedKeys, Source, Unavailable};
    use crate::auth::key_set::KeySet;

    /// A key server and a clock in the hands of a test. The last answer is given again and again.
    struct Scripted {
        answers: Mutex<VecDeque<Option<Vec<&'static str>>>>,
        hits: AtomicUsize,
        start: Instant,
        elapsed: Mutex<Duration>,
        /// Holds the first fetch back until it is opened.
        gate: Mutex<Option<oneshot::Receiver<()>>>,
    }

    impl Source for Scripted {
        async fn fetch(&self) -> Result<KeySet, Unavailable> {
            self.hits.fetch_add(1, Ordering::Relaxed);
            let gate = self.gate.lock().expect("not poisoned").take();
            if let Some(gate) = gate {
                gate.await.expect("a gate that is opened");
            }
            let mut answers = self.answers.lock().expect("not poisoned");
            let answer =
                if answers.len() > 1 { answers.pop_front() } else { answers.front().cloned() };
            match answer.flatten() {
                Some(ids) => Ok(set_of(&ids)),
                None => Err(Unavailable("down".to_owned())),
            }
        }

        fn now(&self) -> Instant {
            self.start + *self.elapsed.lock().expect("not poisoned")
        }

        async fn pause(&self) {
            let mut paused = false;
            poll_fn(|context| {
                context.waker().wake_by_ref();
                if std::mem::replace(&mut paused, true) { Poll::Ready(()) } else { Poll::Pending }
            })
            .await;
        }
    }

    fn set_of(ids: &[&str]) -> KeySet {
        let x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
        let keys: Vec<_> = ids
            .iter()
            .map(|id| json!({ "kty": "OKP", "crv": "Ed25519", "kid": id, "x": x }))
            .collect();
        KeySet::parse(json!({ "keys": keys }).to_string().as_bytes()).expect("a key set")
    }

    fn keys_of(answers: &[Option<&[&'static str]>]) -> PublishedKeys<Scripted> {
        PublishedKeys::of(Scripted {
            answers: Mutex::new(answers.iter().map(|ids| ids.map(<[_]>::to_vec)).collect()),
            hits: AtomicUsize::new(0),
            start: Instant::now(),
            elapsed: Mutex::new(Duration::ZERO),
            gate: Mutex::new(None),
        })
    }

    impl PublishedKeys<Scripted> {
        async fn has(&self, id: &str) -> Result<bool, Unavailable> {
            self.find(id, Algorithm::EdDSA).await.map(|key| key.is_some())
        }

        fn hits(&self) -> usize {
            self.source.hits.load(Ordering::Relaxed)
        }

        fn wait(&self, seconds: u64) {
            *self.source.elapsed.lock().expect("not poisoned") += Duration::from_secs(seconds);
        }
    }

    #[test]
    fn nothing_is_fetched_before_it_is_needed_and_then_once() {
        let keys = keys_of(&[Some(&["a"])]);
        assert_eq!(keys.hits(), 0);
        for _ in 0..3 {
            assert_eq!(block_on(keys.has("a")), Ok(true));
        }
        assert_eq!(keys.hits(), 1);
    }

    #[test]
    fn a_set_counts_for_ten_minutes() {
        let keys = keys_of(&[Some(&["a"]), Some(&["b"])]);
        assert_eq!(block_on(keys.has("a")), Ok(true));
        keys.wait(599);
        assert_eq!(block_on(keys.has("a")), Ok(true));
        assert_eq!(keys.hits(), 1);
        keys.wait(1);
        assert_eq!(block_on(keys.has("a")), Ok(false), "withdrawn");
        assert_eq!(keys.hits(), 2);
    }

    #[test]
    fn a_withdrawn_key_is_not_contained() {
        let keys = keys_of(&[Some(&["a"]), Some(&["b"])]);
        let key = block_on(keys.find("a", Algorithm::EdDSA)).expect("a set").expect("a key");
        assert_eq!(block_on(keys.contains(&key)), Ok(true));
        assert_eq!(block_on(keys.has("b")), Ok(true));
        assert_eq!(block_on(keys.contains(&key)), Ok(false));
    }

    #[test]
    fn an_unknown_key_is_looked_for_once_in_thirty_seconds() {
        let keys = keys_of(&[Some(&["a"]), Some(&["a", "b"]), Some(&["a", "b", "c"])]);
        assert_eq!(block_on(keys.has("a")), Ok(true));
        assert_eq!(block_on(keys.has("b")), Ok(true), "rotated");
        assert_eq!(keys.hits(), 2);
        assert_eq!(block_on(keys.has("c")), Ok(false), "too soon");
        keys.wait(29);
        assert_eq!(block_on(keys.has("c")), Ok(false), "still too soon");
        assert_eq!(keys.hits(), 2);
        keys.wait(1);
        assert_eq!(block_on(keys.has("c")), Ok(true));
        assert_eq!(keys.hits(), 3);
    }

    #[test]
    fn a_set_that_is_fetched_for_a_request_is_not_fetched_again_for_it() {
        let keys = keys_of(&[Some(&["a"])]);
        assert_eq!(block_on(keys.has("zzz")), Ok(false));
        assert_eq!(keys.hits(), 1);
    }

    #[test]
    fn a_known_key_of_another_algorithm_sends_nobody_looking() {
        let keys = keys_of(&[Some(&["a"])]);
        assert_eq!(block_on(keys.has("a")), Ok(true));
        assert_eq!(block_on(keys.find("a", Algorithm::ES256)), Ok(None));
        assert_eq!(keys.hits(), 1);
    }

    #[test]
    fn a_failing_server_is_told_from_an_unknown_key() {
        let keys = keys_of(&[None, Some(&["a"]), None]);
        assert_eq!(block_on(keys.has("a")), Err(Unavailable("down".to_owned())));
        assert_eq!(block_on(keys.has("a")), Ok(true), "the next request tries again");
        assert_eq!(block_on(keys.has("b")), Ok(false), "what is known goes on to count");
        assert_eq!(block_on(keys.has("a")), Ok(true));
        keys.wait(600);
        assert!(block_on(keys.has("a")).is_err(), "but not for ever");
    }

    #[test]
    fn one_fetch_at_a_time_however_many_wait() {
        let keys = keys_of(&[Some(&["a"]), Some(&["b"])]);
        let (open, gate) = oneshot::channel();
        *keys.source.gate.lock().expect("not poisoned") = Some(gate);
        let everybody = join_all((0..50).map(|_| keys.has("a")));
        let (answers, ()) = block_on(async {
            join!(everybody, async { open.send(()).expect("a fetch that waits") })
        });
        assert!(answers.iter().all(|answer| *answer == Ok(true)));
        assert_eq!(keys.hits(), 1);

        let answers = block_on(join_all((0..50).map(|_| keys.has("b"))));
        assert!(answers.iter().all(|answer| *answer == Ok(true)), "all of them see the new set");
        assert_eq!(keys.hits(), 2);
    }

    #[test]
    fn those_who_waited_for_a_failure_share_it() {
        let keys = keys_of(&[None]);
        let (open, gate) = oneshot::channel();
        *keys.source.gate.lock().expect("not poisoned") = Some(gate);
        let everybody = join_all((0..50).map(|_| keys.has("a")));
        let (answers, ()) = block_on(async {
            join!(everybody, async { open.send(()).expect("a fetch that waits") })
        });
        assert!(answers.iter().all(Result::is_err));
        assert_eq!(keys.hits(), 1);
    }
}
