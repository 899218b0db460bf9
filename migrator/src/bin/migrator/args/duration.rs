//! Times on the command line.

use std::time::Duration;

/// The longest that PostgreSQL's settings can say, in milliseconds.
const LONGEST_LIMIT: u128 = i32::MAX as u128;

/// A number of seconds, or a number with a unit.
pub(crate) fn parse_duration(text: &str) -> Result<Duration, String> {
    let unit_at = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(unit_at);
    let factor = match unit.trim() {
        "" | "s" => 1.0,
        "ms" => 0.001,
        "m" => 60.0,
        _ => return Err("expected a number of seconds, or one with `ms`, `s` or `m`".to_owned()),
    };
    let number: f64 =
        number.parse().map_err(|_| "expected a number of seconds, such as `30`".to_owned())?;
    Duration::try_from_secs_f64(number * factor).map_err(|_| "that is too long".to_owned())
}

/// A time limit of PostgreSQL's, where 0 is meant as PostgreSQL means it.
pub(crate) fn parse_setting(text: &str) -> Result<Duration, String> {
    let limit = parse_duration(text)?;
    if limit.is_zero() { Ok(limit) } else { parse_limit(text) }
}

/// A time limit of PostgreSQL's, which counts milliseconds and takes 0 for none.
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
    fn durations_are_seconds_unless_they_say_otherwise() {
        for (text, milliseconds) in [
            ("30", 30_000),
            ("0", 0),
            ("1.5", 1_500),
            ("5s", 5_000),
            ("500ms", 500),
            ("2m", 120_000),
        ] {
            assert_eq!(parse_duration(text), Ok(Duration::from_millis(milliseconds)), "{text}");
        }
    }

    #[test]
    fn durations_that_mean_nothing_are_refused() {
        for text in ["", "s", "-1", "5h", "1e9", "five", "99999999999999999999999999"] {
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
