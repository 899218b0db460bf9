//! What the path of a task route says: `/api/{user_id}/tasks/{id}`.

use axum::extract::FromRequestParts;
use http::request::Parts;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use crate::error::ApiError;

/// All but RFC 3986's unreserved characters: a user id with a slash stays one segment.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The variable segments of a task route, still percent-encoded.
#[derive(Clone, Copy)]
pub(crate) struct TaskPath<'a> {
    user: &'a str,
    id: &'a str,
}

impl<'a> TaskPath<'a> {
    /// Splits before decoding, so that an encoded slash never moves a segment.
    pub(crate) fn of(path: &'a str) -> Self {
        let mut segments = path.split('/').skip(2);
        let user = segments.next().unwrap_or_default();
        let id = segments.nth(1).unwrap_or_default();
        Self { user, id }
    }

    /// The user id; `None` when it is not UTF-8, which no user id is.
    pub(crate) fn user_id(self) -> Option<String> {
        percent_decode_str(self.user).decode_utf8().ok().map(std::borrow::Cow::into_owned)
    }

    fn task_id(self) -> Option<TaskId> {
        let id = percent_decode_str(self.id).decode_utf8().ok()?;
        let digits = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit());
        let number = if digits { id.parse::<i32>().ok() } else { None };
        number.filter(|id| *id > 0).map(TaskId)
    }
}

/// The path of a user's tasks, as `Link` gives it.
pub(crate) fn of_tasks(user_id: &str) -> String {
    let user = match user_id {
        // Written plainly, they are no segments but steps through folders, and gone when a client
        // resolves `Location` (RFC 3986, section 5.2.4). Browsers take these two so even encoded.
        "." | ".." => user_id.replace('.', "%2E"),
        _ => utf8_percent_encode(user_id, SEGMENT).to_string(),
    };
    format!("/api/{user}/tasks")
}

/// The path of one task, as `Location` gives it.
pub(crate) fn of_task(user_id: &str, id: i32) -> String {
    format!("{}/{id}", of_tasks(user_id))
}

/// A task's id: a positive 32-bit integer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TaskId(pub(crate) i32);

impl<S: Sync> FromRequestParts<S> for TaskId {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        TaskPath::of(parts.uri.path()).task_id().ok_or(ApiError::InvalidTaskId)
    }
}

#[cfg(test)]
mod tests {
    use super::{TaskId, TaskPath, of_task};

    #[test]
    fn user_ids_are_opaque_and_never_confused() {
        for (label, path, user) in [
            ("plain", "/api/user-123/tasks", Some("user-123")),
            ("slash", "/api/a%2Fb/tasks", Some("a/b")),
            ("looks like a route", "/api/a%2Ftasks%2F1/tasks/2", Some("a/tasks/1")),
            ("encoded twice", "/api/a%252Fb/tasks", Some("a%2Fb")),
            ("space and quote", "/api/a%20%22b%22/tasks", Some("a \"b\"")),
            ("emoji", "/api/%F0%9F%A6%80/tasks", Some("🦀")),
            ("plus stays plus", "/api/a+b/tasks", Some("a+b")),
            ("dots", "/api/../tasks", Some("..")),
            ("not UTF-8", "/api/%FF/tasks", None),
        ] {
            assert_eq!(TaskPath::of(path).user_id().as_deref(), user, "{label}");
        }
    }

    #[test]
    fn a_task_id_is_a_positive_32_bit_integer() {
        for (label, id, expected) in [
            ("one", "1", Some(1)),
            ("largest", "2147483647", Some(i32::MAX)),
            ("too large", "2147483648", None),
            ("zero", "0", None),
            ("negative", "-1", None),
            ("signed", "+1", None),
            ("fraction", "1.0", None),
            ("word", "abc", None),
            ("not ASCII digits", "%D9%A1", None),
            ("space", "%201", None),
            ("not UTF-8", "%FF", None),
            ("far too long", "99999999999999999999999999", None),
        ] {
            let path = format!("/api/u/tasks/{id}/complete");
            assert_eq!(TaskPath::of(&path).task_id(), expected.map(TaskId), "{label}");
        }
    }

    #[test]
    fn the_path_of_a_task_leads_back_to_its_user() {
        for user in ["user-123", "a/b", "../x", ".", "..", "ü 🦀", "100%"] {
            let path = of_task(user, 7);
            assert!(!path.contains("/./") && !path.contains("/../"), "{path}");
            assert_eq!(TaskPath::of(&path).user_id().as_deref(), Some(user), "{path}");
            assert_eq!(TaskPath::of(&path).task_id(), Some(TaskId(7)), "{path}");
        }
    }
}
