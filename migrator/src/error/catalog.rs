//! Errors of reading a catalog.

use super::diagnostic::diagnostics;
use super::kind;

diagnostics! {
    /// A catalog that cannot be read.
    pub enum CatalogError {
        /// There is no schema in which unqualified names are created.
        #[error("the search path names no schema that is there")]
        #[diagnostic(
            kind::CATALOG_WITHOUT_SCHEMA,
            hint = "create the schema that the search path names",
        )]
        NoSchema,
        /// The answer to a query has an unknown form.
        #[error("cannot understand the catalogs: {reason}")]
        #[diagnostic(kind::CATALOG)]
        Unknown { reason: serde_json::Error },
    }
}
