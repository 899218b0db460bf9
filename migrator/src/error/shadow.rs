//! Errors of shadow databases.

use tokio_postgres::error::SqlState;

use super::diagnostic::diagnostics;
use super::pg_error::{describe, has_code};
use super::{Error, FailedScript, kind, lines};

diagnostics! {
    /// A failure of a shadow database, or in it.
    pub enum ShadowError {
        /// The server did not create it.
        #[error("cannot make a shadow database: {}", describe(source))]
        #[diagnostic(
            if is_denied(source) { kind::SHADOW_DATABASE_DENIED } else { kind::SHADOW_DATABASE },
            details = "nothing was changed",
            hint = if is_denied(source) {
                "with `--shadow-url` (`MIGRATOR_SHADOW_URL`) it is made on another server; or allow the role to make databases: alter role NAME createdb"
            } else {
                "with `--shadow-url` (`MIGRATOR_SHADOW_URL`) it is made on another server"
            },
        )]
        Create { source: tokio_postgres::Error },
        /// It could not be dropped.
        #[error("cannot remove the shadow database `{name}`: {reason}")]
        #[diagnostic(kind::SHADOW_DATABASE, hint = "the next run of the same command removes it")]
        Remove { name: String, reason: String },
        /// The schema of a database could not be copied into it.
        #[error("cannot copy the schema into a shadow database: {}", describe(source))]
        #[diagnostic(
            kind::SHADOW_COPY,
            details = "nothing was changed",
            hint = "without a copy no script can be tried: what the schema needs must be on the shadow database's server as well",
        )]
        Copy { source: tokio_postgres::Error },
        /// A statement failed in a copy of the schema.
        #[error("a statement of the script fails in a copy of the schema: {reason}")]
        #[diagnostic(
            kind::SHADOW_COPY,
            details = lines(statement.lines().map(str::to_owned), "nothing was changed, and no script was written"),
            hint = "change by hand what is in its way, or leave it out with `--ignore NAME`; then run the command again",
        )]
        Try { statement: String, reason: String },
        /// A script failed in it.
        #[error("{failed}")]
        #[diagnostic(
            kind::FAILED_SCRIPT,
            details = failed.details_in_shadow(),
            hint = format!(
                "fix V{}: the migrations must run on an empty database",
                failed.name.version
            ),
        )]
        FailedScript(failed: Box<FailedScript>),
        /// Ctrl-C, or another signal to end.
        #[error("{}", match signal {
            Signal::Interrupt => "interrupted",
            Signal::Terminate => "asked to end",
            Signal::Hangup => "the terminal is gone",
        })]
        #[diagnostic(
            match signal {
                Signal::Interrupt => kind::SIGNAL_INTERRUPT,
                Signal::Terminate => kind::SIGNAL_TERMINATE,
                Signal::Hangup => kind::SIGNAL_HANGUP,
            },
            details = "the shadow database is removed; nothing was changed",
        )]
        Interrupted { signal: Signal },
    }
}

/// A signal to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// The terminal is gone.
    Hangup,
    /// Ctrl-C.
    Interrupt,
    /// SIGTERM.
    Terminate,
}

impl Error {
    /// The same error, where the migrations run in a shadow database.
    pub(crate) fn in_shadow(self) -> Self {
        match self {
            Self::FailedScript(failed) => ShadowError::FailedScript(failed).into(),
            other => other,
        }
    }
}

/// Denied to the role, or to everybody on this server.
fn is_denied(error: &tokio_postgres::Error) -> bool {
    has_code(error, &[SqlState::INSUFFICIENT_PRIVILEGE, SqlState::FEATURE_NOT_SUPPORTED])
}
