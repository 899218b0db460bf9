//! Which part of a list a request is about: `?limit=` and `?cursor=`, and the `Link` to what follows.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::db::Time;

/// Maximum and default number of tasks of a page. The predecessor's clients know no pages: they lose the
/// tasks after the first one.
const MAX_LIMIT: i32 = 1_000;

pub(crate) const LIMIT_INVALID: &str = "limit must be a whole number from 1 to 1000";
pub(crate) const CURSOR_INVALID: &str =
    "cursor must be one that the Link header of a page gave, unchanged";
pub(crate) const CURSOR_OF_OTHER_SORT: &str =
    "cursor must be one that the Link header of a page with the same sort gave";

/// Maximum number of tasks of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PageLimit(pub(crate) i32);

/// A position in a list: after the task with this creation time and id, and in a list by priority with
/// this rank. Tasks may share a time, so the id is needed too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cursor {
    /// None in a list with its newest tasks first.
    rank: Option<u8>,
    created_at: Time,
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
    /// After this task; `rank` as the statements of lists by priority have it.
    pub(crate) fn after(rank: Option<i32>, created_at: Time, id: i32) -> Self {
        Self { rank: rank.and_then(|rank| rank.try_into().ok()), created_at, id }
    }

    /// Reads what [`Cursor::encode`] wrote.
    pub(crate) fn decode(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (key, rank) = bytes.split_first_chunk::<12>()?;
        let rank = match rank {
            [] => None,
            [rank @ 1..=3] => Some(*rank),
            _ => return None,
        };
        let (time, id) = key.split_first_chunk::<8>()?;
        let (id, _) = id.split_first_chunk::<4>()?;
        // What no task has would be an error of the database.
        let created_at = Time::from_bytes(*time)?;
        let id = i32::from_be_bytes(*id);
        (id > 0).then_some(Self { rank, created_at, id })
    }

    /// Opaque to clients, and good in a URL as it is.
    pub(crate) fn encode(self) -> String {
        let mut bytes = [0; 13];
        bytes[..8].copy_from_slice(&self.created_at.to_bytes());
        bytes[8..12].copy_from_slice(&self.id.to_be_bytes());
        bytes[12] = self.rank.unwrap_or_default();
        URL_SAFE_NO_PAD.encode(if self.rank.is_some() { &bytes } else { &bytes[..12] })
    }

    /// The rank as a statement takes it; none where the newest tasks are first.
    pub(crate) fn rank(self) -> Option<i32> {
        self.rank.map(i32::from)
    }

    /// The time as a statement takes it.
    pub(crate) fn timestamp(self) -> String {
        self.created_at.to_sql()
    }

    /// The id.
    pub(crate) fn id(self) -> i32 {
        self.id
    }
}

#[cfg(test)]
mod tests {
    use super::{Cursor, PageLimit};
    use crate::db::Time;

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
        for (micros, id) in [
            (0, 1),
            (817_113_600_123_456, 42),
            (-1, i32::MAX),
            (i64::MAX, 1),
            (i64::MIN, 1),
            (9_223_371_331_199_999_999, 1),
            (-211_813_488_000_000_000, 1),
        ] {
            for rank in [None, Some(1), Some(2), Some(3)] {
                let cursor = Cursor::after(rank, Time(micros), id);
                assert_eq!(Cursor::decode(&cursor.encode()), Some(cursor));
            }
        }
        // A cursor does not expire: this is what it looked like from the beginning.
        let cursor = Cursor::after(None, Time(817_113_600_123_456), 42);
        assert_eq!(cursor.encode(), "AAZEKlEYQkAAAAAq");
        let cursor = Cursor::after(Some(3), Time(817_113_600_123_456), 42);
        assert_eq!(cursor.encode(), "AAZEKlEYQkAAAAAqAw");
    }

    #[test]
    fn what_no_page_gave_is_no_cursor() {
        let good = Cursor::after(None, Time(817_113_600_123_456), 42).encode();
        for (label, text) in [
            ("nothing", String::new()),
            ("a word", "next".to_owned()),
            ("too short", good[1..].to_owned()),
            ("too long", format!("{good}AAAA")),
            ("padded", format!("{good}=")),
            ("no rank", Cursor::after(Some(0), Time(0), 1).encode()),
            ("a rank that is none", Cursor::after(Some(4), Time(0), 1).encode()),
            ("id zero", Cursor::after(None, Time(0), 0).encode()),
            ("negative id", Cursor::after(None, Time(0), -1).encode()),
            ("before every time", Cursor::after(None, Time(-211_813_488_000_000_001), 1).encode()),
            ("after every time", Cursor::after(None, Time(9_223_371_331_200_000_000), 1).encode()),
        ] {
            assert_eq!(Cursor::decode(&text), None, "{label}");
        }
    }
}
