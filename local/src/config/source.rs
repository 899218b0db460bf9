//! A TOML file with positions.

use std::fmt::Display;
use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

use crate::error::{Error, ErrorKind, Place};

/// The text of a TOML file and where it came from.
pub(super) struct Source {
    path: PathBuf,
    text: String,
}

impl Source {
    pub(super) fn new(path: impl Into<PathBuf>, text: impl Into<String>) -> Source {
        Source { path: path.into(), text: text.into() }
    }

    pub(super) fn read(path: &Path) -> Result<Source, Error> {
        let text =
            std::fs::read_to_string(path).map_err(Error::file(ErrorKind::Config, "read", path))?;
        Ok(Source::new(path, text))
    }

    /// The typed content. A key that `T` does not have is an error: Spin may know it, this runtime does not.
    pub(super) fn parse<T: DeserializeOwned>(&self) -> Result<T, Error> {
        toml::from_str(&self.text).map_err(|error| {
            let span = error.span().unwrap_or_default();
            match error.message().strip_prefix("unknown field ") {
                Some(key) => {
                    self.unsupported(span, key.replacen("`,", "` is not supported by `local`:", 1))
                }
                None => self.error(span, error.message()),
            }
        })
    }

    /// An error at this place of the file.
    pub(super) fn error(&self, span: Range<usize>, message: impl Into<String>) -> Error {
        // Only the first line, of what may be a whole table.
        let start = span.start.min(self.text.len());
        let line = self.text[start..].find('\n').unwrap_or(self.text.len() - start);
        let span = start..span.end.clamp(start, start + line);
        let place = Place { path: self.path.clone(), text: self.text.clone(), span };
        Error::new(ErrorKind::Config, message).at(place)
    }

    /// The error for something that Spin has and this runtime does not.
    pub(super) fn unsupported(&self, span: Range<usize>, message: impl Display) -> Error {
        self.error(span, message.to_string())
            .with_hint("remove it, or run the application with `spin up`")
    }
}
