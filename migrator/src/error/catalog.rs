//! Errors of reading a catalog.

use thiserror::Error;

use crate::error::exit_code;

/// Why a catalog cannot be read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CatalogError {
    /// Unqualified names are made nowhere.
    #[error("the search path names no schema that is there")]
    NoSchema,
    /// A query answered with something that is not known here.
    #[error("cannot understand the catalogs: {reason}")]
    Unknown {
        /// What.
        reason: serde_json::Error,
    },
}

impl CatalogError {
    pub(crate) fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::NoSchema => "create the schema that the search path names",
            Self::Unknown { .. } => return None,
        };
        Some(hint.to_owned())
    }

    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::NoSchema => exit_code::USAGE,
            Self::Unknown { .. } => exit_code::UNREACHABLE_OR_LOCKED,
        }
    }
}
