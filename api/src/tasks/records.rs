//! Writes the JSON of a list from its tasks as the server sends them: rows in PostgreSQL's binary format
//! (`record_send`), one after the other.

use super::page::PageLimit;
use super::state::{TaskJson, push_json};
use crate::db::{DbError, Time};

/// The largest page, in bytes of JSON; a task that is larger has a page of its own.
const MAX_BYTES: usize = 1 << 20;

/// About what the JSON of a task is longer than its row, without the owner.
const ADDED_BYTES: usize = 150;

/// The tasks of a page.
pub(super) struct Shown {
    /// An array of them.
    pub(super) json: Vec<u8>,
    /// Their number.
    pub(super) count: i64,
    /// The place of the last one, where the next page begins.
    pub(super) last: Option<Place>,
}

/// The place of a task in a list.
#[derive(Clone, Copy)]
pub(super) struct Place {
    /// As the lists by priority have it ([`super::sql::RANK`]).
    pub(super) rank: i32,
    pub(super) created_at: Time,
    pub(super) id: i32,
}

/// Writes no more tasks than `limit`, and no more than fit into 1 MiB, but the first one in any case. `read` is
/// the number of tasks of which the server has sent the beginning.
pub(super) fn to_json(
    records: &[u8],
    read: i64,
    limit: PageLimit,
    user_id: &str,
) -> Result<Shown, DbError> {
    let most = read.min(i64::from(limit.0));
    let mut owner = Vec::new();
    push_json(&mut owner, user_id);
    let added = usize::try_from(most).unwrap_or_default() * (ADDED_BYTES + owner.len());
    let mut json = Vec::with_capacity((records.len() + added).min(MAX_BYTES + MAX_BYTES / 16));
    json.push(b'[');
    let mut rest = Rest(records);
    let (mut count, mut last) = (0, None);
    while count < most {
        let before = json.len();
        if count > 0 {
            json.extend_from_slice(b", ");
        }
        match write_task(&mut json, &mut rest, &owner) {
            Some(place) if count == 0 || json.len() < MAX_BYTES => last = Some(place),
            // The server stopped within a row, or before one, because those before it fill the page.
            None if records.len() < MAX_BYTES => {
                return Err(DbError::Unexpected("a row that is not whole".to_owned()));
            }
            _ => {
                json.truncate(before);
                break;
            }
        }
        count += 1;
    }
    json.push(b']');
    Ok(Shown { json, count, last })
}

/// Writes the next task; none where its row is not whole.
fn write_task(json: &mut Vec<u8>, rest: &mut Rest, owner: &[u8]) -> Option<Place> {
    let columns = rest.int4()?;
    let id = rest.value()?.try_into().map(i32::from_be_bytes).ok()?;
    let title = str::from_utf8(rest.value()?).ok()?;
    let description = match rest.optional_value()? {
        Some(bytes) => Some(str::from_utf8(bytes).ok()?),
        None => None,
    };
    let status = str::from_utf8(rest.value()?).ok()?;
    let priority = str::from_utf8(rest.value()?).ok()?;
    let created_at = Time(rest.value()?.try_into().map(i64::from_be_bytes).ok()?);
    let updated_at = Time(rest.value()?.try_into().map(i64::from_be_bytes).ok()?);
    // What the statements select for themselves.
    for _ in 7..columns {
        rest.optional_value()?;
    }
    let rank = match priority {
        "high" => 3,
        "low" => 1,
        _ => 2,
    };
    TaskJson { id, owner, title, description, status, priority, created_at, updated_at }
        .write_to(json);
    Some(Place { rank, created_at, id })
}

/// What was not read yet.
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn int4(&mut self) -> Option<i32> {
        let (bytes, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(i32::from_be_bytes(*bytes))
    }

    /// A column: its type, which is not looked at, its length, and its bytes. A length of -1 is null.
    #[expect(clippy::option_option, reason = "no column and null mean different things")]
    fn optional_value(&mut self) -> Option<Option<&'a [u8]>> {
        self.int4()?;
        let Ok(length) = usize::try_from(self.int4()?) else { return Some(None) };
        let (value, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(Some(value))
    }

    fn value(&mut self) -> Option<&'a [u8]> {
        self.optional_value()?
    }
}

#[cfg(test)]
mod tests {
    use super::{MAX_BYTES, Shown, to_json};
    use crate::tasks::page::PageLimit;

    fn row(id: i32, title: &str) -> Vec<u8> {
        let time = 817_113_600_123_456_i64.to_be_bytes();
        let columns: [Option<&[u8]>; 8] = [
            Some(&id.to_be_bytes()),
            Some(title.as_bytes()),
            None,
            Some(b"incomplete"),
            Some(b"high"),
            Some(&time),
            Some(&time),
            Some(&3_i32.to_be_bytes()),
        ];
        let mut row = 8_i32.to_be_bytes().to_vec();
        for column in columns {
            row.extend(25_i32.to_be_bytes());
            row.extend(
                column.map_or(-1, |value| i32::try_from(value.len()).expect("short")).to_be_bytes(),
            );
            row.extend(column.unwrap_or_default());
        }
        row
    }

    fn shown(rows: &[Vec<u8>], limit: i32) -> Shown {
        let mut sent = rows.concat();
        // As the statements cut them off.
        sent.truncate(rows.iter().map(Vec::len).fold(MAX_BYTES, usize::max));
        let read = i64::try_from(rows.len()).expect("few");
        to_json(&sent, read, PageLimit(limit), "al\"ice").expect("whole rows")
    }

    fn tasks(page: &Shown) -> Vec<serde_json::Value> {
        serde_json::from_slice(&page.json).expect("JSON")
    }

    #[test]
    fn a_page_has_the_tasks_and_the_place_of_the_last_one() {
        let rows: Vec<_> = (1..=3).map(|id| row(id, "Buy \"milk\"")).collect();
        let page = shown(&rows, 2);
        let tasks = tasks(&page);
        assert_eq!((tasks.len(), page.count), (2, 2));
        assert_eq!(tasks[1]["id"], 2);
        assert_eq!(tasks[1]["user_id"], "al\"ice");
        assert_eq!(tasks[1]["title"], "Buy \"milk\"");
        assert_eq!(tasks[1]["description"], serde_json::Value::Null);
        assert_eq!(tasks[1]["created_at"], "2025-11-22T08:00:00.123456Z");
        let last = page.last.expect("a task");
        assert_eq!((last.rank, last.id, last.created_at.0), (3, 2, 817_113_600_123_456));
        assert_eq!(shown(&[], 10).json, b"[]");
    }

    #[test]
    fn a_page_ends_at_a_mebibyte_wherever_the_rows_were_cut_off() {
        for text in ["x".repeat(40_000), "\u{fffd}".repeat(20_000), "\u{1}".repeat(9_000)] {
            for odd in 0..60 {
                let mut rows: Vec<_> = (1..=60).map(|id| row(id, &text)).collect();
                rows[0] = row(1, &"y".repeat(odd * 7));
                let page = shown(&rows, 1_000);
                assert!(page.json.len() <= MAX_BYTES, "{}", page.json.len());
                let tasks = tasks(&page);
                assert!(tasks.len() < rows.len(), "all of them fit");
                let one = serde_json::to_string(&tasks[1]).expect("JSON").len() + 40;
                assert!(page.json.len() + one > MAX_BYTES, "room for one more");
            }
        }
    }

    #[test]
    fn a_task_larger_than_a_page_has_one_of_its_own() {
        for titles in [
            ["x".repeat(2 * MAX_BYTES), "small".into()],
            ["small".into(), "x".repeat(2 * MAX_BYTES)],
        ] {
            let rows = [row(1, &titles[0]), row(2, &titles[1])];
            assert_eq!(shown(&rows, 1_000).count, 1);
        }
    }

    #[test]
    fn a_row_that_is_not_one_is_an_error() {
        let whole = row(1, "title");
        for length in 0..whole.len() {
            assert!(
                to_json(&whole[..length], 1, PageLimit(10), "alice").is_err(),
                "{length} bytes"
            );
        }
    }
}
