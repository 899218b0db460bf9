//! Durations on the command line.

use std::time::Duration;

/// The longest timeout of PostgreSQL's settings, in milliseconds.
const LONGEST_LIMIT: u128 = i32::MAX as u128;

/// A number of seconds, or a time with units as `humantime` has them.
pub(crate) fn parse_duration(text: &str) -> Result<Duration, String> {
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let zero = if text.starts_with('.') { "0" } else { "" };
    let unit = if is_number { "s" } else { "" };
    humantime::parse_duration(&format!("{zero}{text}{unit}")).map_err(|_| {
        "expected a number of seconds, or a time such as `500ms` or `1m 30s`".to_owned()
    })
}

/// A timeout of PostgreSQL's, for which 0 is no limit.
pub(crate) fn parse_setting(text: &str) -> Result<Duration, String> {
    let limit = parse_duration(text)?;
    if limit.is_zero() { Ok(limit) } else { parse_limit(text) }
}

/// A timeout of PostgreSQL's, in which it counts milliseconds, and which must be a limit.
pub(crate) fn parse_limit(text: &str) -> Result<Duration, String> {
    let limit = parse_duration(text)?;
    match limit.as_millis() {
        0 => Err("expected at least 1 ms: 0 would be no limit".to_owned()),
        1..=LONGEST_LIMIT => Ok(limit),
        _ => Err("that is too long".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{parse_duration, parse_limit, parse_setting};

    #[test]
    fn a_number_without_a_unit_is_seconds() {
        for (text, milliseconds) in [
            ("30", 30_000),
            ("0", 0),
            ("1.5", 1_500),
            (".5", 500),
            (".5s", 500),
            ("5s", 5_000),
            ("5 s", 5_000),
            ("500ms", 500),
            ("1.5ms", 1),
            ("2m", 120_000),
            ("0.5m", 30_000),
            ("1h 30m", 5_400_000),
        ] {
            let parsed = parse_duration(text).map(|duration| duration.as_millis());
            assert_eq!(parsed, Ok(milliseconds), "{text}");
        }
    }

    #[test]
    fn durations_that_mean_nothing_are_refused() {
        for text in ["", "s", ".", "-1", "1e9", "five", "99999999999999999999999999"] {
            assert!(parse_duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_setting_may_be_no_limit() {
        assert_eq!(parse_setting("0"), Ok(Duration::ZERO));
        assert_eq!(parse_setting("4s"), Ok(Duration::from_secs(4)));
        assert!(parse_setting("40000m").is_err());
        assert!(parse_setting("0.1ms").is_err());
    }

    #[test]
    fn limits_are_limits() {
        assert_eq!(parse_limit("4s"), Ok(Duration::from_secs(4)));
        for text in ["0", "0.1ms", "40000m"] {
            assert!(parse_limit(text).is_err(), "{text}");
        }
    }
}
