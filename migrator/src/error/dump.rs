//! Errors of `migrator dump`.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

/// Why a schema cannot be written down, or compared with the file.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DumpError {
    /// The file cannot be read.
    #[error("cannot read `{}`: {source}", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The file cannot be written.
    #[error("cannot write `{}`: {source}", path.display())]
    Write {
        /// Which.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// There is no file to look at.
    #[error("cannot check standard output")]
    CheckOfStandardOutput,
}

impl DumpError {
    pub(crate) fn hint(&self) -> String {
        match self {
            Self::Read { .. } | Self::CheckOfStandardOutput => {
                "`--output` names the file, `schema.sql` unless told otherwise"
            }
            Self::Write { .. } => "`--output` names the file; its folder must be there",
        }
        .to_owned()
    }
}
