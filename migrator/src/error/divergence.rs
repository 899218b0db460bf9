//! Differences between the history and the files.

use std::fmt;

use crate::model::MigrationName;

/// One way in which history and files do not belong together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Divergence {
    /// Applied, and the file has changed since.
    Edited(MigrationName),
    /// Applied, and the file has other line endings now; the text is the same.
    LineEndings {
        /// Which.
        name: MigrationName,
        /// The line endings with which it was applied.
        applied: LineEnding,
    },
    /// Applied, and there is no such file.
    Missing(MigrationName),
    /// Not applied, although a later one is.
    OutOfOrder {
        /// The late arrival.
        name: MigrationName,
        /// The newest applied.
        newest: MigrationName,
    },
}

/// Line endings of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineEnding {
    /// A line feed, as on Unix.
    Lf,
    /// Carriage return and line feed, as on Windows.
    Crlf,
}

impl LineEnding {
    /// The text with these line endings, whichever it has.
    pub(crate) fn apply(self, text: &str) -> String {
        let plain = text.replace("\r\n", "\n");
        match self {
            Self::Lf => plain,
            Self::Crlf => plain.replace('\n', "\r\n"),
        }
    }

    /// As `.gitattributes` has it.
    pub(crate) fn attribute(self) -> &'static str {
        match self {
            Self::Lf => "eol=lf",
            Self::Crlf => "eol=crlf",
        }
    }
}

impl fmt::Display for LineEnding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Lf => "LF",
            Self::Crlf => "CRLF",
        })
    }
}

impl fmt::Display for Divergence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Edited(name) => write!(f, "{name} was edited after it was applied"),
            Self::LineEndings { name, applied } => write!(
                f,
                "{name} was applied with {applied} line endings, and the file has others; the text is the same"
            ),
            Self::Missing(name) => write!(f, "{name} is applied, but missing from the migrations"),
            Self::OutOfOrder { name, newest } => {
                write!(f, "{name} is pending, but older than {newest}, which is applied")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Divergence, LineEnding, MigrationName};

    #[test]
    fn every_divergence_names_the_migration() {
        let name = |version| MigrationName { version, name: "x".to_owned() };
        for (divergence, text) in [
            (Divergence::Edited(name(1)), "V1__x was edited after it was applied"),
            (
                Divergence::LineEndings { name: name(1), applied: LineEnding::Lf },
                "V1__x was applied with LF line endings, and the file has others; the text is the same",
            ),
            (Divergence::Missing(name(1)), "V1__x is applied, but missing from the migrations"),
            (
                Divergence::OutOfOrder { name: name(1), newest: name(2) },
                "V1__x is pending, but older than V2__x, which is applied",
            ),
        ] {
            assert_eq!(divergence.to_string(), text);
        }
    }
}
