//! Fields of a task. A checked value has its own type, so that no query gets an unchecked one.

use super::messages::{DESCRIPTION_TOO_LONG, PRIORITY_UNKNOWN, STATUS_UNKNOWN, TITLE_TOO_LONG};
use crate::http::json::{JsonObject, Member, must_be_text};
use responses::problem::FieldError;

/// The longest title, in Unicode scalar values: what PostgreSQL's `length()` counts.
pub(crate) const MAX_TITLE_CHARS: usize = 255;

/// The longest description, in Unicode scalar values.
pub(crate) const MAX_DESCRIPTION_CHARS: usize = 5_000;

/// A title: 1–255 characters, one of them visible, kept as it was sent.
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

/// How much a task matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(test, derive(utoipa::ToSchema), schema(rename_all = "lowercase"))]
pub(crate) enum Priority {
    /// Less than others.
    Low,
    /// As much as others.
    Medium,
    /// More than others.
    High,
}

impl Priority {
    /// Reads the priority as clients write it: in any case, with white space around it.
    fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        [Self::Low, Self::Medium, Self::High]
            .into_iter()
            .find(|priority| text.eq_ignore_ascii_case(priority.as_str()))
    }

    /// The priority as responses and the database write it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
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

    /// The description: `None` when the body does not have it, `Some(None)` when it is null.
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

    /// The status in a request that sets nothing else.
    pub(crate) fn required_status(&mut self) -> Option<Status> {
        let status = self.status();
        if status.is_none() && self.errors.is_empty() {
            return self.wrong("status", STATUS_UNKNOWN);
        }
        status
    }

    /// The priority of a new task; null is the same as none.
    pub(crate) fn new_priority(&mut self) -> Option<Priority> {
        match self.body.text("priority", &mut self.errors) {
            Member::Absent | Member::Null | Member::Wrong => None,
            Member::Text(text) => self.known_priority(&text),
        }
    }

    /// The priority in an update; a task cannot lose it.
    pub(crate) fn priority(&mut self) -> Option<Priority> {
        match self.body.text("priority", &mut self.errors) {
            Member::Absent | Member::Wrong => None,
            Member::Null => self.wrong("priority", PRIORITY_UNKNOWN),
            Member::Text(text) => self.known_priority(&text),
        }
    }

    /// All that was wrong, in the order in which the fields were read.
    pub(crate) fn into_errors(self) -> Vec<FieldError> {
        self.errors
    }

    fn title(&mut self, text: String, when_blank: &str) -> Option<Title> {
        if text.chars().all(is_invisible) {
            self.wrong("title", when_blank)
        } else if text.chars().count() > MAX_TITLE_CHARS {
            self.wrong("title", TITLE_TOO_LONG)
        } else {
            Some(Title(text))
        }
    }

    fn known_priority(&mut self, text: &str) -> Option<Priority> {
        match Priority::parse(text) {
            Some(priority) => Some(priority),
            None => self.wrong("priority", PRIORITY_UNKNOWN),
        }
    }

    fn wrong<T>(&mut self, field: &str, message: impl Into<String>) -> Option<T> {
        self.errors.push(FieldError { field: field.to_owned(), message: message.into() });
        None
    }
}

/// True for a character without a visible glyph: white space, control and format characters, other
/// code points that are ignored in display (Unicode's `Default_Ignorable_Code_Point`), and letters and
/// symbols whose glyph is blank. Format characters that have a glyph, such as U+06DD, are visible.
fn is_invisible(character: char) -> bool {
    character.is_whitespace()
        || character.is_control()
        || matches!(character,
            '\u{ad}'
            | '\u{34f}'
            | '\u{61c}'
            | '\u{115f}'..='\u{1160}'
            | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            // Braille without a dot.
            | '\u{2800}'
            | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}'
            // Blanks and formatting of Egyptian hieroglyphs.
            | '\u{13430}'..='\u{13442}'
            // The filler of the Khitan small script.
            | '\u{16fe4}'
            | '\u{1bca0}'..='\u{1bca3}'
            // A notehead without a form.
            | '\u{1d159}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::is_invisible;

    #[test]
    fn a_title_needs_a_character_that_can_be_seen() {
        for (label, title, is_blank) in [
            ("nothing", "", true),
            ("white space", " \t\u{a0}\u{2003}\u{2028}\u{3000}", true),
            ("control characters", "\u{1}\u{7f}\u{9f}", true),
            ("zero-width characters", "\u{200b}\u{200c}\u{200d}\u{2060}\u{feff}", true),
            ("marks of direction", "\u{61c}\u{200e}\u{200f}\u{202e}\u{2069}", true),
            ("a soft hyphen", "\u{ad}", true),
            ("Hangul fillers", "\u{115f}\u{1160}\u{3164}\u{ffa0}", true),
            ("blank Braille", "\u{2800}", true),
            ("variation selectors", "\u{180b}\u{fe0f}\u{e0100}\u{e01ef}", true),
            ("tags", "\u{e0001}\u{e0020}\u{e007f}", true),
            ("inherent vowels", "\u{17b4}\u{17b5}", true),
            ("formatting of notes", "\u{1d159}\u{1d173}\u{1d17a}", true),
            ("interlinear annotation", "\u{fff9}\u{fffa}\u{fffb}", true),
            ("a joiner of graphemes", "\u{34f}", true),
            ("all of it and a letter", " \u{200b}\u{3164}\u{2800}x", false),
            ("emoji with joiners", "👩\u{200d}👩\u{200d}👧", false),
            ("emoji with a selector", "\u{2764}\u{fe0f}", false),
            ("right to left", "\u{202b}שלום\u{202c}", false),
            ("Braille with dots", "\u{2801}", false),
            ("a replacement character", "\u{fffd}", false),
            ("the end of an ayah", "\u{6dd}", false),
            ("a combining mark", "\u{301}", false),
            ("Hangul", "\u{1100}\u{1161}", false),
            ("a noncharacter", "\u{ffff}", false),
        ] {
            assert_eq!(title.chars().all(is_invisible), is_blank, "{label}");
        }
    }
}
