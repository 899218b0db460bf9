//! Errors of generating a migration from drift.

use thiserror::Error;

use crate::error::exit_code;
use crate::model::MigrationName;
use crate::model::text::names;

/// Why a database's side cannot be taken.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LiveSchemaError {
    /// What is pending would be mistaken for what was taken away by hand.
    #[error("not every migration is applied: {} pending", names(pending))]
    Pending {
        /// Which are not.
        pending: Vec<MigrationName>,
    },
    /// The database is not what the migrations make that are to count as applied.
    #[error("the schema is not what {newest} leaves")]
    Differs {
        /// The newest that was to be adopted.
        newest: MigrationName,
        /// How it differs, a line for each.
        differences: Vec<String>,
    },
}

impl LiveSchemaError {
    pub(crate) fn details(&self) -> Vec<String> {
        let mut lines = match self {
            Self::Pending { .. } => Vec::new(),
            Self::Differs { differences, .. } => differences.clone(),
        };
        lines.push("nothing was written".to_owned());
        lines
    }

    pub(crate) fn hint(&self) -> String {
        let hint = match self {
            Self::Pending { .. } => {
                "apply them first: `migrator up` with the same `--dir`; what was made by hand and is in the way, undo"
            }
            Self::Differs { .. } => {
                "`migrator drift --to VERSION` shows the differences: change the migration or the database until there are none"
            }
        };
        hint.to_owned()
    }

    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Pending { .. } | Self::Differs { .. } => exit_code::USAGE,
        }
    }

    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Pending { .. } => "pending",
            Self::Differs { .. } => "baseline",
        }
    }
}
