//! Database access: one connection and one statement per request, within a deadline.
//!
//! The host keeps a pool, so opening a connection per request is cheap. It sets no limit on the
//! wait for one, so the deadline is ours. No transaction is ever begun here: the pooled connection
//! would stay in it, and later requests would write into it and lose.

pub(crate) mod error;
mod time;

use std::pin::pin;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use http::request::Parts;
use responses::time::within;

pub(crate) use self::error::DbError;
pub(crate) use self::time::Time;
use crate::config::{self, DatabaseConfig};
use crate::error::ApiError;
use crate::host::postgres::Connection;
pub(crate) use crate::host::sql::Param;
use crate::host::sql::{SqlFailure, Value};
use crate::http::request::RequestContext;
use crate::log::one_line;

/// One row, read by position: without rows there are no column names.
pub(crate) struct Row(std::vec::IntoIter<Value>);

/// The way to the database, for one request.
pub(crate) struct Database {
    context: RequestContext,
    config: &'static DatabaseConfig,
}

impl Database {
    /// Reads its part of the configuration; connects to nothing yet.
    pub(crate) async fn of(parts: &Parts) -> Result<Self, ApiError> {
        let context = RequestContext::of(parts)?;
        Ok(Self { context, config: config::database().await? })
    }

    /// Runs the one statement of this request and gives its first row, if it has one.
    pub(crate) async fn first_row(
        &self,
        statement: &'static str,
        params: Vec<Param>,
    ) -> Result<Option<Row>, ApiError> {
        let started = Instant::now();
        let result = run(self.config, statement, params).await;
        self.context.add_database_time(started.elapsed());
        Ok(result?)
    }

    /// Like [`Database::first_row`], for a statement that always has one.
    pub(crate) async fn row(
        &self,
        statement: &'static str,
        params: Vec<Param>,
    ) -> Result<Row, ApiError> {
        match self.first_row(statement, params).await? {
            Some(row) => Ok(row),
            None => Err(DbError::Unexpected("no row".to_owned()).into()),
        }
    }

    /// Time that the request has spent on the database.
    pub(crate) fn time_spent(&self) -> Duration {
        self.context.database_time()
    }

    /// True if the endpoint is a connection pooler's.
    pub(crate) fn is_pooled(&self) -> bool {
        self.config.url.is_pooled()
    }
}

async fn run(
    config: &DatabaseConfig,
    statement: &'static str,
    params: Vec<Param>,
) -> Result<Option<Row>, DbError> {
    let limit = config.timeout;
    let opened = OnceLock::new();
    let mut work = pin!(async {
        let connection = open(config).await?;
        let _ = opened.set(Instant::now());
        let answer = connection.first_row(statement, params).await;
        answer.map_err(|failure| classify(failure, config))
    });
    // One timer does for both waits, since nearly all are over before it: setting one costs the host.
    let answer = match (within(limit, work.as_mut()).await, opened.get()) {
        (Some(answer), _) => answer,
        (None, None) => Err(DbError::Unavailable(format!("none was free within {limit:?}"))),
        (None, Some(opened)) => within(limit.saturating_sub(opened.elapsed()), work)
            .await
            .unwrap_or(Err(DbError::TimedOut(limit))),
    };
    match answer {
        // The host does not tell why. After such a time it is a limit of the server's, which are a little
        // below ours.
        Err(DbError::Refused { code, .. })
            if code.is_empty() && opened.get().is_some_and(|at| at.elapsed() >= limit / 2) =>
        {
            Err(DbError::TimedOut(limit))
        }
        answer => Ok(answer?.map(|values| Row(values.into_iter()))),
    }
}

/// True once a pooler refused a connection with the statement timeout.
static REFUSES_SETTINGS: AtomicBool = AtomicBool::new(false);

/// Opens a connection that has the server's limit on statements; without it where a pooler is in
/// between that takes no settings.
async fn open(config: &DatabaseConfig) -> Result<Connection, DbError> {
    if !REFUSES_SETTINGS.load(Ordering::Relaxed) {
        match open_at(&config.address, config).await {
            Err(DbError::Unavailable(text)) if text.contains("startup parameter") => {
                REFUSES_SETTINGS.store(true, Ordering::Relaxed);
            }
            opened => return opened,
        }
    }
    open_at(&config.plain_address, config).await
}

async fn open_at(address: &str, config: &DatabaseConfig) -> Result<Connection, DbError> {
    let opened = Connection::open(address, config.ca.as_deref()).await;
    opened.map_err(|text| DbError::Unavailable(printable(&text, config)))
}

fn classify(failure: SqlFailure, config: &DatabaseConfig) -> DbError {
    match failure {
        SqlFailure::Refused { code, constraint, message } => {
            DbError::Refused { code, constraint, message: printable(&message, config) }
        }
        SqlFailure::Connection(text) => DbError::Unavailable(printable(&text, config)),
        SqlFailure::Other(text) => DbError::Unexpected(printable(&text, config)),
    }
}

/// A host's text for the log: one line without secrets.
fn printable(text: &str, config: &DatabaseConfig) -> String {
    let text = text.replace(&config.address, "***").replace(&config.plain_address, "***");
    match config.url.password() {
        Some(password) if !password.is_empty() => one_line(&text.replace(password, "***")),
        _ => one_line(&text),
    }
}

impl Row {
    /// The next column, a `text` that is not null.
    pub(crate) fn text(&mut self) -> Result<String, DbError> {
        match self.0.next() {
            Some(Value::Text(text)) => Ok(text),
            other => Err(unexpected("text", other.as_ref())),
        }
    }

    /// The next column, a `text` or null.
    pub(crate) fn optional_text(&mut self) -> Result<Option<String>, DbError> {
        match self.0.next() {
            Some(Value::Text(text)) => Ok(Some(text)),
            Some(Value::Null) => Ok(None),
            other => Err(unexpected("text", other.as_ref())),
        }
    }

    /// The next column, what `timestamptz_send` gives: microseconds since 2000.
    pub(crate) fn time(&mut self) -> Result<Time, DbError> {
        self.optional_time()?.ok_or_else(|| unexpected("bytea", Some(&Value::Null)))
    }

    /// The next column, the same or null.
    pub(crate) fn optional_time(&mut self) -> Result<Option<Time>, DbError> {
        match self.0.next() {
            Some(Value::Bytes(bytes)) => match bytes.try_into() {
                Ok(bytes) => Ok(Some(Time(i64::from_be_bytes(bytes)))),
                Err(_) => Err(DbError::Unexpected("a time that has not eight bytes".to_owned())),
            },
            Some(Value::Null) => Ok(None),
            other => Err(unexpected("bytea", other.as_ref())),
        }
    }

    /// The next column, an `int4` that is not null.
    pub(crate) fn int4(&mut self) -> Result<i32, DbError> {
        match self.0.next() {
            Some(Value::Int4(number)) => Ok(number),
            other => Err(unexpected("int4", other.as_ref())),
        }
    }

    /// The next column, an `int4` or null.
    pub(crate) fn optional_int4(&mut self) -> Result<Option<i32>, DbError> {
        match self.0.next() {
            Some(Value::Int4(number)) => Ok(Some(number)),
            Some(Value::Null) => Ok(None),
            other => Err(unexpected("int4", other.as_ref())),
        }
    }

    /// The next column, an `int8` that is not null.
    pub(crate) fn int8(&mut self) -> Result<i64, DbError> {
        match self.0.next() {
            Some(Value::Int8(number)) => Ok(number),
            other => Err(unexpected("int8", other.as_ref())),
        }
    }

    /// The next column, an `int8` or null.
    pub(crate) fn optional_int8(&mut self) -> Result<Option<i64>, DbError> {
        match self.0.next() {
            Some(Value::Int8(number)) => Ok(Some(number)),
            Some(Value::Null) => Ok(None),
            other => Err(unexpected("int8", other.as_ref())),
        }
    }

    /// The next column, a `bool` that is not null.
    pub(crate) fn bool(&mut self) -> Result<bool, DbError> {
        match self.0.next() {
            Some(Value::Bool(value)) => Ok(value),
            other => Err(unexpected("bool", other.as_ref())),
        }
    }
}

/// Names the kind of value that came, not the value.
fn unexpected(expected: &str, found: Option<&Value>) -> DbError {
    let found = match found {
        None => "no column",
        Some(Value::Null) => "null",
        Some(_) => "another type",
    };
    DbError::Unexpected(format!("{found} where {expected} was expected"))
}
