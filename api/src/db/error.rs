//! The ways in which a statement can fail.

use std::time::Duration;

/// Reasons why a statement failed. The texts are for the log, never for a client.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum DbError {
    /// No connection: refused, unknown host, bad password, not allowed, none free in time.
    #[error("no database connection: {0}")]
    Unavailable(String),
    /// The connection broke under the statement; whether it took effect is unknown.
    #[error("the connection to the database broke: {0}")]
    Broken(String),
    /// The statement did not finish in time; whether it took effect is unknown.
    #[error("no answer from the database within {0:?}")]
    TimedOut(Duration),
    /// PostgreSQL refused the statement.
    #[error("database error {code}: {message}")]
    Refused {
        /// The SQLSTATE; empty where the host does not tell.
        code: String,
        /// The violated constraint, where there is one.
        constraint: Option<String>,
        /// PostgreSQL's message.
        message: String,
    },
    /// The answer was not what the statement promises: a fault of this program.
    #[error("unexpected answer from the database: {0}")]
    Unexpected(String),
}

impl DbError {
    /// The SQLSTATE, where PostgreSQL answered and the host tells it.
    pub(crate) fn sqlstate(&self) -> Option<&str> {
        match self {
            Self::Refused { code, .. } if !code.is_empty() => Some(code),
            _ => None,
        }
    }

    /// True if PostgreSQL refused a value: a type, a constraint, or an exception of a trigger; or if it may
    /// be so, because the host does not tell.
    pub(crate) fn is_about_values(&self) -> bool {
        let Self::Refused { code, .. } = self else { return false };
        code.is_empty() || ["22", "23", "P0"].iter().any(|class| code.starts_with(class))
    }
}
