//! Errors of this package, with the place in a file and a hint on what to do.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// An error for the user. `Display` is for logs; `cargo up` prints the parts, with the line of the file.
#[derive(Debug)]
pub struct Error {
    kind: ErrorKind,
    message: String,
    details: String,
    hint: Option<String>,
    place: Option<Box<Place>>,
}

/// Cause of an error; it decides the exit code of `cargo up`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// Migrations are pending, and applying them was not asked for.
    Pending,
    /// An option, a variable or a configuration file is wrong.
    Config,
    /// A component cannot be built or loaded.
    Component,
    /// PostgreSQL cannot be started.
    Postgres,
    /// Another process uses the PostgreSQL cluster.
    ClusterInUse,
    /// The database cannot be migrated.
    Migration,
    /// The address cannot be listened on, or the process has too few resources.
    Listen,
    /// Spin cannot be started, or ended by itself.
    Spin,
    /// A signal came before the API was served.
    Interrupted,
}

/// Part of a text file.
#[derive(Debug)]
pub struct Place {
    /// The file.
    pub path: PathBuf,
    /// Its content.
    pub text: String,
    /// The bytes in question.
    pub span: Range<usize>,
}

impl ErrorKind {
    /// The exit code of `cargo up`.
    pub fn exit_code(self) -> u8 {
        match self {
            ErrorKind::Pending => 1,
            ErrorKind::Config => 2,
            ErrorKind::Component => 3,
            ErrorKind::Postgres | ErrorKind::ClusterInUse => 4,
            ErrorKind::Migration => 5,
            ErrorKind::Listen => 6,
            ErrorKind::Spin => 7,
            ErrorKind::Interrupted => 130,
        }
    }
}

impl Error {
    /// `message` is one line.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Error {
        let message = message.into();
        Error { kind, message, details: String::new(), hint: None, place: None }
    }

    /// For `map_err` on file operations: `action` is a verb, such as `read`.
    pub fn file(
        kind: ErrorKind,
        action: &str,
        path: impl AsRef<Path>,
    ) -> impl FnOnce(io::Error) -> Error {
        move |error| {
            let message = format!("cannot {action} `{}`: {error}", path.as_ref().display());
            Error::new(kind, message).with_hint(match error.kind() {
                io::ErrorKind::NotFound => "check that it exists",
                io::ErrorKind::StorageFull => "free some disk space",
                io::ErrorKind::InvalidData => "save it as UTF-8",
                _ => "check who owns it, and its permissions",
            })
        }
    }

    /// The address cannot be listened on.
    pub fn listen(address: SocketAddr, error: &io::Error) -> Error {
        if error.kind() == io::ErrorKind::AddrInUse {
            let next = SocketAddr::new(address.ip(), address.port().checked_add(1).unwrap_or(0));
            return Error::new(ErrorKind::Listen, format!("{address} is already in use"))
                .with_hint(format!(
                    "stop the program there, or use another address: `--listen {next}`"
                ));
        }
        Error::new(ErrorKind::Listen, format!("cannot listen on {address}: {error}"))
            .with_hint("use another address: `--listen`")
    }

    /// Adds lines to print below the message, such as the output of a program.
    #[must_use]
    pub fn with_details(mut self, details: impl Into<String>) -> Error {
        self.details = details.into();
        self
    }

    /// Adds a hint on what to do, unless there is one.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Error {
        self.hint.get_or_insert_with(|| hint.into());
        self
    }

    /// Adds the place in a file.
    #[must_use]
    pub(crate) fn at(mut self, place: Place) -> Error {
        self.place = Some(Box::new(place));
        self
    }

    /// The cause.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The problem, on one line.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Lines to print below the message; may be empty.
    pub fn details(&self) -> &str {
        &self.details
    }

    /// A hint on what to do.
    pub fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// The place, if the problem is in a file.
    pub fn place(&self) -> Option<&Place> {
        self.place.as_deref()
    }
}

impl std::error::Error for Error {}

impl From<postgres_server::Error> for Error {
    fn from(error: postgres_server::Error) -> Self {
        let kind = match error.kind() {
            postgres_server::ErrorKind::Postgres => ErrorKind::Postgres,
            postgres_server::ErrorKind::ClusterInUse => ErrorKind::ClusterInUse,
        };
        Error {
            hint: error.hint().map(str::to_owned),
            ..Error::new(kind, error.to_string()).with_details(error.details())
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(place) = &self.place {
            write!(f, "{place}: ")?;
        }
        f.write_str(&self.message)?;
        if self.details.is_empty() { Ok(()) } else { write!(f, "\n{}", self.details) }
    }
}

/// `spin.toml:3:5`, line and column from 1.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let before = &self.text[..self.span.start];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let line = before.matches('\n').count() + 1;
        let column = before[line_start..].chars().count() + 1;
        write!(f, "{}:{line}:{column}", self.path.display())
    }
}

/// The items in backticks, with commas.
pub(crate) fn list(items: &[impl fmt::Display]) -> String {
    items.iter().map(|item| format!("`{item}`")).collect::<Vec<_>>().join(", ")
}
