//! Positions in a file, as line and column.

use std::fmt;

use serde::Serialize;

/// A place in a file. Both count from 1; the column counts characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

impl Position {
    /// The place of PostgreSQL's error position, which counts characters from 1. A position past
    /// the end is the end.
    pub(crate) fn of_character(text: &str, character: u32) -> Self {
        let before = usize::try_from(character).unwrap_or(usize::MAX).saturating_sub(1);
        let end = text.char_indices().nth(before).map_or(text.len(), |(byte, _)| byte);
        Self::of_byte(text, end)
    }

    /// The place of a byte offset that is a character boundary.
    pub(crate) fn of_byte(text: &str, byte: usize) -> Self {
        let before = &text[..byte];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Self {
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
        }
    }

    /// The line itself, with single spaces for tabs and other control characters, which a terminal
    /// would obey.
    pub(crate) fn line_of(self, text: &str) -> String {
        text.lines().nth(self.line - 1).unwrap_or_default().replace(char::is_control, " ")
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

#[cfg(test)]
mod tests {
    use super::Position;

    #[test]
    fn characters_are_counted_as_people_do() {
        let text = "select 1;\n-- größer\n\tselect ü, x;\r\nlast";
        for (label, character, line, column) in [
            ("first character", 1, 1, 1),
            ("end of the first line", 10, 1, 10),
            ("start of the second line", 11, 2, 1),
            ("after two-byte characters", 20, 2, 10),
            ("after a tab", 22, 3, 2),
            ("after another two-byte character", 30, 3, 10),
            ("after a carriage return", 36, 4, 1),
            ("past the end", 1000, 4, 5),
            ("zero", 0, 1, 1),
        ] {
            assert_eq!(
                Position::of_character(text, character),
                Position { line, column },
                "{label}"
            );
        }
    }

    #[test]
    fn the_line_is_shown_without_control_characters() {
        let position = Position { line: 2, column: 2 };
        assert_eq!(position.line_of("a\n\tb\u{1b}[2J\n"), " b [2J");
    }
}
