//! Timeouts and retries of the commands that run scripts.

use std::time::Duration;

use clap::Args;
use migrator::RunOptions;

use crate::args::duration::{parse_duration, parse_setting};

#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct WaitOptions {
    /// For how long to wait while another migrator is at work.
    ///
    /// Seconds, or a number with a unit: `60`, `60s`, `500ms`, `2m`.
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
    /// For how long a statement waits for a lock on a table before it makes way for others.
    ///
    /// PostgreSQL's `lock_timeout`, where a script does not set its own; 0 is without end. Others who
    /// use the table wait behind a statement that waits. Statements with `concurrently` hold nobody
    /// up, and wait without end.
    #[arg(
        long,
        value_name = "SECONDS",
        env = "MIGRATOR_LOCK_TIMEOUT",
        hide_env_values = true,
        default_value = "3",
        value_parser = parse_setting
    )]
    pub(crate) lock_timeout: Duration,

    /// For how long a statement may take.
    ///
    /// PostgreSQL's `statement_timeout`, where a script does not set its own; 0 is without end. What
    /// the server sets for the role, unless told otherwise.
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

    /// How often a script tries again that had to make way, with longer and longer pauses.
    ///
    /// It is rolled back each time; one without a transaction tries its statement again.
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
    pub(crate) fn options(self) -> RunOptions {
        RunOptions {
            wait: self.wait.wait,
            lock_retries: self.lock_retries,
            ..self.limits.options()
        }
    }
}
