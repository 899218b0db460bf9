//! Errors of the driver and the system in one line.

use std::error::Error as _;
use std::io;

use tokio_postgres::error::SqlState;

/// An error of the driver in one line: what PostgreSQL said, with its code, or else the cause
/// without the driver's "error connecting to server" and the system's error number, which say
/// nothing more.
pub(crate) fn describe(error: &tokio_postgres::Error) -> String {
    if let Some(error) = error.as_db_error() {
        return format!("{} ({})", error.message(), error.code().code());
    }
    error.source().map_or_else(|| error.to_string(), describe_cause)
}

/// An error of the system or the network in one line.
pub(crate) fn describe_io(error: &io::Error) -> String {
    describe_cause(error)
}

/// PostgreSQL's answer with one of these codes.
pub(crate) fn has_code(error: &tokio_postgres::Error, codes: &[SqlState]) -> bool {
    error.code().is_some_and(|code| codes.contains(code))
}

fn describe_cause(error: &(dyn std::error::Error + 'static)) -> String {
    let mut cause = error;
    let mut text = cause.to_string();
    while let Some(deeper) = cause.source() {
        // Some errors repeat their cause in their own text.
        if !text.ends_with(&deeper.to_string()) {
            text = format!("{text}: {deeper}");
        }
        cause = deeper;
    }
    match text.rfind(" (os error ") {
        Some(number) => text[..number].to_lowercase(),
        None => text,
    }
}
