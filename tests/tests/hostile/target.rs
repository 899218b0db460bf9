//! The service that is attacked, and its other user.

use std::cell::Cell;
use std::time::Duration;

use tests::{App, User, raise_open_files, until_within};
use tokio::sync::{Mutex, MutexGuard};
use tokio::time::timeout;

/// Held by each test: memory and open files are the process's.
static ALONE: Mutex<()> = Mutex::const_new(());

/// A megabyte.
pub(crate) const MIB: u64 = 1 << 20;

/// Memory that the service may need for anything else: instances for the other user's requests, pools.
const SLACK: u64 = 192 * MIB;

/// Time limit of everything that the other user does.
const LIMIT: Duration = Duration::from_mins(2);

/// Requests of the other user during an attack, at least.
const GOOD_REQUESTS: usize = 20;

/// A service, and a user who does nothing wrong.
pub(crate) struct Target {
    pub(crate) app: App,
    pub(crate) alice: User,
    /// Memory before the attack.
    bytes: u64,
    _alone: MutexGuard<'static, ()>,
}

impl Target {
    /// Starts the service and uses it, so that what is created once exists.
    pub(crate) async fn start() -> Self {
        let alone = ALONE.lock().await;
        raise_open_files();
        let app = App::start_with(|_| {}).await;
        let alice = app.user("alice").await;
        alice.task("Buy milk").await;
        let target = Self { bytes: 0, app, alice, _alone: alone };
        target.under(async {}).await;
        Self { bytes: target.app.resident_bytes(), ..target }
    }

    /// Runs an attack while the other user works, all of whose requests must succeed. Returns what the attack returns.
    pub(crate) async fn under<T>(&self, attack: impl Future<Output = T>) -> T {
        let is_over = Cell::new(false);
        let attack = async {
            let outcome = attack.await;
            is_over.set(true);
            outcome
        };
        let other_user = async {
            let mut requests = 0;
            while requests < GOOD_REQUESTS || !is_over.get() {
                self.app.get("/health").await.good(200);
                self.alice.get("/tasks?limit=1").await.good(200);
                requests += 2;
            }
        };
        let both = async { tokio::join!(attack, other_user) };
        let (outcome, ()) = timeout(LIMIT, both).await.expect("answers in time");
        outcome
    }

    /// Asserts that the service needs no more memory than before but for these bytes.
    #[track_caller]
    pub(crate) fn assert_grown_at_most(&self, allowed: u64) {
        let grown = self.app.resident_bytes().saturating_sub(self.bytes);
        let (grown, most) = (grown / MIB, (allowed + SLACK) / MIB);
        assert!(grown <= most, "the service has grown by {grown} MiB, more than {most}");
    }

    /// Asserts that the service works, that no instance has ended early, and that this is how many tasks there are
    /// besides the first.
    pub(crate) async fn assert_unharmed(&self, created: usize) {
        self.under(async {}).await;
        until_within(LIMIT, "the tasks are there", async || {
            (self.alice.tasks().await.len() == created + 1).then_some(())
        })
        .await;
        let log = self.app.log();
        for sign in ["panicked", "wasm trap", "unreachable", "ended with all", "wasm backtrace"] {
            assert!(!log.contains(sign), "{log}");
        }
    }
}
