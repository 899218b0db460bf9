//! The options of a run: timeouts and retries.

use std::time::Duration;

/// Options of [`crate::Migrator::run`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunOptions {
    /// For how long to wait for another migrator.
    pub wait: Duration,
    /// Lock timeout of statements, unless the script sets one itself; zero is none.
    ///
    /// Writers of a table wait behind a migration that waits for its lock, so the wait must be short. The
    /// default is longer than a second, after which autovacuum gives up its lock, and shorter than the
    /// API's statement timeout.
    pub lock_timeout: Duration,
    /// Maximum number of retries after a lock timeout or deadlock.
    pub lock_retries: u32,
    /// For how long a statement may take, unless its script sets that itself; zero is without end,
    /// and none leaves it to the server's setting.
    pub statement_timeout: Option<Duration>,
    /// Tell every second how far the script is, with [`crate::model::Event::Running`]. What the server
    /// knows about it is read over a second connection, once a script takes longer than two
    /// seconds.
    pub watch: bool,
}

impl Default for RunOptions {
    fn default() -> Self {
        Self {
            wait: Duration::from_mins(1),
            lock_timeout: Duration::from_secs(3),
            lock_retries: 5,
            statement_timeout: None,
            watch: false,
        }
    }
}
