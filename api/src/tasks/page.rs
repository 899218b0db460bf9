//! Which part of a list a request is about: `?limit=` and `?cursor=`, and the `Link` to what follows.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Datelike, SecondsFormat};

/// How many tasks a page has at most, and when the request does not say. The predecessor's clients
/// know no pages: what is not on the first one is lost to them.
const MAX_LIMIT: i32 = 1_000;

pub(crate) const LIMIT_INVALID: &str = "limit must be a whole number from 1 to 1000";
pub(crate) const CURSOR_INVALID: &str =
    "cursor must be one that the Link header of a page gave, unchanged";

/// How many tasks a page has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PageLimit(pub(crate) i32);

/// A place in a list that has its newest tasks first: after the task that was made at a time and has
/// an id. The time alone would not do, because tasks may share it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cursor {
    /// Microseconds since 1970.
    micros: i64,
    id: i32,
}

impl Default for PageLimit {
    fn default() -> Self {
        Self(MAX_LIMIT)
    }
}

impl PageLimit {
    /// Reads a decimal number.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let number = if digits { text.parse().ok() } else { None };
        number.filter(|number| (1..=MAX_LIMIT).contains(number)).map(Self)
    }
}

impl Cursor {
    /// After this task.
    pub(crate) fn after(micros: i64, id: i32) -> Self {
        Self { micros, id }
    }

    /// Reads what [`Cursor::encode`] wrote.
    pub(crate) fn decode(text: &str) -> Option<Self> {
        let bytes: [u8; 12] = URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()?;
        let (micros, id) = bytes.split_first_chunk::<8>()?;
        let (id, _) = id.split_first_chunk::<4>()?;
        let cursor = Self { micros: i64::from_be_bytes(*micros), id: i32::from_be_bytes(*id) };
        // What no task has would be an error of the database.
        let year = DateTime::from_timestamp_micros(cursor.micros)?.year();
        ((1..=9999).contains(&year) && cursor.id > 0).then_some(cursor)
    }

    /// Opaque to clients, and good in a URL as it is.
    pub(crate) fn encode(self) -> String {
        let mut bytes = [0; 12];
        bytes[..8].copy_from_slice(&self.micros.to_be_bytes());
        bytes[8..].copy_from_slice(&self.id.to_be_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The time as PostgreSQL reads it, whatever the session's settings are.
    pub(crate) fn timestamp(self) -> String {
        match DateTime::from_timestamp_micros(self.micros) {
            Some(time) => time.to_rfc3339_opts(SecondsFormat::Micros, true),
            // After every task. No cursor that was decoded is so far away.
            None => "infinity".to_owned(),
        }
    }

    /// The id.
    pub(crate) fn id(self) -> i32 {
        self.id
    }
}

#[cfg(test)]
mod tests {
    use super::{Cursor, PageLimit};

    #[test]
    fn a_limit_is_a_whole_number_from_1_to_1000() {
        for (label, text, limit) in [
            ("one", "1", Some(1)),
            ("most", "1000", Some(1_000)),
            ("zeros before it", "007", Some(7)),
            ("more", "1001", None),
            ("none", "0", None),
            ("negative", "-1", None),
            ("signed", "+1", None),
            ("a fraction", "1.5", None),
            ("a word", "all", None),
            ("nothing", "", None),
            ("far too long", "99999999999999999999", None),
        ] {
            assert_eq!(PageLimit::parse(text), limit.map(PageLimit), "{label}");
        }
    }

    #[test]
    fn a_cursor_comes_back_as_it_was() {
        for (micros, id) in [(0, 1), (1_763_798_400_123_456, 42), (-1, i32::MAX)] {
            let cursor = Cursor::after(micros, id);
            assert_eq!(Cursor::decode(&cursor.encode()), Some(cursor));
        }
        let cursor = Cursor::after(1_763_798_400_123_456, 42);
        assert_eq!(cursor.timestamp(), "2025-11-22T08:00:00.123456Z");
        assert_eq!(Cursor::after(i64::MAX, 1).timestamp(), "infinity");
    }

    #[test]
    fn what_no_page_gave_is_no_cursor() {
        let good = Cursor::after(1_763_798_400_123_456, 42).encode();
        for (label, text) in [
            ("nothing", String::new()),
            ("a word", "next".to_owned()),
            ("too short", good[1..].to_owned()),
            ("too long", format!("{good}AAAA")),
            ("padded", format!("{good}=")),
            ("after every time", Cursor::after(i64::MAX, 1).encode()),
            ("id zero", Cursor::after(0, 0).encode()),
            ("negative id", Cursor::after(0, -1).encode()),
            ("before the year 1", Cursor::after(-62_135_596_800_000_001, 1).encode()),
            ("after the year 9999", Cursor::after(253_402_300_800_000_000, 1).encode()),
            ("far away", Cursor::after(i64::MIN, 1).encode()),
        ] {
            assert_eq!(Cursor::decode(&text), None, "{label}");
        }
    }
}
