//! A TOML file with positions: what cannot be used is reported by name, line and column.

use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::error::Error;

/// The text of a TOML file and where it came from.
pub(crate) struct Source {
    path: PathBuf,
    text: String,
}

impl Source {
    /// Reads the file.
    pub(crate) fn read(path: &Path) -> Result<Source, Error> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| Error::Read { path: path.to_owned(), source })?;
        Ok(Source { path: path.to_owned(), text })
    }

    #[cfg(test)]
    pub(crate) fn of(name: &str, text: &str) -> Source {
        Source { path: name.into(), text: text.to_owned() }
    }

    /// The typed content.
    pub(crate) fn parse<T: DeserializeOwned>(&self) -> Result<T, Error> {
        toml::from_str(&self.text).map_err(|error| self.syntax(&error))
    }

    /// The untyped content, with the position of every key.
    pub(crate) fn table(&self) -> Result<Spanned<DeTable<'_>>, Error> {
        DeTable::parse(&self.text).map_err(|error| self.syntax(&error))
    }

    /// An error at this place of the file.
    pub(crate) fn error(&self, span: Option<Range<usize>>, message: impl Into<String>) -> Error {
        Error::Config {
            path: self.path.clone(),
            position: span.map(|span| self.position(span.start)),
            message: message.into(),
        }
    }

    /// Refuses, by its full name, every key of `table` that is not in `supported`. `owner` is the table's own
    /// dotted name, empty for the top.
    pub(crate) fn only(
        &self,
        owner: &str,
        table: &DeTable<'_>,
        supported: &[&str],
    ) -> Result<(), Error> {
        for key in table.keys() {
            let name: &str = key.get_ref();
            if !supported.contains(&name) {
                return Err(self.unsupported(key.span(), &dotted(owner, name)));
            }
        }
        Ok(())
    }

    /// The error for something that real Spin may know and this runner does not.
    pub(crate) fn unsupported(&self, span: Range<usize>, name: &str) -> Error {
        self.error(Some(span), format!("`{name}` is not supported by this runner; use `spin up`"))
    }

    fn syntax(&self, error: &toml::de::Error) -> Error {
        self.error(error.span(), error.message())
    }

    fn position(&self, offset: usize) -> (usize, usize) {
        let before = &self.text[..offset.min(self.text.len())];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
    }
}

/// `owner.name`, or just the name at the top.
fn dotted(owner: &str, name: &str) -> String {
    if owner.is_empty() { name.to_owned() } else { format!("{owner}.{name}") }
}

/// The entries of `table` that are tables themselves, under `key`.
pub(super) fn tables<'t, 'i>(
    table: &'t DeTable<'i>,
    key: &str,
) -> impl Iterator<Item = (&'t str, &'t DeTable<'i>)> {
    table.get(key).and_then(|value| value.get_ref().as_table()).into_iter().flatten().filter_map(
        |(name, value)| match value.get_ref() {
            DeValue::Table(inner) => Some((name.get_ref().as_ref(), inner)),
            _ => None,
        },
    )
}
