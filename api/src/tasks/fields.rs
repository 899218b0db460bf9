//! What the fields of a task may hold. A checked value has its own type, so that no query can see
//! an unchecked one.

use super::messages::{DESCRIPTION_TOO_LONG, STATUS_UNKNOWN, TITLE_TOO_LONG};
use crate::http::json::{JsonObject, Member, must_be_text};
use responses::problem::FieldError;

/// The longest title, in Unicode scalar values: what PostgreSQL's `length()` counts.
pub(crate) const MAX_TITLE_CHARS: usize = 255;

/// The longest description, in Unicode scalar values.
pub(crate) const MAX_DESCRIPTION_CHARS: usize = 5_000;

/// A title: 1–255 characters, not only white space, kept as it was sent.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Title(pub(crate) String);

/// A description: at most 5000 characters.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Description(pub(crate) String);

/// Whether a task is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(test, derive(utoipa::ToSchema), schema(rename_all = "lowercase"))]
pub(crate) enum Status {
    /// Still to be done.
    Incomplete,
    /// Done.
    Complete,
}

impl Status {
    /// Reads the status as clients and the database write it.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text {
            "incomplete" => Some(Self::Incomplete),
            "complete" => Some(Self::Complete),
            _ => None,
        }
    }

    /// The status as clients and the database write it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Incomplete => "incomplete",
            Self::Complete => "complete",
        }
    }
}

/// Reads the fields of a task from a body and collects what is wrong with them.
pub(crate) struct FieldReader<'a> {
    body: &'a JsonObject,
    errors: Vec<FieldError>,
}

impl<'a> FieldReader<'a> {
    pub(crate) fn new(body: &'a JsonObject) -> Self {
        Self { body, errors: Vec::new() }
    }

    /// The title of a new task, which must have one.
    pub(crate) fn required_title(&mut self) -> Option<Title> {
        const REQUIRED: &str = "Title is required";
        match self.body.text("title", &mut self.errors) {
            Member::Absent | Member::Null => self.wrong("title", REQUIRED),
            Member::Text(text) => self.title(text, REQUIRED),
            Member::Wrong => None,
        }
    }

    /// The title in an update; a task cannot lose its title.
    pub(crate) fn new_title(&mut self) -> Option<Title> {
        match self.body.text("title", &mut self.errors) {
            Member::Absent | Member::Wrong => None,
            Member::Null => self.wrong("title", must_be_text("title")),
            Member::Text(text) => self.title(text, "Title cannot be empty"),
        }
    }

    /// The description: `None` when the body does not speak of it, `Some(None)` when it is null.
    #[expect(clippy::option_option, reason = "absent and null mean different things in an update")]
    pub(crate) fn description(&mut self) -> Option<Option<Description>> {
        match self.body.text("description", &mut self.errors) {
            Member::Absent | Member::Wrong => None,
            Member::Null => Some(None),
            Member::Text(text) if text.chars().count() > MAX_DESCRIPTION_CHARS => {
                self.wrong("description", DESCRIPTION_TOO_LONG)
            }
            Member::Text(text) => Some(Some(Description(text))),
        }
    }

    /// The status in an update.
    pub(crate) fn status(&mut self) -> Option<Status> {
        match self.body.text("status", &mut self.errors) {
            Member::Absent | Member::Wrong => None,
            Member::Null => self.wrong("status", must_be_text("status")),
            Member::Text(text) => match Status::parse(&text) {
                Some(status) => Some(status),
                None => self.wrong("status", STATUS_UNKNOWN),
            },
        }
    }

    /// All that was wrong, in the order in which the fields were read.
    pub(crate) fn into_errors(self) -> Vec<FieldError> {
        self.errors
    }

    fn title(&mut self, text: String, when_blank: &str) -> Option<Title> {
        if text.trim().is_empty() {
            self.wrong("title", when_blank)
        } else if text.chars().count() > MAX_TITLE_CHARS {
            self.wrong("title", TITLE_TOO_LONG)
        } else {
            Some(Title(text))
        }
    }

    fn wrong<T>(&mut self, field: &str, message: impl Into<String>) -> Option<T> {
        self.errors.push(FieldError { field: field.to_owned(), message: message.into() });
        None
    }
}
