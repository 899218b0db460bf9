//! PostgreSQL, through the host's pool. Every call blocks: what limits it is in the address, or with the
//! server.

use spin_sdk_wasip2::pg4::{
    Connection as HostConnection, DbValue, ParameterValue, PgError, QueryError,
};

use crate::host::sql::{Param, SqlFailure, Value};
use crate::host::workarounds::{error_text, one_row};

/// False: a wait for PostgreSQL has no deadline in the component.
pub(crate) const HAS_DEADLINE: bool = false;

/// False: the host takes no certificate.
pub(crate) const TAKES_CA: bool = false;

/// A connection of the host's pool, back in it when this is dropped.
pub(crate) struct Connection(HostConnection);

impl Connection {
    /// Opens one; there is no `ca`, because the configuration refuses it. The error is the host's text.
    pub(crate) async fn open(address: &str, _ca: Option<&str>) -> Result<Self, String> {
        HostConnection::open(address).map(Self).map_err(|error| match error {
            PgError::ConnectionFailed(text) | PgError::Other(text) => text,
            other => other.to_string(),
        })
    }

    /// Runs a statement and gives its first row, if it has one.
    pub(crate) async fn first_row(
        &self,
        statement: &'static str,
        params: Vec<Param>,
    ) -> Result<Option<Vec<Value>>, SqlFailure> {
        let params: Vec<ParameterValue> = params.into_iter().map(Into::into).collect();
        let answer = self.0.query(&one_row::with_a_row(statement), &params)?;
        let row = answer.rows.into_iter().next();
        let values = row.map(|values| values.into_iter().map(Into::into).collect::<Vec<_>>());
        Ok(values.filter(|values| !one_row::is_no_row(values)))
    }
}

impl From<PgError> for SqlFailure {
    fn from(error: PgError) -> Self {
        match error {
            PgError::QueryFailed(QueryError::DbError(error)) => Self::Refused {
                constraint: error
                    .extras
                    .into_iter()
                    .find_map(|(name, value)| (name == "constraint").then_some(value)),
                message: error.message,
                code: error.code,
            },
            PgError::QueryFailed(QueryError::Text(text)) => error_text::read(text),
            PgError::ConnectionFailed(text) => Self::Connection(text),
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
