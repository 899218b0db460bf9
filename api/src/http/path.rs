//! Paths of task routes: `/api/{user_id}/tasks/{id}`.

use percent_encoding::percent_decode_str;

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

    /// The task's id; `None` when it is not one.
    pub(crate) fn task_id(self) -> Option<TaskId> {
        let id = percent_decode_str(self.id).decode_utf8().ok()?;
        let digits = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit());
        let number = if digits { id.parse::<i32>().ok() } else { None };
        number.filter(|id| *id > 0).map(TaskId)
    }
}

/// A task's id: a positive 32-bit integer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TaskId(pub(crate) i32);

#[cfg(test)]
mod tests {
    use super::{TaskId, TaskPath};

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
}
