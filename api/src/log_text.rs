//! Text of the host's that goes into the log.

/// The longest that a host's text may be, in characters.
const MAX_CHARS: usize = 300;

/// What of a host's text may stand in the log: one line, without the backtrace that some carry.
pub(crate) fn one_line(text: &str) -> String {
    let head = text.split("Stack backtrace:").next().unwrap_or_default();
    let line = head.split_whitespace().collect::<Vec<_>>().join(" ");
    line.chars().take(MAX_CHARS).collect()
}
