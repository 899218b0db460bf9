//! Writes the JSON of a list from the records that the server sends ([`super::sql::TASK_RECORD`]).

use super::page::PageLimit;
use super::state::{TaskJson, json};
use crate::db::{DbError, Time};

/// The largest page, in bytes of JSON; a task that is larger has a page of its own.
const MAX_BYTES: usize = 1 << 20;

/// What the JSON of a task is longer than its record, about, without the owner.
const ADDED_BYTES: usize = 160;

const FIELD_END: char = '\u{1f}';
const RECORD_END: char = '\u{1e}';

/// The tasks of a page.
pub(super) struct Shown {
    /// An array of them.
    pub(super) json: String,
    /// Their number.
    pub(super) count: i64,
    /// The place of the last one, where the next page begins.
    pub(super) last: Option<Place>,
}

/// The place of a task in a list.
pub(super) struct Place {
    /// As the lists by priority have it ([`super::sql::RANK`]).
    pub(super) rank: i32,
    pub(super) created_at: Time,
    pub(super) id: i32,
}

/// Writes no more tasks than `limit`, and no more than fit into 1 MiB, but the first one in any case. The
/// last record may be cut off where the records before it have filled the page.
pub(super) fn to_json(records: Vec<u8>, limit: PageLimit, user_id: &str) -> Result<Shown, DbError> {
    let cut_off = records.len() >= MAX_BYTES;
    let records = text(records, cut_off)?;
    let user_id = json(&user_id);
    let mut written = String::with_capacity(capacity(&records, &user_id));
    written.push('[');
    let (mut count, mut last) = (0, None);
    let records = records.split(RECORD_END).filter(|record| !record.is_empty());
    for record in records.take(usize::try_from(limit.0).unwrap_or_default()) {
        let before = written.len();
        if count > 0 {
            written.push_str(", ");
        }
        match write_task(&mut written, record, &user_id) {
            Some(place) if count == 0 || written.len() < MAX_BYTES => last = Some(place),
            None if !cut_off => return Err(DbError::Unexpected("a task's record".to_owned())),
            _ => {
                written.truncate(before);
                break;
            }
        }
        count += 1;
    }
    written.push(']');
    Ok(Shown { json: written, count, last })
}

/// The records as text, without the part of a character at which they were cut off.
fn text(mut records: Vec<u8>, cut_off: bool) -> Result<String, DbError> {
    if cut_off && let Err(error) = str::from_utf8(&records) {
        records.truncate(error.valid_up_to());
    }
    String::from_utf8(records).map_err(|_| DbError::Unexpected("text that is not UTF-8".to_owned()))
}

/// Room for the JSON of these records, with a little to spare.
fn capacity(records: &str, user_id: &str) -> usize {
    let count = records.split(RECORD_END).count();
    (records.len() + count * (ADDED_BYTES + user_id.len())).min(MAX_BYTES + MAX_BYTES / 16)
}

/// Writes one task; none where the record is not whole.
fn write_task(written: &mut String, record: &str, user_id: &str) -> Option<Place> {
    let mut fields = record.split(FIELD_END);
    let task = TaskJson {
        id: fields.next()?,
        user_id,
        title: fields.next()?,
        description: fields.next()?,
        status: fields.next()?,
        priority: fields.next()?,
        created_at: Time::from_hex(fields.next()?)?,
        updated_at: Time::from_hex(fields.next()?)?,
    };
    let rank = match task.priority {
        "high" => 3,
        "low" => 1,
        _ => 2,
    };
    let place = Place { rank, created_at: task.created_at, id: task.id.parse().ok()? };
    task.write_to(written);
    Some(place)
}

#[cfg(test)]
mod tests {
    use super::{MAX_BYTES, Shown, to_json};
    use crate::tasks::page::PageLimit;

    const TIME: &str = "0002e72f1a1a1240";

    fn record(id: usize, title: &str) -> String {
        let title = format!("\"{title}\"");
        let fields = [&id.to_string(), &title, "null", "incomplete", "high", TIME, TIME];
        fields.join("\u{1f}")
    }

    /// What the server sends of the records.
    fn sent(records: &[String]) -> Vec<u8> {
        let first = records.first().map_or(0, String::len);
        let mut bytes = records.join("\u{1e}").into_bytes();
        bytes.truncate(first.max(MAX_BYTES));
        bytes
    }

    fn shown(records: &[String], limit: i32) -> Shown {
        to_json(sent(records), PageLimit(limit), "al\"ice").expect("whole records")
    }

    #[test]
    fn a_page_has_the_tasks_and_the_place_of_the_last_one() {
        let records: Vec<String> = (1..=3).map(|id| record(id, "Buy milk")).collect();
        let page = shown(&records, 2);
        let tasks: serde_json::Value = serde_json::from_str(&page.json).expect("JSON");
        assert_eq!(tasks.as_array().map(Vec::len), Some(2));
        assert_eq!(tasks[1]["id"], 2);
        assert_eq!(tasks[1]["user_id"], "al\"ice");
        assert_eq!(tasks[1]["created_at"], tasks[1]["updated_at"]);
        assert_eq!(page.count, 2);
        let last = page.last.expect("a task");
        assert_eq!((last.rank, last.id), (3, 2));
        assert_eq!(shown(&[], 10).json, "[]");
    }

    #[test]
    fn a_page_ends_at_a_mebibyte_wherever_the_records_were_cut_off() {
        for letters in ["x".repeat(40_000), "\u{fffd}".repeat(20_000), "é".repeat(MAX_BYTES / 4)] {
            for odd in 0..60 {
                let mut records: Vec<String> = (1..=60).map(|id| record(id, &letters)).collect();
                records[0] = record(1, &"y".repeat(odd * 7));
                let page = shown(&records, 1_000);
                assert!(page.json.len() <= MAX_BYTES, "{}", page.json.len());
                let tasks: Vec<serde_json::Value> =
                    serde_json::from_str(&page.json).expect("JSON of whole tasks");
                assert!(tasks.len() < records.len() && page.count > 0);
                let next = &records[tasks.len()];
                assert!(page.json.len() + next.len() + 200 > MAX_BYTES, "room for one more");
            }
        }
    }

    #[test]
    fn a_task_larger_than_a_page_has_one_of_its_own() {
        let records = [record(1, &"x".repeat(2 * MAX_BYTES)), record(2, "small")];
        assert_eq!(shown(&records, 1_000).count, 1);
        let records = [record(1, "small"), record(2, &"x".repeat(2 * MAX_BYTES))];
        assert_eq!(shown(&records, 1_000).count, 1);
    }

    #[test]
    fn a_record_that_is_not_one_is_an_error() {
        for bad in ["1", "x\u{1f}", &record(1, "t").replace('2', "z")] {
            assert!(to_json(bad.as_bytes().to_vec(), PageLimit(10), "alice").is_err(), "{bad}");
        }
    }
}
