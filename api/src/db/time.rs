//! Times as PostgreSQL keeps them, and how JSON and SQL write them.

use std::time::{SystemTime, UNIX_EPOCH};

use chrono::{DateTime, Datelike, Timelike};

/// A `timestamptz`: microseconds since 2000. The largest number is `infinity`, the least `-infinity`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Time(pub(crate) i64);

/// From 1970 to 2000, in microseconds.
const UNTIL_2000: i64 = 946_684_800_000_000;

/// Microseconds in a day.
const DAY: i64 = 86_400_000_000;

/// The Julian day of 2000-01-01.
const JULIAN_2000: i64 = 2_451_545;

/// The first and the last moment that RFC 3339 can write: the years 1 to 9999.
const RFC_3339: (i64, i64) = (-63_082_281_600_000_000, 252_455_615_999_999_999);

impl Time {
    /// Microseconds since 1970; none of an infinite time, and of the last thirty years, for which
    /// there is no number.
    pub(crate) fn unix_micros(self) -> Option<i64> {
        self.0.checked_add(UNTIL_2000).filter(|_| self.is_finite())
    }

    /// Eight bytes for any time: microseconds since 1970, beyond the last number from the first one on.
    pub(crate) fn to_bytes(self) -> [u8; 8] {
        self.0.wrapping_add(UNTIL_2000).to_be_bytes()
    }

    /// Reads what [`Time::to_bytes`] wrote; none where PostgreSQL has no such time.
    pub(crate) fn from_bytes(bytes: [u8; 8]) -> Option<Self> {
        // From Julian day 0 to the year 294276.
        let finite = -JULIAN_2000 * DAY..9_223_371_331_200_000_000;
        let time = Self(i64::from_be_bytes(bytes).wrapping_sub(UNTIL_2000));
        (!time.is_finite() || finite.contains(&time.0)).then_some(time)
    }

    fn is_finite(self) -> bool {
        self.0 != i64::MAX && self.0 != i64::MIN
    }

    /// By the host's clock.
    pub(crate) fn now() -> Self {
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let micros = i64::try_from(since_1970.as_micros()).unwrap_or(i64::MAX);
        Self(micros.saturating_sub(UNTIL_2000))
    }

    /// RFC 3339 in UTC with six digits; the nearest time that it can write. By hand: a page has two
    /// thousand times.
    pub(crate) fn write_rfc3339(self, text: &mut Vec<u8>) {
        let micros = self.0.clamp(RFC_3339.0, RFC_3339.1);
        let time = DateTime::from_timestamp_micros(micros + UNTIL_2000).unwrap_or_default();
        let mut written = *b"0000-00-00T00:00:00.000000Z";
        for (place, number) in [
            (0..4, time.year().unsigned_abs()),
            (5..7, time.month()),
            (8..10, time.day()),
            (11..13, time.hour()),
            (14..16, time.minute()),
            (17..19, time.second()),
            (20..26, time.timestamp_subsec_micros()),
        ] {
            let mut rest = number;
            for digit in written[place].iter_mut().rev() {
                *digit += u8::try_from(rest % 10).unwrap_or_default();
                rest /= 10;
            }
        }
        text.extend_from_slice(&written);
    }

    /// The same as text.
    pub(crate) fn to_rfc3339(self) -> String {
        let mut text = Vec::new();
        self.write_rfc3339(&mut text);
        String::from_utf8(text).unwrap_or_default()
    }

    /// Exactly this time for `::timestamptz`, independent of the session's settings: by its Julian day,
    /// which has no era and no number of digits.
    pub(crate) fn to_sql(self) -> String {
        if !self.is_finite() {
            return if self.0 > 0 { "infinity" } else { "-infinity" }.to_owned();
        }
        let (day, micros) = (self.0.div_euclid(DAY), self.0.rem_euclid(DAY));
        let (seconds, micros) = (micros / 1_000_000, micros % 1_000_000);
        let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
        let day = day + JULIAN_2000;
        format!("J{day} {hours:02}:{minutes:02}:{seconds:02}.{micros:06} UTC")
    }
}

#[cfg(test)]
mod tests {
    use super::Time;

    #[test]
    fn times_are_written_for_json_and_for_sql() {
        for (label, micros, json, sql) in [
            ("2000", 0, "2000-01-01T00:00:00.000000Z", "J2451545 00:00:00.000000 UTC"),
            (
                "now",
                817_113_600_123_456,
                "2025-11-22T08:00:00.123456Z",
                "J2461002 08:00:00.123456 UTC",
            ),
            ("before 2000", -1, "1999-12-31T23:59:59.999999Z", "J2451544 23:59:59.999999 UTC"),
            (
                "the last moment of RFC 3339",
                252_455_615_999_999_999,
                "9999-12-31T23:59:59.999999Z",
                "J5373484 23:59:59.999999 UTC",
            ),
            (
                "after it",
                252_455_616_000_000_000,
                "9999-12-31T23:59:59.999999Z",
                "J5373485 00:00:00.000000 UTC",
            ),
            (
                "PostgreSQL's last moment",
                9_223_371_331_199_999_999,
                "9999-12-31T23:59:59.999999Z",
                "J109203527 23:59:59.999999 UTC",
            ),
            (
                "before the year 1",
                -63_082_281_600_000_001,
                "0001-01-01T00:00:00.000000Z",
                "J1721425 23:59:59.999999 UTC",
            ),
            (
                "PostgreSQL's first moment",
                -211_813_488_000_000_000,
                "0001-01-01T00:00:00.000000Z",
                "J0 00:00:00.000000 UTC",
            ),
            ("infinity", i64::MAX, "9999-12-31T23:59:59.999999Z", "infinity"),
            ("-infinity", i64::MIN, "0001-01-01T00:00:00.000000Z", "-infinity"),
        ] {
            let time = Time(micros);
            assert_eq!(Time::from_bytes(time.to_bytes()), Some(time), "{label}");
            let mut written = Vec::new();
            time.write_rfc3339(&mut written);
            assert_eq!(written, json.as_bytes(), "{label}");
            assert_eq!(time.to_sql(), sql, "{label}");
        }
    }

    #[test]
    fn there_is_no_time_beyond_postgresqls() {
        for micros in
            [9_223_371_331_200_000_000, i64::MAX - 1, -211_813_488_000_000_001, i64::MIN + 1]
        {
            assert_eq!(Time::from_bytes(Time(micros).to_bytes()), None, "{micros}");
        }
    }
}
