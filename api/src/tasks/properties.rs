//! Properties of every cursor, limit, query and body of a task: nothing panics, and what is accepted is what it says.

use property_cases::config;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::Value;

use super::fields::FieldReader;
use super::list::ListQuery;
use super::page::{Cursor, PageLimit};
use crate::db::Time;
use crate::http::json::JsonObject;

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_cursor_that_is_accepted_has_one_form(bytes in prop::collection::vec(any::<u8>(), 0..16), text in "[A-Za-z0-9_=+/-]{0,24}") {
        use base64::Engine as _;
        let encoded = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(&bytes);
        for text in [encoded, text] {
            if let Some(cursor) = Cursor::decode(&text) {
                prop_assert_eq!(cursor.encode(), text);
                prop_assert!(cursor.id() > 0 && cursor.rank().is_none_or(|rank| (1..=3).contains(&rank)));
            }
        }
    }

    #[test]
    fn a_cursor_comes_back_as_it_was(rank in prop::option::of(1..=3), micros in -200_000_000_000_000_000..9_000_000_000_000_000_000_i64, id in 1..i32::MAX) {
        let cursor = Cursor::after(rank, Time(micros), id);
        prop_assert_eq!(Cursor::decode(&cursor.encode()), Some(cursor));
    }

    #[test]
    fn a_limit_is_a_number_in_its_range(text in "[+-]?[0-9]{0,6}|\\PC{0,6}") {
        let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let expected = text.parse::<i32>().ok().filter(|number| is_number && (1..=1_000).contains(number));
        prop_assert_eq!(PageLimit::parse(&text).map(|limit| limit.0), expected);
    }

    /// The last of the same parameters counts, read by the `url` standard's rules.
    #[test]
    fn a_query_is_read_or_refused(pairs in prop::collection::vec((
        select(vec!["status", "limit", "cursor", "sort", "other", "STATUS", "%73tatus"]),
        prop_oneof![
            select(vec!["complete", "incomplete", "1", "1000", "0", "priority", "AAZEKlEYQkAAAAAq", ""]).prop_map(str::to_owned),
            "[ -~]{0,8}".prop_map(|text| text.replace(['&', '#'], "")),
        ],
    ), 0..5)) {
        let query: Vec<String> = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let query = query.join("&");
        let all: Vec<_> = form_urlencoded::parse(query.as_bytes()).collect();
        let last = |name: &str| all.iter().rfind(|(other, _)| other == name).map(|(_, value)| value.as_ref());
        let sorts = all.iter().filter(|(name, _)| name == "sort").count();
        let cursor = last("cursor").map(Cursor::decode);
        let is_good = last("status").is_none_or(|status| ["complete", "incomplete"].contains(&status))
            && last("limit").is_none_or(|limit| PageLimit::parse(limit).is_some())
            && last("sort").is_none_or(|sort| sort == "priority" && sorts == 1)
            && cursor.is_none_or(|cursor| cursor.is_some_and(|one| one.rank().is_some() == (sorts > 0)));
        prop_assert_eq!(ListQuery::parse(&query).is_ok(), is_good, "{}", query);
    }

    /// Fields have the rules of the contract, checked with `serde_json`'s own values.
    #[test]
    fn fields_are_accepted_by_their_rules(
        title in prop_oneof![Just(Value::Null), "\\PC{0,4}".prop_map(Value::from), "x{250,260}".prop_map(Value::from), any::<bool>().prop_map(Value::from)],
        description in prop_oneof![Just(Value::Null), "\\PC{0,9}".prop_map(Value::from), "é{4998,5002}".prop_map(Value::from), any::<i32>().prop_map(Value::from)],
        priority in prop_oneof![Just(Value::Null), "( |)(low|HIGH|Medium|urgent)( |)".prop_map(Value::from)],
    ) {
        let body = serde_json::json!({ "title": title, "description": description, "priority": priority });
        let object = JsonObject::parse(body.to_string().as_bytes()).expect("an object");
        let mut reader = FieldReader::new(&object);
        let found = reader.required_title().map(|title| title.0);
        let (_, _) = (reader.description(), reader.new_priority());
        let fields: Vec<String> = reader.into_errors().into_iter().map(|error| error.field).collect();

        let good_title = title.as_str().is_some_and(|text| text.chars().count() <= 255);
        prop_assert!(!fields.contains(&"title".to_owned()) || found.is_none());
        if let Some(found) = found {
            prop_assert!(good_title && !found.trim().is_empty());
            prop_assert_eq!(Value::from(found), title);
        }
        let good_description = description.is_null()
            || description.as_str().is_some_and(|text| text.chars().count() <= 5_000);
        prop_assert_eq!(!fields.contains(&"description".to_owned()), good_description);
        let names = ["low", "medium", "high"];
        let good_priority = priority.as_str().is_none_or(|text| names.contains(&text.trim().to_lowercase().as_str()));
        prop_assert_eq!(!fields.contains(&"priority".to_owned()), good_priority);
    }
}
