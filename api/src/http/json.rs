//! Request bodies: one JSON object, read strictly, with every offending member listed.

use std::collections::BTreeSet;
use std::pin::pin;
use std::task::Poll;

use bytes::{Bytes, BytesMut};
use http::request::Parts;
use responses::host::{CutOff, RequestBody};
use responses::time::within;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::media_type;
use crate::config;
use crate::error::ApiError;
use responses::problem::FieldError;

/// The largest request body, in bytes: both texts at their limit, every character escaped, fit.
const MAX_BODY_BYTES: usize = 128 * 1024;

/// Deeper documents are refused; a task is one level deep.
const MAX_DEPTH: usize = 64;

/// The members of a request's JSON object, each still as it was sent.
#[derive(Debug)]
pub(crate) struct JsonObject {
    members: Vec<(String, Box<RawValue>)>,
}

/// A member of a body.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Member {
    /// It is not there.
    Absent,
    /// It is `null`.
    Null,
    /// It is this text.
    Text(String),
    /// It is something else; the error was added.
    Wrong,
}

impl JsonObject {
    /// Reads and checks a request's body.
    pub(crate) async fn read(parts: &Parts, body: &mut RequestBody) -> Result<Self, ApiError> {
        media_type::check(parts).map_err(ApiError::UnsupportedMediaType)?;
        Self::parse(&read_in_time(body).await?)
    }

    /// Checks a body that is there.
    pub(crate) fn parse(body: &[u8]) -> Result<Self, ApiError> {
        let text = std::str::from_utf8(body).map_err(|error| {
            ApiError::BadRequest(format!(
                "The request body is not valid UTF-8 at byte {}",
                error.valid_up_to()
            ))
        })?;
        // A parser may ignore the mark (RFC 8259, section 8.1), which some clients put there.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        if text.trim_ascii().is_empty() {
            return Err(ApiError::BadRequest(
                "The request body is empty where a JSON object is expected".to_owned(),
            ));
        }
        check_depth(text)?;
        let object: Self = serde_json::from_slice(text.as_bytes()).map_err(|error| {
            let place = format!("line {} column {}", error.line(), error.column());
            ApiError::BadRequest(if error.is_data() {
                format!("The request body must be a JSON object, at {place}")
            } else {
                format!("The request body is not valid JSON: {error}")
            })
        })?;
        object.refuse_duplicates()?;
        Ok(object)
    }

    fn refuse_duplicates(&self) -> Result<(), ApiError> {
        let mut seen = BTreeSet::new();
        let mut twice = BTreeSet::new();
        for (name, _) in &self.members {
            if !seen.insert(name) {
                twice.insert(name);
            }
        }
        let errors: Vec<FieldError> = twice
            .into_iter()
            .map(|name| FieldError {
                field: name.clone(),
                message: format!("{name} must not appear more than once"),
            })
            .collect();
        if errors.is_empty() { Ok(()) } else { Err(ApiError::Invalid(errors)) }
    }

    /// The text of a member; a value that is neither text nor null is an error in `errors`.
    pub(crate) fn text(&self, name: &str, errors: &mut Vec<FieldError>) -> Member {
        let Some((_, raw)) = self.members.iter().find(|(member, _)| member == name) else {
            return Member::Absent;
        };
        let raw = raw.get();
        let message = match raw.as_bytes().first() {
            Some(b'n') => return Member::Null,
            Some(b'"') => match serde_json::from_slice::<String>(raw.as_bytes()) {
                Ok(text) if text.contains('\0') => {
                    format!("{name} must not contain the character U+0000")
                }
                Ok(text) => return Member::Text(text),
                // The document is valid JSON, so only half of a surrogate pair is left to be wrong.
                Err(_) => format!("{name} must not contain a lone surrogate"),
            },
            _ => must_be_text(name),
        };
        errors.push(FieldError { field: name.to_owned(), message });
        Member::Wrong
    }
}

/// Error message for a member that is not a string.
pub(crate) fn must_be_text(name: &str) -> String {
    format!("{name} must be a string")
}

impl<'de> Deserialize<'de> for JsonObject {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;

        impl<'de> Visitor<'de> for Members {
            type Value = JsonObject;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<JsonObject, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(JsonObject { members })
            }
        }

        deserializer.deserialize_map(Members)
    }
}

/// Reads the body within `request_timeout_ms`. A body that arrived with its head, as most do, is
/// available at once: the limit is not read for it.
async fn read_in_time(body: &mut RequestBody) -> Result<Bytes, ApiError> {
    let mut reading = pin!(read(body));
    if let Poll::Ready(read) = futures::poll!(reading.as_mut()) {
        return read;
    }
    let limit = config::request_timeout().await?.0;
    within(limit, reading).await.unwrap_or(Err(ApiError::BodyTooSlow(limit)))
}

/// Reads the body up to the limit; one that announces more is not read at all.
async fn read(body: &mut RequestBody) -> Result<Bytes, ApiError> {
    if body.left().is_some_and(|bytes| bytes > MAX_BODY_BYTES as u64) {
        return Err(ApiError::BodyTooLarge);
    }
    let mut bytes = BytesMut::new();
    while let Some(piece) = body.next().await {
        let piece = piece.map_err(|CutOff| {
            ApiError::BadRequest("The request body ended before it was complete".to_owned())
        })?;
        if bytes.len() + piece.len() > MAX_BODY_BYTES {
            return Err(ApiError::BodyTooLarge);
        }
        bytes.extend_from_slice(&piece);
    }
    Ok(bytes.freeze())
}

/// Refuses a document that is nested too deeply, before it is parsed.
fn check_depth(text: &str) -> Result<(), ApiError> {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for (offset, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'[' | b'{' if !in_string => {
                depth += 1;
                if depth > MAX_DEPTH {
                    return Err(ApiError::BadRequest(format!(
                        "The request body is nested too deeply at byte {offset}"
                    )));
                }
            }
            b']' | b'}' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{JsonObject, Member};
    use crate::error::ApiError;

    fn refusal(body: &[u8]) -> String {
        match JsonObject::parse(body) {
            Err(ApiError::BadRequest(detail)) => detail,
            Err(ApiError::Invalid(errors)) => errors[0].message.clone(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_body_that_is_not_one_object_is_refused_with_the_place() {
        let deep = "[".repeat(100_000);
        let inner = format!("{{\"x\":{deep}");
        for (label, body, expected) in [
            ("empty", &b""[..], "empty where a JSON object is expected"),
            ("white space", b" \n", "empty where a JSON object is expected"),
            ("only a mark", b"\xef\xbb\xbf\n", "empty where a JSON object is expected"),
            ("two marks", b"\xef\xbb\xbf\xef\xbb\xbf{}", "line 1 column 1"),
            ("a mark elsewhere", b" \xef\xbb\xbf{}", "line 1 column 2"),
            ("array", b"[]", "must be a JSON object, at line 1"),
            ("text", b"\"x\"", "must be a JSON object, at line 1"),
            ("cut off", b"{\"title\":", "line 1 column 9"),
            ("trailing", b"{} {}", "trailing characters at line 1 column 4"),
            ("not UTF-8", b"{\"a\":\"\xff\"}", "not valid UTF-8 at byte 6"),
            ("deep", deep.as_bytes(), "nested too deeply at byte 64"),
            ("deep inside", inner.as_bytes(), "nested too deeply at byte 68"),
            ("duplicate", b"{\"a\":1,\"a\":2}", "a must not appear more than once"),
            ("escaped duplicate", b"{\"a\":1,\"\\u0061\":2}", "a must not appear more than once"),
        ] {
            let detail = refusal(body);
            assert!(detail.contains(expected), "{label}: {detail}");
        }
    }

    #[test]
    fn brackets_in_text_are_not_depth() {
        let body = format!("{{\"title\":\"{}\\\"[\"}}", "[".repeat(1_000));
        assert!(JsonObject::parse(body.as_bytes()).is_ok());
    }

    #[test]
    fn members_are_text_null_absent_or_wrong() {
        let body =
            br#"{"a":"x","b":null,"c":1,"d":"\ud800","e":"\u0000","f":"\ud83d\ude00","g":{}}"#;
        let object = JsonObject::parse(body).expect("valid JSON");
        let mut errors = Vec::new();
        let mut text = |name| object.text(name, &mut errors);
        assert_eq!(text("a"), Member::Text("x".into()));
        assert_eq!(text("b"), Member::Null);
        assert_eq!(text("c"), Member::Wrong);
        assert_eq!(text("d"), Member::Wrong);
        assert_eq!(text("e"), Member::Wrong);
        assert_eq!(text("f"), Member::Text("😀".into()));
        assert_eq!(text("g"), Member::Wrong);
        assert_eq!(text("h"), Member::Absent);
        let messages: Vec<&str> = errors.iter().map(|error| error.message.as_str()).collect();
        assert_eq!(
            messages,
            [
                "c must be a string",
                "d must not contain a lone surrogate",
                "e must not contain the character U+0000",
                "g must be a string"
            ]
        );
    }
}
