//! A finding and its position.

use std::ops::Range;

use crate::migrations::File;
use crate::model::Position;
use crate::ops::lint::rules;

/// Something in a file that should be changed, or accepted with a reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The rule: one of squawk's, `syntax`, or one about accepting.
    pub rule: String,
    /// The name of the file.
    pub file: String,
    /// Position of its first character.
    pub start: Position,
    /// Position after its last character.
    pub end: Position,
    /// The same place as offsets in the file's text.
    pub bytes: Range<usize>,
    /// The problem.
    pub message: String,
    /// Advice.
    pub help: Vec<String>,
    /// URL of the rule's documentation.
    pub url: Option<String>,
}

impl Finding {
    /// At a place in a file, but for white space at its end.
    pub(crate) fn at(file: &File, bytes: Range<usize>, rule: &str, message: String) -> Self {
        let text = &file.sql;
        let start = text.floor_char_boundary(bytes.start);
        let end = text.floor_char_boundary(bytes.end).max(start);
        let end = start + text[start..end].trim_end().len();
        Self {
            rule: rule.to_owned(),
            file: file.name.clone(),
            start: Position::of_byte(text, start),
            end: Position::of_byte(text, end),
            bytes: start..end,
            message,
            help: Vec::new(),
            url: None,
        }
    }

    /// True if a comment can accept it: it is about SQL, not about a comment.
    pub fn can_be_accepted(&self) -> bool {
        rules::check_name(&self.rule).is_ok()
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help.push(help.into());
        self
    }
}
