//! Preconditions (RFC 9110, section 13): requests that count only while a resource is in a state that
//! its client names, or in no such state.

use http::header::{CONTENT_TYPE, ETAG, IF_MATCH, IF_NONE_MATCH};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use super::response::Response;
use crate::error::ApiError;

pub(crate) const CHANGED: &str = "The task has changed since you read it";
pub(crate) const ONLY_WEAK: &str = "A weak tag never matches in If-Match: send the task's ETag without \
                                    W/, which a proxy may have added";
pub(crate) const RULED_OUT: &str =
    "The present state is not one that If-Match and If-None-Match allow";

/// `If-Match` and `If-None-Match` of a request, of which the first one is evaluated first (section
/// 13.2.2).
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Preconditions {
    if_match: Option<EntityTags>,
    if_none_match: Option<EntityTags>,
}

/// The tags in one of the headers.
#[derive(Debug, PartialEq, Eq)]
enum EntityTags {
    /// `*`: any.
    Any,
    /// Without quotes. Of `If-Match` only the strong ones, because a weak one never matches there
    /// (section 13.1.1); of `If-None-Match` all of them (section 13.1.2).
    Listed(Vec<String>),
}

/// The preconditions of a change, for its statement.
#[derive(Debug)]
pub(crate) struct Condition {
    /// Tags with spaces between them, which tags do not have.
    pub(crate) tags: String,
    /// True where the task's tag has to be one of them, false where it must not be.
    pub(crate) is_listed: bool,
    /// The failure otherwise.
    pub(crate) failure: ApiError,
}

impl Preconditions {
    /// Reads the headers.
    pub(crate) fn of(headers: &HeaderMap) -> Result<Self, ApiError> {
        Ok(Self {
            if_match: EntityTags::of(headers, &IF_MATCH)?,
            if_none_match: EntityTags::of(headers, &IF_NONE_MATCH)?,
        })
    }

    /// The condition on a change of a task; none where every state will do.
    pub(crate) fn into_condition(self) -> Option<Condition> {
        let failure = self.failure();
        let excluded = match self.if_none_match {
            // No state is allowed: the tag would have to be in an empty list.
            Some(EntityTags::Any) => {
                return Some(Condition { tags: String::new(), is_listed: true, failure });
            }
            Some(EntityTags::Listed(tags)) => tags,
            None => Vec::new(),
        };
        let (tags, is_listed) = match self.if_match {
            Some(EntityTags::Listed(mut tags)) => {
                tags.retain(|tag| !excluded.contains(tag));
                (tags, true)
            }
            _ if excluded.is_empty() => return None,
            _ => (excluded, false),
        };
        Some(Condition { tags: tags.join(" "), is_listed, failure })
    }

    /// Checks them before a change of a resource that exists and has no tag.
    pub(crate) fn check_untagged(&self) -> Result<(), ApiError> {
        if fails(self.if_match.as_ref(), None) || matches(self.if_none_match.as_ref(), None) {
            return Err(ApiError::PreconditionFailed(RULED_OUT));
        }
        Ok(())
    }

    /// The answer to `GET` and `HEAD`: this response, or 412 or 304 in its place.
    pub(crate) fn apply(&self, mut response: Response) -> Response {
        let tag = response.headers().get(ETAG).and_then(|tag| tag.to_str().ok());
        let tag = tag.map(|tag| tag.trim_matches('"'));
        if fails(self.if_match.as_ref(), tag) {
            let failure = match tag {
                Some(_) => self.failure(),
                None => ApiError::PreconditionFailed(RULED_OUT),
            };
            return failure.into();
        }
        if matches(self.if_none_match.as_ref(), tag) {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            response.headers_mut().remove(CONTENT_TYPE);
        }
        response
    }

    /// The failure of a request about a task.
    fn failure(&self) -> ApiError {
        ApiError::PreconditionFailed(match (&self.if_match, &self.if_none_match) {
            (Some(EntityTags::Listed(tags)), None) if tags.is_empty() => ONLY_WEAK,
            (Some(_), None) => CHANGED,
            _ => RULED_OUT,
        })
    }
}

/// True if the header is there and has the tag, or `*`.
fn matches(tags: Option<&EntityTags>, tag: Option<&str>) -> bool {
    match tags {
        None => false,
        Some(EntityTags::Any) => true,
        Some(EntityTags::Listed(tags)) => tags.iter().any(|listed| Some(listed.as_str()) == tag),
    }
}

/// True if the header is there and has neither the tag nor `*`.
fn fails(tags: Option<&EntityTags>, tag: Option<&str>) -> bool {
    tags.is_some() && !matches(tags, tag)
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
        let is_if_match = *name == IF_MATCH;
        let tags = read_list(&text, !is_if_match).ok_or_else(|| {
            ApiError::BadRequest(format!(
                "{} must be * or a list of entity tags, each in quotes",
                if is_if_match { "If-Match" } else { "If-None-Match" }
            ))
        })?;
        Ok(Some(Self::Listed(tags)))
    }
}

/// Empty elements of a list mean nothing (RFC 9110, section 5.6.1.2).
const BETWEEN_TAGS: [char; 3] = [' ', '\t', ','];

/// The tags of `"a", W/"b"`, with or without the weak ones; `None` where it is no such list. Not split
/// at commas, which a tag may have.
fn read_list(text: &str, takes_weak: bool) -> Option<Vec<String>> {
    let mut rest = text.trim_start_matches(BETWEEN_TAGS);
    if rest.is_empty() {
        return None;
    }
    let mut tags = Vec::new();
    while !rest.is_empty() {
        let (is_weak, quoted) = match rest.strip_prefix("W/") {
            Some(quoted) => (true, quoted),
            None => (false, rest),
        };
        let (tag, after) = quoted.strip_prefix('"')?.split_once('"')?;
        if tag.contains(|c: char| c.is_ascii_control() || c == ' ') {
            return None;
        }
        if takes_weak || !is_weak {
            tags.push(tag.to_owned());
        }
        let after = after.trim_start_matches([' ', '\t']);
        if !(after.is_empty() || after.starts_with(',')) {
            return None;
        }
        rest = after.trim_start_matches(BETWEEN_TAGS);
    }
    Some(tags)
}

#[cfg(test)]
mod tests {
    use http::header::{ETAG, IF_MATCH, IF_NONE_MATCH};
    use http::{HeaderMap, HeaderName, HeaderValue};

    use super::super::response::{self, Response};
    use super::{CHANGED, ONLY_WEAK, Preconditions, RULED_OUT};

    fn headers(lines: &[(HeaderName, &'static str)]) -> HeaderMap {
        lines.iter().map(|(name, line)| (name.clone(), HeaderValue::from_static(line))).collect()
    }

    fn both(if_match: &'static str, if_none_match: &'static str) -> Preconditions {
        let lines = [(IF_MATCH, if_match), (IF_NONE_MATCH, if_none_match)];
        let lines: Vec<_> = lines.into_iter().filter(|(_, line)| !line.is_empty()).collect();
        Preconditions::of(&headers(&lines)).expect("good headers")
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
            let lines: Vec<_> = lines.iter().map(|line| (IF_MATCH, *line)).collect();
            let read = Preconditions::of(&headers(&lines)).map(Preconditions::into_condition);
            let read = read.map_err(|_| ()).map(|condition| {
                condition.map(|condition| {
                    assert!(condition.is_listed, "{label}");
                    condition.tags
                })
            });
            assert_eq!(read.as_ref().map(Option::as_deref), expected.as_ref().copied(), "{label}");
        }
    }

    #[test]
    fn a_change_has_one_condition_for_both_headers() {
        for (label, if_match, if_none_match, expected) in [
            ("neither", "", "", None),
            ("any state", "*", "", None),
            ("no state", "", "*", Some(("", true, RULED_OUT))),
            ("no state among others", "\"a\"", "*", Some(("", true, RULED_OUT))),
            ("this one", "\"a\"", "", Some(("a", true, CHANGED))),
            ("this one, weak", "W/\"a\"", "", Some(("", true, ONLY_WEAK))),
            ("not this one", "", "\"a\"", Some(("a", false, RULED_OUT))),
            ("not this one, weak", "", "W/\"a\"", Some(("a", false, RULED_OUT))),
            ("any but this one", "*", "\"a\", \"b\"", Some(("a b", false, RULED_OUT))),
            ("these but not that", "\"a\", \"b\"", "W/\"b\"", Some(("a", true, RULED_OUT))),
            ("one and not the same", "\"a\"", "\"a\"", Some(("", true, RULED_OUT))),
        ] {
            let condition = both(if_match, if_none_match).into_condition();
            let found = condition.as_ref().map(|condition| {
                let detail = condition.failure.problem().detail;
                (condition.tags.as_str(), condition.is_listed, detail)
            });
            let expected =
                expected.map(|(tags, is_listed, detail)| (tags, is_listed, detail.to_owned()));
            assert_eq!(found, expected, "{label}");
        }
    }

    #[test]
    fn what_was_read_is_answered_by_its_tag() {
        let response = |tag: Option<&'static str>| -> Response {
            let mut response = response::json(b"{}".to_vec());
            if let Some(tag) = tag {
                response.headers_mut().insert(ETAG, HeaderValue::from_static(tag));
            }
            response
        };
        for (label, if_match, if_none_match, tagged, untagged) in [
            ("neither", "", "", 200, 200),
            ("this one", "\"a\"", "", 200, 412),
            ("this one among others", "\"b\", \"a\"", "", 200, 412),
            ("this one, weak", "W/\"a\"", "", 412, 412),
            ("another", "\"b\"", "", 412, 412),
            ("any", "*", "", 200, 200),
            ("not this one", "", "\"a\"", 304, 200),
            ("not this one, weak", "", "W/\"a\"", 304, 200),
            ("not this one or that", "", "\"b\", W/\"a\"", 304, 200),
            ("not another", "", "\"b\"", 200, 200),
            ("none", "", "*", 304, 304),
            ("stale and known", "\"b\"", "\"a\"", 412, 412),
            ("fresh and known", "\"a\"", "\"a\"", 304, 412),
            ("any and known", "*", "\"a\"", 304, 200),
        ] {
            let status = |tag| both(if_match, if_none_match).apply(response(tag)).status();
            assert_eq!(status(Some("\"a\"")), tagged, "{label}, with a tag");
            assert_eq!(status(None), untagged, "{label}, without a tag");
            let is_let = both(if_match, if_none_match).check_untagged().is_ok();
            assert_eq!(is_let, untagged == 200, "{label}: something is done with it");
        }
    }
}
