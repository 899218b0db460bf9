//! Durations, counts and migrations in text and JSON.

use std::time::Duration;

use migrator::MigrationName;
pub(crate) use migrator::count;
use serde_json::{Value, json};

/// `12 ms`, `1.5 s`.
pub(crate) fn elapsed(duration: Duration) -> String {
    if duration < Duration::from_secs(1) {
        format!("{} ms", duration.as_millis())
    } else {
        let tenths = format!("{:.1}", duration.as_secs_f64());
        format!("{} s", tenths.strip_suffix(".0").unwrap_or(&tenths))
    }
}

/// A migration that was run, in JSON.
pub(crate) fn timed(name: &MigrationName, elapsed: Duration, retries: u32) -> Value {
    let elapsed_ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
    json!({
        "version": name.version,
        "name": name.name,
        "elapsed_ms": elapsed_ms,
        "retries": retries,
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::elapsed;

    #[test]
    fn durations_are_short_to_read() {
        for (milliseconds, text) in [
            (0, "0 ms"),
            (12, "12 ms"),
            (999, "999 ms"),
            (1_000, "1 s"),
            (1_540, "1.5 s"),
            (60_000, "60 s"),
        ] {
            assert_eq!(elapsed(Duration::from_millis(milliseconds)), text);
        }
    }
}
