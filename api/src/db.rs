//! The database door: one connection and one statement per request, within a deadline.
//!
//! The host keeps a pool, so opening a connection per request is cheap. It sets no limit on the
//! wait for one, so the deadline is ours. No transaction is ever begun here: the pooled connection
//! would stay in it, and later requests would write into it and lose.

use std::time::{Duration, Instant};

use axum::extract::FromRequestParts;
use http::request::Parts;
use spin_sdk::pg::{
    Certificate, Connection, DbValue, Error as SdkError, OpenOptions, ParameterValue, PgError,
    QueryError,
};

use crate::config::Config;
use crate::error::ApiError;
use crate::log_text::one_line;
use crate::request::RequestContext;
use crate::time::within;

/// A value for a statement's `$n`. PostgreSQL must infer exactly this type there, so every
/// statement casts: `$1::text`, `$2::int4`, `$3::bool`.
#[derive(Clone, Debug)]
pub(crate) enum Param {
    /// `text`.
    Text(String),
    /// `text`, or null.
    OptionalText(Option<String>),
    /// `int4`.
    Int4(i32),
    /// `bool`.
    Bool(bool),
}

/// One row, read by position: without rows there are no column names.
pub(crate) struct Row(std::vec::IntoIter<DbValue>);

/// Why a statement gave no answer. The texts are for the log, never for a client.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum DbError {
    /// No connection: refused, unknown host, bad password, not allowed, none free in time.
    #[error("no database connection: {0}")]
    Unavailable(String),
    /// The statement did not finish in time; whether it took effect is unknown.
    #[error("no answer from the database within {0:?}")]
    TimedOut(Duration),
    /// PostgreSQL refused the statement.
    #[error("database error {code}: {message}")]
    Refused {
        /// The SQLSTATE.
        code: String,
        /// The violated constraint, where there is one.
        constraint: Option<String>,
        /// The table that the error is about, where there is one.
        table: Option<String>,
        /// PostgreSQL's message.
        message: String,
    },
    /// The answer was not what the statement promises: a fault of this program.
    #[error("unexpected answer from the database: {0}")]
    Unexpected(String),
}

/// The way to the database, for one request. As an extractor it fails where the configuration does.
pub(crate) struct Database(RequestContext);

impl<S: Sync> FromRequestParts<S> for Database {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let context = RequestContext::of(parts)?;
        context.config()?;
        Ok(Self(context))
    }
}

impl Database {
    /// Runs the one statement of this request and gives its first row, if it has one.
    pub(crate) async fn first_row(
        &self,
        statement: &'static str,
        params: Vec<Param>,
    ) -> Result<Option<Row>, ApiError> {
        let config = self.0.config()?;
        let started = Instant::now();
        let result = run(config, statement, params).await;
        self.0.add_database_time(started.elapsed());
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

    /// What the request has spent on the database.
    pub(crate) fn time_spent(&self) -> Duration {
        self.0.database_time()
    }

    /// Whether the endpoint is a connection pooler's.
    pub(crate) fn is_pooled(&self) -> bool {
        self.0.good_config().is_some_and(|config| config.database.is_pooled())
    }

    /// The operator's budget of connections.
    pub(crate) fn pool_size(&self) -> i64 {
        self.0.good_config().map_or(0, |config| config.pool_size)
    }

    /// Whether a first task may make the caller's account.
    pub(crate) fn provisions_users(&self) -> bool {
        self.0.good_config().is_some_and(|config| config.provision_users)
    }
}

async fn run(
    config: &Config,
    statement: &'static str,
    params: Vec<Param>,
) -> Result<Option<Row>, DbError> {
    let limit = config.database_timeout;
    let connection = within(limit, open(config))
        .await
        .ok_or_else(|| DbError::Unavailable(format!("none was free within {limit:?}")))??;
    let params: Vec<ParameterValue> = params.into_iter().map(Into::into).collect();
    let answer = async {
        let mut result = connection.query(statement, params).await?;
        let row = result.rows().next().await;
        // A statement has at most one row. Reading on until there is none lets the host finish, and
        // only then does the result tell an error from 'no rows'. After the end, though, another
        // read would be a trap.
        if row.is_some() {
            while result.rows().next().await.is_some() {}
        }
        result.result().await?;
        Ok::<_, SdkError>(row)
    };
    match within(limit, answer).await {
        None => Err(DbError::TimedOut(limit)),
        Some(Ok(row)) => Ok(row.map(|values| Row(values.into_iter()))),
        Some(Err(error)) => Err(classify(error, config)),
    }
}

async fn open(config: &Config) -> Result<Connection, DbError> {
    let address = config.address.as_str();
    let opened = match &config.database_ca {
        None => Connection::open(address).await,
        Some(pem) => {
            let ca_root = Some(Certificate::Text(pem.clone()));
            Connection::open_with_options(address, OpenOptions { ca_root }).await
        }
    };
    opened.map_err(|error| match error {
        SdkError::PgError(PgError::ConnectionFailed(text) | PgError::Other(text)) => {
            DbError::Unavailable(printable(&text, config))
        }
        other => DbError::Unavailable(printable(&other.to_string(), config)),
    })
}

fn classify(error: SdkError, config: &Config) -> DbError {
    match error {
        SdkError::PgError(PgError::QueryFailed(QueryError::DbError(error))) => {
            let extra = |name: &str| {
                error.extras.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone())
            };
            DbError::Refused {
                constraint: extra("constraint"),
                table: extra("table"),
                message: printable(&error.message, config),
                code: error.code,
            }
        }
        // Without a SQLSTATE the connection broke on the way: the server went away.
        SdkError::PgError(
            PgError::QueryFailed(QueryError::Text(text)) | PgError::ConnectionFailed(text),
        ) => DbError::Unavailable(printable(&text, config)),
        other => DbError::Unexpected(printable(&other.to_string(), config)),
    }
}

/// What of a host's text may stand in the log: one line without secrets.
fn printable(text: &str, config: &Config) -> String {
    let text = text.replace(&config.address, "***");
    match config.database.password() {
        Some(password) if !password.is_empty() => one_line(&text.replace(password, "***")),
        _ => one_line(&text),
    }
}

impl From<Param> for ParameterValue {
    fn from(param: Param) -> Self {
        match param {
            Param::Text(text) | Param::OptionalText(Some(text)) => Self::Str(text),
            Param::OptionalText(None) => Self::DbNull,
            Param::Int4(number) => Self::Int32(number),
            Param::Bool(value) => Self::Boolean(value),
        }
    }
}

impl Row {
    /// The next column, a `text` that is not null.
    pub(crate) fn text(&mut self) -> Result<String, DbError> {
        match self.0.next() {
            Some(DbValue::Str(text)) => Ok(text),
            other => Err(unexpected("text", other.as_ref())),
        }
    }

    /// The next column, a `text` or null.
    pub(crate) fn optional_text(&mut self) -> Result<Option<String>, DbError> {
        match self.0.next() {
            Some(DbValue::Str(text)) => Ok(Some(text)),
            Some(DbValue::DbNull) => Ok(None),
            other => Err(unexpected("text", other.as_ref())),
        }
    }

    /// The next column, an `int4` that is not null.
    pub(crate) fn int4(&mut self) -> Result<i32, DbError> {
        match self.0.next() {
            Some(DbValue::Int32(number)) => Ok(number),
            other => Err(unexpected("int4", other.as_ref())),
        }
    }

    /// The next column, an `int4` or null.
    pub(crate) fn optional_int4(&mut self) -> Result<Option<i32>, DbError> {
        match self.0.next() {
            Some(DbValue::Int32(number)) => Ok(Some(number)),
            Some(DbValue::DbNull) => Ok(None),
            other => Err(unexpected("int4", other.as_ref())),
        }
    }

    /// The next column, an `int8` or null.
    pub(crate) fn optional_int8(&mut self) -> Result<Option<i64>, DbError> {
        match self.0.next() {
            Some(DbValue::Int64(number)) => Ok(Some(number)),
            Some(DbValue::DbNull) => Ok(None),
            other => Err(unexpected("int8", other.as_ref())),
        }
    }

    /// The next column, an `int8` that is not null.
    pub(crate) fn int8(&mut self) -> Result<i64, DbError> {
        match self.0.next() {
            Some(DbValue::Int64(number)) => Ok(number),
            other => Err(unexpected("int8", other.as_ref())),
        }
    }

    /// The next column, a `bool` that is not null.
    pub(crate) fn bool(&mut self) -> Result<bool, DbError> {
        match self.0.next() {
            Some(DbValue::Boolean(value)) => Ok(value),
            other => Err(unexpected("bool", other.as_ref())),
        }
    }
}

/// Names the kind of value that came, not the value.
fn unexpected(expected: &str, found: Option<&DbValue>) -> DbError {
    let found = match found {
        None => "no column",
        Some(DbValue::DbNull) => "null",
        Some(_) => "another type",
    };
    DbError::Unexpected(format!("{found} where {expected} was expected"))
}
