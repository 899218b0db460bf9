//! Timeouts and retries of the commands that run scripts.

use std::time::Duration;

use clap::Args;
use migrator::RunOptions;

use crate::args::duration::{parse_duration, parse_setting};

#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct WaitOptions {
    /// Time to wait while another migrator is running.
    ///
    /// Seconds, or a time with units: `60`, `500ms`, `1m 30s`.
    #[arg(
        long,
        value_name = "SECONDS",
        env = "MIGRATOR_WAIT",
        hide_env_values = true,
        default_value = "60",
        value_parser = parse_duration
    )]
    pub(crate) wait: Duration,
}

#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct LimitOptions {
    /// Time that a statement waits for a table lock before giving up.
    ///
    /// PostgreSQL's `lock_timeout`, unless a script sets its own; 0 is no limit. A statement that waits
    /// blocks other sessions that need the table. Statements with `concurrently` do not block other
    /// sessions, and have no limit.
    #[arg(
        long,
        value_name = "SECONDS",
        env = "MIGRATOR_LOCK_TIMEOUT",
        hide_env_values = true,
        default_value = "3",
        value_parser = parse_setting
    )]
    pub(crate) lock_timeout: Duration,

    /// Time that a statement may take.
    ///
    /// PostgreSQL's `statement_timeout`, unless a script sets its own; 0 is no limit. By default the
    /// server's setting for the role.
    #[arg(
        long,
        value_name = "SECONDS",
        env = "MIGRATOR_STATEMENT_TIMEOUT",
        hide_env_values = true,
        value_parser = parse_setting
    )]
    pub(crate) statement_timeout: Option<Duration>,
}

#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct RunArguments {
    #[command(flatten)]
    limits: LimitOptions,

    /// Retries after a lock timeout or deadlock, with increasing pauses.
    ///
    /// The script is rolled back each time; one without a transaction retries only the statement.
    #[arg(
        long,
        value_name = "N",
        env = "MIGRATOR_LOCK_RETRIES",
        hide_env_values = true,
        default_value_t = 5
    )]
    lock_retries: u32,

    #[command(flatten)]
    wait: WaitOptions,
}

impl LimitOptions {
    pub(crate) fn options(self) -> RunOptions {
        RunOptions {
            lock_timeout: self.lock_timeout,
            statement_timeout: self.statement_timeout,
            ..RunOptions::default()
        }
    }
}

impl RunArguments {
    /// The options of a run, with reports of the progress if `watch`.
    pub(crate) fn options(self, watch: bool) -> RunOptions {
        RunOptions {
            watch,
            wait: self.wait.wait,
            lock_retries: self.lock_retries,
            ..self.limits.options()
        }
    }
}
