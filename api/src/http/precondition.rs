//! Preconditions (RFC 9110, section 13.1): requests that count only while a task is as its client
//! knows it.

use http::header::{IF_MATCH, IF_NONE_MATCH};
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::error::ApiError;

/// What `If-Match` or `If-None-Match` says.
#[derive(Debug, PartialEq, Eq)]
enum EntityTags {
    /// `*`: whatever there is.
    Any,
    /// The tags, without quotes.
    These(Vec<EntityTag>),
}

#[derive(Debug, PartialEq, Eq)]
struct EntityTag {
    is_weak: bool,
    value: String,
}

/// `If-Match`: the change is for one of these states of the task, or for any.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct IfMatch(Option<String>);

impl IfMatch {
    /// Reads the header.
    pub(crate) fn of(headers: &HeaderMap) -> Result<Self, ApiError> {
        let tags = match EntityTags::of(headers, &IF_MATCH)? {
            None | Some(EntityTags::Any) => return Ok(Self(None)),
            Some(EntityTags::These(tags)) => tags,
        };
        // Only strong tags can match (RFC 9110, section 13.1.1).
        let strong = tags.into_iter().filter(|tag| !tag.is_weak).map(|tag| tag.value);
        Ok(Self(Some(strong.collect::<Vec<_>>().join(" "))))
    }

    /// The tags for a statement's parameter, with spaces between them, which tags do not have; none
    /// when every state will do.
    pub(crate) fn into_param(self) -> Option<String> {
        self.0
    }
}

/// Whether `If-None-Match` says that the client has this state already. Weak tags count here.
pub(crate) fn is_known(headers: &HeaderMap, etag: &str) -> Result<bool, ApiError> {
    Ok(match EntityTags::of(headers, &IF_NONE_MATCH)? {
        None => false,
        Some(EntityTags::Any) => true,
        Some(EntityTags::These(tags)) => tags.iter().any(|tag| tag.value == etag),
    })
}

/// The `ETag` header of a state.
pub(crate) fn etag_header(etag: &str) -> Option<HeaderValue> {
    HeaderValue::from_str(&format!("\"{etag}\"")).ok()
}

impl EntityTags {
    /// `None` when there is no such header.
    fn of(headers: &HeaderMap, name: &HeaderName) -> Result<Option<Self>, ApiError> {
        let mut lines = headers.get_all(name).iter();
        // A tag in another alphabet is not one of ours.
        let line = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let Some(mut text) = lines.next().map(line) else { return Ok(None) };
        for more in lines.map(line) {
            text.push(',');
            text.push_str(&more);
        }
        if text.trim() == "*" {
            return Ok(Some(Self::Any));
        }
        let tags = read_list(&text).filter(|tags| !tags.is_empty()).ok_or_else(|| {
            ApiError::BadRequest(format!(
                "{} must be * or a list of entity tags, each in quotes",
                if *name == IF_MATCH { "If-Match" } else { "If-None-Match" }
            ))
        })?;
        Ok(Some(Self::These(tags)))
    }
}

/// `"a", W/"b"`: not split at commas, which a tag may have.
fn read_list(text: &str) -> Option<Vec<EntityTag>> {
    let mut tags = Vec::new();
    let mut rest = text;
    loop {
        // Empty elements of a list mean nothing (RFC 9110, section 5.6.1.2).
        rest = rest.trim_start_matches([' ', '\t', ',']);
        if rest.is_empty() {
            return Some(tags);
        }
        let (is_weak, quoted) = match rest.strip_prefix("W/") {
            Some(quoted) => (true, quoted),
            None => (false, rest),
        };
        let (value, after) = quoted.strip_prefix('"')?.split_once('"')?;
        if value.contains(|c: char| c.is_ascii_control() || c == ' ') {
            return None;
        }
        rest = after.trim_start_matches([' ', '\t']);
        if !(rest.is_empty() || rest.starts_with(',')) {
            return None;
        }
        tags.push(EntityTag { is_weak, value: value.to_owned() });
    }
}

#[cfg(test)]
mod tests {
    use http::header::{IF_MATCH, IF_NONE_MATCH};
    use http::{HeaderMap, HeaderValue};

    use super::{IfMatch, is_known};

    fn headers(name: &http::HeaderName, lines: &[&'static str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(name, HeaderValue::from_static(line));
        }
        headers
    }

    #[test]
    fn if_match_takes_strong_tags_from_lists_and_lines() {
        for (label, lines, expected) in [
            ("none", &[][..], Ok(None)),
            ("any", &["*"], Ok(None)),
            ("any with space", &[" * "], Ok(None)),
            ("one", &["\"a\""], Ok(Some("a"))),
            ("a list", &["\"a\" , \"b\""], Ok(Some("a b"))),
            ("two lines", &["\"a\"", "\"b\""], Ok(Some("a b"))),
            ("empty elements", &[",\"a\",, \"b\","], Ok(Some("a b"))),
            ("a comma in a tag", &["\"a,b\""], Ok(Some("a,b"))),
            ("weak", &["W/\"a\""], Ok(Some(""))),
            ("weak and strong", &["W/\"a\", \"b\""], Ok(Some("b"))),
            ("an empty tag", &["\"\""], Ok(Some(""))),
            ("nothing", &[""], Err(())),
            ("only commas", &[",", " ,"], Err(())),
            ("no quotes", &["a"], Err(())),
            ("one quote", &["\"a"], Err(())),
            ("no comma", &["\"a\" \"b\""], Err(())),
            ("weak in lower case", &["w/\"a\""], Err(())),
            ("a space in a tag", &["\"a b\""], Err(())),
            ("any in a list", &["*, \"a\""], Err(())),
            ("any and a line", &["*", "\"a\""], Err(())),
        ] {
            let read = IfMatch::of(&headers(&IF_MATCH, lines)).map(IfMatch::into_param);
            let read = read.as_ref().map(Option::as_deref).map_err(|_| ());
            assert_eq!(read, expected, "{label}");
        }
    }

    #[test]
    fn if_none_match_compares_weakly() {
        for (label, lines, known) in [
            ("none", &[][..], false),
            ("it", &["\"a\""], true),
            ("it, weak", &["W/\"a\""], true),
            ("it among others", &["\"b\", W/\"a\""], true),
            ("any", &["*"], true),
            ("another", &["\"b\""], false),
        ] {
            let answer = is_known(&headers(&IF_NONE_MATCH, lines), "a").expect("a good header");
            assert_eq!(answer, known, "{label}");
        }
    }
}
