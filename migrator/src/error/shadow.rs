//! Errors of shadow databases.

use thiserror::Error;
use tokio_postgres::error::SqlState;

use crate::error::exit_code;
use crate::error::pg_error::describe;

/// Why there is no shadow database, or why one is left.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ShadowError {
    /// The server did not make one.
    #[error("cannot make a shadow database: {}", describe(source))]
    Create {
        /// The answer.
        source: tokio_postgres::Error,
    },
    /// It could not be removed.
    #[error("cannot remove the shadow database `{name}`: {reason}")]
    Remove {
        /// Which.
        name: String,
        /// Why not.
        reason: String,
    },
    /// Ctrl-C, or another request to end.
    #[error("{}", match signal {
        Signal::Interrupt => "interrupted",
        Signal::Terminate => "asked to end",
        Signal::Hangup => "the terminal is gone",
    })]
    Interrupted {
        /// Which.
        signal: Signal,
    },
}

/// A request to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// The terminal is gone.
    Hangup,
    /// Ctrl-C.
    Interrupt,
    /// Somebody asked the process to end.
    Terminate,
}

impl Signal {
    /// 128 and the number of the signal, as shells have it.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Hangup => exit_code::HUNG_UP,
            Self::Interrupt => exit_code::INTERRUPTED,
            Self::Terminate => exit_code::TERMINATED,
        }
    }
}

impl ShadowError {
    pub(crate) fn details(&self) -> Vec<String> {
        match self {
            Self::Create { .. } => vec!["nothing was changed".to_owned()],
            Self::Remove { .. } => Vec::new(),
            Self::Interrupted { .. } => {
                vec!["the shadow database is removed; nothing was changed".to_owned()]
            }
        }
    }

    pub(crate) fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Create { source } if is_refusal(source) => {
                "with `--shadow-url` (`MIGRATOR_SHADOW_URL`) it is made on another server; or allow the role to make databases: alter role NAME createdb"
            }
            Self::Create { .. } => {
                "with `--shadow-url` (`MIGRATOR_SHADOW_URL`) it is made on another server"
            }
            Self::Remove { .. } => "the next run of the same command removes it",
            Self::Interrupted { .. } => return None,
        };
        Some(hint.to_owned())
    }

    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Create { source } if is_refusal(source) => exit_code::USAGE,
            Self::Create { .. } | Self::Remove { .. } => exit_code::UNREACHABLE_OR_LOCKED,
            Self::Interrupted { signal } => signal.exit_code(),
        }
    }

    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Create { .. } | Self::Remove { .. } => "shadow_database",
            Self::Interrupted { .. } => "interrupted",
        }
    }
}

/// Whether the role may not, or nobody may on this server.
fn is_refusal(error: &tokio_postgres::Error) -> bool {
    let refusals = [SqlState::INSUFFICIENT_PRIVILEGE, SqlState::FEATURE_NOT_SUPPORTED];
    error.code().is_some_and(|code| refusals.contains(code))
}
