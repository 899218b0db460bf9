//! Problems of the configuration.

use std::fmt;

/// Problems of the configuration, by variable and without the values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Misconfiguration(pub(super) Vec<String>);

impl Misconfiguration {
    /// Detected by a statement: the accounts belong to another program.
    pub(crate) fn accounts_are_not_ours() -> Self {
        let problem = "`database_url` has a role that lacks a right (`migrator grant` gives it what it needs), or `provision_users` must be `false`, because the table users has no email or may not be written to";
        Self(vec![problem.to_owned()])
    }

    /// Found out from the database: rights, each on a table.
    pub(crate) fn lacks(rights: &str) -> Self {
        Self(vec![format!(
            "`database_url` has a role that lacks {rights} (`migrator grant` gives it what it needs)"
        )])
    }

    /// Found out from the database: row security shuts the role out.
    pub(crate) fn sees_no_rows(tables: &str) -> Self {
        Self(vec![format!(
            "row security is enabled on {tables}, and no policy lets the role of `database_url` read and write there"
        )])
    }
}

impl fmt::Display for Misconfiguration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "The service is misconfigured: {}", self.0.join("; "))
    }
}

/// Everything found wrong so far.
#[derive(Default)]
pub(super) struct Problems(pub(super) Vec<String>);

impl Problems {
    /// Adds a problem.
    pub(super) fn note(&mut self, problem: impl Into<String>) {
        self.0.push(problem.into());
    }

    /// Adds a problem; there is no value then.
    pub(super) fn add<T>(&mut self, problem: impl Into<String>) -> Option<T> {
        self.note(problem);
        None
    }

    /// A whole number from `min` to `max`.
    pub(super) fn number(
        &mut self,
        name: &str,
        value: Option<String>,
        default: u16,
        (min, max): (u16, u16),
    ) -> Option<u16> {
        let Some(value) = value else { return Some(default) };
        match value.parse() {
            Ok(number) if (min..=max).contains(&number) => Some(number),
            _ => self.add(format!("`{name}` must be a whole number from {min} to {max}")),
        }
    }
}
