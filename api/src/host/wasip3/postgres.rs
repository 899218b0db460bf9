//! PostgreSQL, through the host's pool.

use responses::host::worker;
use spin_sdk::pg::{
    Certificate, Connection as HostConnection, DbValue, Error, OpenOptions, ParameterValue,
    PgError, QueryError,
};

use crate::host::sql::{Param, SqlFailure, Value};

/// True: the component can give up a wait for PostgreSQL.
pub(crate) const HAS_DEADLINE: bool = true;

/// True: the host takes the certificate of a private certificate authority.
pub(crate) const TAKES_CA: bool = true;

/// A connection of the host's pool, back in it when this is dropped.
pub(crate) struct Connection(HostConnection);

impl Connection {
    /// Opens one; `ca` is the PEM text of a private certificate authority. The error is the host's text.
    pub(crate) async fn open(address: &str, ca: Option<&str>) -> Result<Self, String> {
        let opened = match ca {
            None => HostConnection::open(address).await,
            Some(pem) => {
                let ca_root = Some(Certificate::Text(pem.to_owned()));
                HostConnection::open_with_options(address, OpenOptions { ca_root }).await
            }
        };
        opened.map(Self).map_err(|error| match error {
            Error::PgError(PgError::ConnectionFailed(text) | PgError::Other(text)) => text,
            other => other.to_string(),
        })
    }

    /// Runs a statement and gives its first row, if it has one.
    pub(crate) async fn first_row(
        &self,
        statement: &'static str,
        params: Vec<Param>,
    ) -> Result<Option<Vec<Value>>, SqlFailure> {
        let params = params.into_iter().map(Into::into).collect();
        let answer = self.ask(statement, params).await;
        worker::waited();
        let row = answer.map_err(SqlFailure::from)?;
        Ok(row.map(|values| values.into_iter().map(Into::into).collect()))
    }

    async fn ask(
        &self,
        statement: &'static str,
        params: Vec<ParameterValue>,
    ) -> Result<Option<Vec<DbValue>>, Error> {
        let mut result = self.0.query(statement, params).await?;
        // A statement has at most one row, so no end of the rows is waited for: each wait costs the host.
        let row = result.rows().next().await;
        // Only the result distinguishes an error from 'no rows', and only with it is a change committed.
        if row.is_none() || !only_reads(statement) {
            result.result().await?;
        }
        Ok(row)
    }
}

/// True for a statement that changes nothing: the others begin with `with` or `values`, or say what they do.
fn only_reads(statement: &str) -> bool {
    statement.starts_with("select ")
}

impl From<Error> for SqlFailure {
    fn from(error: Error) -> Self {
        match error {
            Error::PgError(PgError::QueryFailed(QueryError::DbError(error))) => Self::Refused {
                constraint: error
                    .extras
                    .into_iter()
                    .find_map(|(name, value)| (name == "constraint").then_some(value)),
                message: error.message,
                code: error.code,
            },
            // Without a SQLSTATE, the connection broke: the server is gone.
            Error::PgError(
                PgError::QueryFailed(QueryError::Text(text)) | PgError::ConnectionFailed(text),
            ) => Self::Connection(text),
            other => Self::Other(other.to_string()),
        }
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

impl From<DbValue> for Value {
    fn from(value: DbValue) -> Self {
        match value {
            DbValue::DbNull => Self::Null,
            DbValue::Str(text) => Self::Text(text),
            DbValue::Binary(bytes) => Self::Bytes(bytes),
            DbValue::Int32(number) => Self::Int4(number),
            DbValue::Int64(number) => Self::Int8(number),
            DbValue::Boolean(value) => Self::Bool(value),
            _ => Self::Other,
        }
    }
}
