//! Session settings before a script runs, above all its time limits.

use std::time::Duration;

use tokio_postgres::types::Type;
use tokio_postgres::{Client, GenericClient};

use crate::migrations::File;
use crate::model::TransactionMode;
use crate::run::options::RunOptions;
use crate::sql::{self, Scope};

/// Forgets what a script may have set for the session (`set search_path`, as dumps do), so that no
/// script depends on which ones ran before it in the same run.
const RESET_SESSION: &str = "reset session authorization; reset role; reset all";

/// Lets the server notice during a long statement that this program is gone. Not every platform
/// can.
const WATCH_CLIENT: &str = "set client_connection_check_interval = '2s'";

/// The lexer here reads strings as the standard has them.
const STANDARD_STRINGS: &str = "set standard_conforming_strings = on";

/// For one setting of the session. `$1` its name, `$2` its value.
const SET: &str = "select pg_catalog.set_config($1, $2, false)";

/// The session's own limit, in milliseconds.
const STATEMENT_TIMEOUT: &str =
    "select setting::int8 from pg_catalog.pg_settings where name = 'statement_timeout'";

/// A time limit of a script's statements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Limit {
    /// Zero is without end.
    Of(Duration),
    /// Whatever the server sets for the session.
    Server,
    /// Whatever the script sets itself.
    Script,
}

/// The time limits of a script's statements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    pub(crate) lock_timeout: Limit,
    pub(crate) statement_timeout: Limit,
}

impl Limits {
    pub(crate) fn of(file: &File, options: &RunOptions) -> Self {
        let is_set = |setting| {
            sql::statements(&file.sql).iter().any(|statement| match file.mode {
                TransactionMode::One => statement.sets(setting).is_some(),
                // Here a statement is a transaction, and a `set local` ends with it.
                TransactionMode::None => statement.sets(setting) == Some(Scope::Session),
            })
        };
        let lock_timeout = Limit::Of(options.lock_timeout);
        let statement_timeout = options.statement_timeout.map_or(Limit::Server, Limit::Of);
        Self {
            lock_timeout: if is_set("LOCK_TIMEOUT") { Limit::Script } else { lock_timeout },
            statement_timeout: if is_set("STATEMENT_TIMEOUT") {
                Limit::Script
            } else {
                statement_timeout
            },
        }
    }
}

impl Limit {
    /// As a plan shows it: none where the script sets it. `server` is what the server sets.
    pub(crate) fn shown(self, server: Duration) -> Option<Duration> {
        match self {
            Self::Of(limit) => Some(limit),
            Self::Server => Some(server),
            Self::Script => None,
        }
    }
}

/// Gets a session ready for a script.
pub(crate) async fn prepare(
    client: &Client,
    file: &File,
    options: &RunOptions,
) -> Result<(), tokio_postgres::Error> {
    client.batch_execute(RESET_SESSION).await?;
    if file.mode == TransactionMode::None {
        client.batch_execute(STANDARD_STRINGS).await?;
    }
    let limits = Limits::of(file, options);
    if let Limit::Of(limit) = limits.lock_timeout {
        set(client, "lock_timeout", limit).await?;
    }
    if let Limit::Of(limit) = limits.statement_timeout {
        set(client, "statement_timeout", limit).await?;
    }
    // A server that cannot watch notices a lost client when the statement is over: later, not
    // wrong.
    let _ = client.batch_execute(WATCH_CLIENT).await;
    Ok(())
}

/// Sets a limit of the session.
pub(crate) async fn set(
    client: &impl GenericClient,
    setting: &str,
    limit: Duration,
) -> Result<(), tokio_postgres::Error> {
    let value = value(limit);
    client.query_typed(SET, &[(&setting, Type::TEXT), (&value, Type::TEXT)]).await.map(|_| ())
}

/// As PostgreSQL's settings have it. Less than a millisecond would be none at all.
pub(crate) fn value(limit: Duration) -> String {
    let milliseconds = limit.as_millis();
    let milliseconds = if limit.is_zero() { 0 } else { milliseconds.max(1) };
    format!("{milliseconds}ms")
}

/// The server's statement timeout of this session.
pub(crate) async fn statement_timeout(client: &Client) -> Result<Duration, tokio_postgres::Error> {
    let milliseconds: i64 = client.query_typed_one(STATEMENT_TIMEOUT, &[]).await?.get(0);
    Ok(Duration::from_millis(milliseconds.max(0).unsigned_abs()))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Limit, Limits, value};
    use crate::migrations::File;
    use crate::model::TransactionMode;
    use crate::run::options::RunOptions;

    #[test]
    fn a_script_that_sets_a_limit_keeps_it() {
        let options = RunOptions::default();
        let limits = |mode, sql: &str| {
            let file = File { name: String::new(), path: String::new(), sql: sql.to_owned(), mode };
            let limits = Limits::of(&file, &options);
            (limits.lock_timeout == Limit::Script, limits.statement_timeout == Limit::Script)
        };
        for (mode, sql, own) in [
            (TransactionMode::One, "select 1", (false, false)),
            (TransactionMode::One, "set local lock_timeout = 0", (true, false)),
            (TransactionMode::None, "set local lock_timeout = 0", (false, false)),
            (TransactionMode::None, "set statement_timeout = 0", (false, true)),
        ] {
            assert_eq!(limits(mode, sql), own, "{sql}");
        }
    }

    #[test]
    fn values_are_what_postgresql_reads() {
        for (limit, text) in [
            (Duration::ZERO, "0ms"),
            (Duration::from_secs(3), "3000ms"),
            (Duration::from_micros(10), "1ms"),
        ] {
            assert_eq!(value(limit), text);
        }
    }
}
