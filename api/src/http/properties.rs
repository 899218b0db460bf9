//! Properties of every path, body and header: nothing panics, and an independent reading agrees.

use http::header::{IF_MATCH, IF_NONE_MATCH};
use http::{HeaderMap, HeaderName, HeaderValue, Request};
use percent_encoding::percent_decode_str;
use property_cases::config;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::Value;

use super::idempotency::IdempotencyKey;
use super::json::{JsonObject, Member};
use super::media_type;
use super::path::TaskPath;
use super::precondition::Preconditions;

/// Whatever can be in a header.
fn header_value() -> impl Strategy<Value = HeaderValue> {
    let bytes = prop_oneof![
        "[ -~\t]{0,30}".prop_map(String::into_bytes),
        "[W/\"*, a-c\\\\]{0,20}".prop_map(String::into_bytes),
        prop::collection::vec((0x20_u8..=0xff).prop_filter("not DEL", |byte| *byte != 0x7f), 0..20),
    ];
    bytes.prop_map(|bytes| HeaderValue::from_bytes(&bytes).expect("the value of a header"))
}

fn one(name: HeaderName, value: HeaderValue) -> HeaderMap {
    HeaderMap::from_iter([(name, value)])
}

/// Any JSON text, also nearly JSON, with a member that is there twice, or too deep.
fn json_text() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        "-?[0-9]{1,3}(\\.[0-9]{1,2})?(e[0-9])?",
        "\\PC{0,6}".prop_map(|text| Value::from(text).to_string()),
        select(vec![
            "true",
            "\"\\u0000\"",
            "\"\\ud800\"",
            "\"\\ud83e\\udd80\"",
            "01",
            "nul",
            "'x'",
            "\"\t\""
        ])
        .prop_map(str::to_owned),
    ];
    let value = leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4)
                .prop_map(|all| format!("[{}]", all.join(","))),
            prop::collection::vec(("[a-c]{1}", inner), 0..4).prop_map(|members| {
                let members: Vec<String> =
                    members.iter().map(|(name, value)| format!("\"{name}\": {value}")).collect();
                format!("{{{}}}", members.join(" , "))
            }),
        ]
    });
    prop_oneof![
        8 => value,
        1 => "[\\[{]{60,70}",
        1 => "[{}\\[\\]\",:a0 \\\\]{0,20}",
        1 => "\\PC{0,20}",
    ]
}

proptest! {
    #![proptest_config(config())]

    /// Segments are those of the path as it was sent; each is decoded once.
    #[test]
    fn a_path_is_split_before_it_is_decoded(user in "[a-z%2F0-9.+~-]{0,12}", id in "[0-9%3]{0,12}", end in "(/complete)?") {
        let path = format!("/api/{user}/tasks/{id}{end}");
        let decoded = percent_decode_str(&user).decode_utf8().ok().map(String::from);
        let task = TaskPath::of(&path);
        prop_assert_eq!(task.user_id(), decoded);
        let text = percent_decode_str(&id).decode_utf8().ok();
        let digits = text.filter(|text| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()));
        let number = digits.and_then(|text| text.parse::<i32>().ok()).filter(|number| *number > 0);
        prop_assert_eq!(task.task_id().map(|id| id.0), number);
    }

    #[test]
    fn any_path_is_read(path in "/?[ -~]{0,30}|\\PC{0,20}") {
        let task = TaskPath::of(&path);
        let _ = (task.user_id(), task.task_id());
    }

    /// What is accepted is an object for `serde_json` too, of which no member is there twice; and the other way round.
    #[test]
    fn a_body_is_accepted_if_it_is_one_object(text in json_text()) {
        let reference = serde_json::from_str::<serde_json::Map<String, Value>>(&text);
        let parsed = JsonObject::parse(text.as_bytes());
        match (&parsed, &reference) {
            (Ok(object), Ok(members)) => {
                for (name, value) in members {
                    let mut errors = Vec::new();
                    let expected = match value {
                        Value::Null => Member::Null,
                        Value::String(text) if !text.contains('\0') => Member::Text(text.clone()),
                        _ => Member::Wrong,
                    };
                    prop_assert_eq!(object.text(name, &mut errors), expected);
                }
                let mut errors = Vec::new();
                prop_assert_eq!(object.text("absent", &mut errors), Member::Absent);
            }
            // Half of a surrogate pair is syntax, and refused where the member is read.
            (Ok(_), Err(_)) => prop_assert!(text.contains("\\ud800"), "{}", text),
            (Err(_), Ok(members)) => {
                let written = text.matches("\": ").count();
                let is_deep = text.matches(['[', '{']).count() > 64;
                prop_assert!(written > members.len() || is_deep, "{}", text);
            }
            (Err(_), Err(_)) => {}
        }
    }

    #[test]
    fn any_bytes_are_a_body_or_not(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
        let is_object = serde_json::from_slice::<serde_json::Map<String, Value>>(&bytes).is_ok();
        prop_assert!(!is_object || JsonObject::parse(&bytes).is_ok());
    }

    /// A list of tags that is written is read as those tags, whatever is between them.
    #[test]
    fn tags_come_back_as_they_were(tags in prop::collection::vec(("[!#-~]{0,8}", any::<bool>(), "( |,|\t){0,3}"), 1..5)) {
        let written: Vec<String> = tags
            .iter()
            .map(|(tag, is_weak, space)| format!("{space}{}\"{tag}\"{space}", if *is_weak { "W/" } else { "" }))
            .collect();
        let value = HeaderValue::from_str(&written.join(",")).expect("a header");
        let strong: Vec<&str> = tags.iter().filter(|(_, is_weak, _)| !is_weak).map(|(tag, ..)| tag.as_str()).collect();
        let condition = Preconditions::of(&one(IF_MATCH, value.clone())).expect("a list").into_condition();
        let condition = condition.expect("a condition");
        prop_assert!(condition.is_listed);
        prop_assert_eq!(condition.tags, strong.join(" "));
        let all: Vec<&str> = tags.iter().map(|(tag, ..)| tag.as_str()).collect();
        let condition = Preconditions::of(&one(IF_NONE_MATCH, value)).expect("a list").into_condition();
        let condition = condition.expect("a condition");
        prop_assert!(!condition.is_listed);
        prop_assert_eq!(condition.tags, all.join(" "));
    }

    /// What is accepted has as many tags as the statement will see: no tag has a space in it.
    #[test]
    fn any_precondition_is_read_or_refused(if_match in header_value(), if_none_match in header_value()) {
        let headers = HeaderMap::from_iter([(IF_MATCH, if_match), (IF_NONE_MATCH, if_none_match)]);
        if let Ok(preconditions) = Preconditions::of(&headers)
            && let Some(condition) = preconditions.into_condition()
        {
            prop_assert!(condition.tags.chars().all(|c| c == ' ' || !(c.is_ascii_control() || c == '"')));
        }
    }

    #[test]
    fn a_key_is_the_same_in_quotes(key in "[!-~]{1,60}") {
        let name = HeaderName::from_static("idempotency-key");
        let quoted = format!("\"{}\"", key.replace('\\', "\\\\").replace('"', "\\\""));
        let read = |text: &str| IdempotencyKey::of(&one(name.clone(), HeaderValue::from_str(text).expect("a header")));
        let expected = Some(IdempotencyKey(key.clone()));
        prop_assert_eq!(read(&quoted).ok().flatten(), expected.clone());
        if !key.starts_with('"') {
            prop_assert_eq!(read(&key).ok().flatten(), expected);
        }
    }

    #[test]
    fn any_key_is_visible_or_refused(value in header_value()) {
        let headers = one(HeaderName::from_static("idempotency-key"), value);
        if let Ok(Some(IdempotencyKey(key))) = IdempotencyKey::of(&headers) {
            prop_assert!((1..=255).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic()));
        }
    }

    #[test]
    fn any_media_type_is_read_or_refused(content_type in header_value(), coding in header_value()) {
        let mut request = Request::new(());
        request.headers_mut().insert("content-type", content_type.clone());
        request.headers_mut().insert("content-encoding", coding);
        let (parts, ()) = request.into_parts();
        if media_type::check(&parts).is_ok() {
            let text = content_type.to_str().expect("text").to_ascii_lowercase();
            prop_assert!(text.trim_start().starts_with("application/") && text.contains("json"), "{}", text);
        }
    }
}
