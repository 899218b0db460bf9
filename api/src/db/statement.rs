//! Runs a statement: connects, sends it, and tries again where that is safe.

use std::pin::pin;
use std::time::Instant;

use futures::future::{Either, FusedFuture, FutureExt, select};
use responses::time::{time_limit, within};

use super::error::DbError;
use super::open::{PATIENCE, open, open_late, printable};
use super::retry::{Backoff, Outage, Repeats};
use super::{Param, Row};
use crate::config::DatabaseConfig;
use crate::host::sql::{SqlFailure, Value};

/// The end of all attempts of a statement.
pub(super) struct Attempts {
    /// The first row of its answer.
    pub(super) result: Result<Option<Row>, DbError>,
    /// The number of attempts after the first one.
    pub(super) retries: u32,
    /// Of the last attempt that failed, where it has one.
    pub(super) sqlstate: Option<String>,
}

/// Runs the statement. A connection has to be had until `deadline`, also that of
/// the last attempt; the statement has its own limit then.
pub(super) async fn run(
    config: &DatabaseConfig,
    statement: &'static str,
    params: Vec<Param>,
    repeats: Repeats,
    deadline: Instant,
) -> Attempts {
    let mut backoff = Backoff::new();
    let (mut retries, mut sqlstate) = (0, None);
    loop {
        let result = attempt(config, statement, params.clone(), deadline).await;
        match &result {
            Ok(_) => Outage::ends(),
            Err(error) => {
                sqlstate = error.sqlstate().map(str::to_owned);
                if repeats.allow(error) {
                    if !Outage::is_known() && backoff.wait(deadline).await {
                        retries += 1;
                        continue;
                    }
                    Outage::begins();
                }
            }
        }
        return Attempts { result, retries, sqlstate };
    }
}

async fn attempt(
    config: &DatabaseConfig,
    statement: &'static str,
    params: Vec<Param>,
    deadline: Instant,
) -> Result<Option<Row>, DbError> {
    let limit = config.timeout;
    // One timer does for both waits, since nearly all are over before it: setting one costs the host.
    let mut timer = pin!(time_limit(PATIENCE.min(limit)).fuse());
    let connection = {
        let opening = pin!(open(config));
        match select(opening, timer.as_mut()).await {
            Either::Left((opened, _)) => opened?,
            Either::Right(((), opening)) => open_late(opening, config, deadline).await?,
        }
    };
    let sent = Instant::now();
    let mut answer = pin!(connection.first_row(statement, params));
    if !timer.is_terminated()
        && let Either::Left((answer, _)) = select(answer.as_mut(), timer).await
    {
        return read(answer, config, sent);
    }
    let left = limit.saturating_sub(sent.elapsed());
    match within(left, answer).await {
        Some(answer) => read(answer, config, sent),
        None => Err(DbError::TimedOut(limit)),
    }
}

fn read(
    answer: Result<Option<Vec<Value>>, SqlFailure>,
    config: &DatabaseConfig,
    sent: Instant,
) -> Result<Option<Row>, DbError> {
    Err(match answer {
        Ok(values) => return Ok(values.map(|values| Row(values.into_iter()))),
        // The host does not tell why. After such a time it is a limit of the server's, which are a little
        // below ours.
        Err(SqlFailure::Refused { code, .. })
            if code.is_empty() && sent.elapsed() >= config.timeout / 2 =>
        {
            DbError::TimedOut(config.timeout)
        }
        Err(SqlFailure::Refused { code, constraint, message }) => {
            DbError::Refused { code, constraint, message: printable(&message, config) }
        }
        Err(SqlFailure::Connection(text)) => DbError::Broken(printable(&text, config)),
        Err(SqlFailure::Other(text)) => DbError::Unexpected(printable(&text, config)),
    })
}
