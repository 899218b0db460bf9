//! The errors of this package, each with a hint on what to do.

use std::io;
use std::path::Path;

/// PostgreSQL cannot be started. `Display` is the message.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    kind: ErrorKind,
    message: String,
    details: String,
    hint: Option<String>,
}

/// Cause of an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// PostgreSQL cannot be started.
    Postgres,
    /// Another process uses the cluster.
    ClusterInUse,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), details: String::new(), hint: None }
    }

    /// For `map_err` on file operations: `action` is a verb, such as `read`.
    pub(crate) fn file(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |error| {
            let message = format!("cannot {action} `{}`: {error}", path.display());
            Self::new(ErrorKind::Postgres, message).with_hint(match error.kind() {
                io::ErrorKind::NotFound => "check that it exists",
                io::ErrorKind::StorageFull => "free some disk space",
                _ => "check who owns it, and its permissions",
            })
        }
    }

    pub(crate) fn with_details(self, details: impl Into<String>) -> Self {
        Self { details: details.into(), ..self }
    }

    pub(crate) fn with_hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    /// The cause.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Lines to print below the message, such as the end of a log; may be empty.
    pub fn details(&self) -> &str {
        &self.details
    }

    /// What to do.
    pub fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }
}
