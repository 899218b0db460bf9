//! The options of a run: timeouts and retries.

use std::time::Duration;

/// How [`crate::Migrator::run`] runs scripts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunOptions {
    /// For how long to wait for another migrator.
    pub wait: Duration,
    /// For how long a statement waits for a lock, unless its script sets that itself; zero is
    /// without end.
    ///
    /// Whoever writes to a table waits behind a migration that waits for its lock: so it does not
    /// wait for long. The default is longer than a second, in which autovacuum makes way, and
    /// shorter than what the API grants a statement.
    pub lock_timeout: Duration,
    /// How often a script is tried again that had to give up a lock.
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
