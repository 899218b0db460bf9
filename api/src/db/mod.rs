//! Database access: one connection and one statement per request, within a deadline.
//!
//! No transaction is ever begun here: the pooled connection would stay in it, and later requests would
//! write into it and lose.

pub(crate) mod error;
mod open;
mod retry;
mod statement;
mod time;

use std::time::{Duration, Instant};

use http::Method;

pub(crate) use self::error::DbError;
use self::retry::Repeats;
pub(crate) use self::time::Time;
use crate::config;
use crate::error::ApiError;
pub(crate) use crate::host::sql::Param;
use crate::host::sql::Value;
use crate::http::request::RequestContext;

/// The least time to connect of a request's second statement: the first one may have spent the rest.
const LEAST_CONNECT_TIME: Duration = Duration::from_secs(1);

/// One row, read by position: without rows there are no column names.
pub(crate) struct Row(std::vec::IntoIter<Value>);

/// The way to the database, for one request.
pub(crate) struct Database {
    context: RequestContext,
    repeats: Repeats,
}

impl Database {
    /// Reads no configuration and connects to nothing: many a request is refused before its statement.
    pub(crate) fn of(context: &RequestContext, method: &Method) -> Self {
        let repeats = if method.is_safe() { Repeats::OfReads } else { Repeats::OfWrites };
        Self { context: context.clone(), repeats }
    }

    /// The same, for a statement that is not tried again: it reports how the database is now.
    pub(crate) fn without_retries(self) -> Self {
        Self { repeats: Repeats::None, ..self }
    }

    /// Runs the one statement of this request and gives its first row, if it has one.
    pub(crate) async fn first_row(
        &self,
        statement: &'static str,
        params: Vec<Param>,
    ) -> Result<Option<Row>, ApiError> {
        let config = config::database().await?;
        let started = Instant::now();
        let left = config.connect_timeout.saturating_sub(self.time_spent());
        let deadline = started + left.max(LEAST_CONNECT_TIME.min(config.connect_timeout));
        let attempts = statement::run(config, statement, params, self.repeats, deadline).await;
        let mut database = self.context.database();
        database.time += started.elapsed();
        database.retries += attempts.retries;
        database.sqlstate = attempts.sqlstate;
        Ok(attempts.result?)
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
}

impl Row {
    /// True if the next column is null.
    pub(crate) fn begins_with_null(&self) -> bool {
        matches!(self.0.as_slice(), [Value::Null, ..])
    }

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
        match self.optional_bytes()?.map(<[u8; 8]>::try_from) {
            Some(Ok(bytes)) => Ok(Time(i64::from_be_bytes(bytes))),
            Some(Err(_)) => Err(DbError::Unexpected("a time that has not eight bytes".to_owned())),
            None => Err(unexpected("bytea", Some(&Value::Null))),
        }
    }

    /// The next column, a `bytea` or null.
    pub(crate) fn optional_bytes(&mut self) -> Result<Option<Vec<u8>>, DbError> {
        match self.0.next() {
            Some(Value::Bytes(bytes)) => Ok(Some(bytes)),
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
