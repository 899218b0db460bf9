//! Reads variables from the host.

use super::problems::Problems;
use crate::host::{Unreadable, variables};

/// The one variable that is taken as it is: white space around it is part of the key that tokens are
/// signed with.
const SECRET: &str = "jwt_secret";

/// Source of variables.
pub(super) trait Source {
    /// The value as it is set; `None` when the manifest does not pass the variable on.
    async fn get(&self, name: &'static str) -> Result<Option<String>, Unreadable>;
}

/// Spin's variables.
#[derive(Clone, Copy)]
pub(super) struct Host;

impl Source for Host {
    async fn get(&self, name: &'static str) -> Result<Option<String>, Unreadable> {
        variables::get(name).await
    }
}

/// Reads variables and collects what is wrong with them.
pub(super) struct Reader<S> {
    source: S,
    pub(super) problems: Problems,
}

impl<S: Source> Reader<S> {
    pub(super) fn new(source: S) -> Self {
        Self { source, problems: Problems::default() }
    }

    /// A variable's value without white space around it; an empty one counts as not set, because
    /// that is how a manifest gives an optional one.
    pub(super) async fn text(&mut self, name: &'static str) -> Option<String> {
        let Ok(value) = self.source.get(name).await else {
            return self.problems.add(format!("`{name}` is not set or cannot be read"));
        };
        let value = value.map(|value| match name {
            SECRET => value,
            _ => value.trim().to_owned(),
        });
        value.filter(|value| !value.is_empty())
    }

    /// A whole number from `min` to `max`.
    pub(super) async fn number(
        &mut self,
        name: &'static str,
        default: u16,
        range: (u16, u16),
    ) -> Option<u16> {
        let value = self.text(name).await;
        self.problems.number(name, value, default, range)
    }
}
