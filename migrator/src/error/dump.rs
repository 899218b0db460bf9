//! Errors of `migrator dump`.

use std::io;
use std::path::PathBuf;

use super::diagnostic::diagnostics;
use super::kind;

diagnostics! {
    /// A schema that cannot be written to the file, or compared with it.
    pub enum DumpError {
        /// The file cannot be read.
        #[error("cannot read `{}`: {source}", path.display())]
        #[diagnostic(
            kind::DUMP,
            hint = "`--output` names the file, `schema.sql` unless told otherwise",
        )]
        Read { path: PathBuf, source: io::Error },
        /// The file cannot be written.
        #[error("cannot write `{}`: {source}", path.display())]
        #[diagnostic(kind::DUMP, hint = "`--output` names the file; its folder must be there")]
        Write { path: PathBuf, source: io::Error },
        /// `--check` needs a file.
        #[error("cannot check standard output")]
        #[diagnostic(
            kind::DUMP,
            hint = "`--output` names the file, `schema.sql` unless told otherwise",
        )]
        CheckOfStandardOutput,
    }
}
