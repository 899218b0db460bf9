//! Differences between the history and the files.

use std::fmt;

use crate::model::MigrationName;

/// One way in which history and files do not belong together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Divergence {
    /// Applied, and the file has changed since.
    Edited(MigrationName),
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

impl fmt::Display for Divergence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Edited(name) => write!(f, "{name} was edited after it was applied"),
            Self::Missing(name) => write!(f, "{name} is applied, but missing from the migrations"),
            Self::OutOfOrder { name, newest } => {
                write!(f, "{name} is pending, but older than {newest}, which is applied")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Divergence, MigrationName};

    #[test]
    fn every_divergence_names_the_migration() {
        let name = |version| MigrationName { version, name: "x".to_owned() };
        for (divergence, text) in [
            (Divergence::Edited(name(1)), "V1__x was edited after it was applied"),
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
