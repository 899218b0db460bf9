//! The log: standard error, a JSON document a line.

use serde::Serialize;

use crate::config::{self, LogLevel};
use crate::db::Time;
use crate::host::stderr;

/// Maximum length of a host's text, in characters.
const MAX_CHARS: usize = 300;

/// A host's text for the log: one line, without a backtrace.
pub(crate) fn one_line(text: &str) -> String {
    let head = text.split("Stack backtrace:").next().unwrap_or_default();
    let line = head.split_whitespace().collect::<Vec<_>>().join(" ");
    line.chars().take(MAX_CHARS).collect()
}

/// The time as it stands in the log.
pub(crate) fn time() -> String {
    Time::now().to_rfc3339()
}

/// Writes a line at once, so that lines of concurrent requests do not mix. A log that cannot be
/// written must not end the request.
pub(crate) fn write(document: &impl Serialize) {
    if let Ok(mut line) = serde_json::to_vec(document) {
        line.push(b'\n');
        stderr::write(&line);
    }
}

/// Logs a warning for the operator that is not about a failed request.
pub(crate) async fn warn(warning: &str) {
    #[derive(Serialize)]
    struct Warning<'a> {
        time: String,
        warning: &'a str,
    }

    if matches!(config::log_level().await, LogLevel::Warn | LogLevel::Info) {
        write(&Warning { time: time(), warning });
    }
}
