//! Something that works but should be looked at, with what to do about it.

use std::fmt;

use serde::Serialize;

/// A warning. As text it is both parts in one line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HealthWarning {
    /// A name for programs, such as `pending_migrations`. A contract.
    pub kind: &'static str,
    /// What is the case.
    pub what: String,
    /// What to do about it.
    pub advice: String,
}

impl HealthWarning {
    pub(crate) fn new(
        kind: &'static str,
        what: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        Self { kind, what: what.into(), advice: advice.into() }
    }
}

impl fmt::Display for HealthWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {}", self.what, self.advice)
    }
}
