//! Errors of generating a migration, or a script, from drift.

use super::diagnostic::diagnostics;
use super::{kind, lines};
use crate::model::MigrationName;
use crate::model::text::names;

diagnostics! {
    /// A database whose schema cannot become a migration.
    pub enum LiveSchemaError {
        /// Pending migrations would be mistaken for objects that were dropped by hand.
        #[error("not every migration is applied: {} pending", names(pending))]
        #[diagnostic(
            kind::PENDING,
            details = "nothing was written",
            hint = "apply them first: `migrator up` with the same `--dir`; what was made by hand and is in the way, undo",
        )]
        Pending { pending: Vec<MigrationName> },
        /// The schema is not that of the migrations which are to count as applied.
        #[error("the schema is not what {newest} leaves")]
        #[diagnostic(
            kind::BASELINE,
            details = lines(differences.iter().cloned(), "nothing was written"),
            hint = "`migrator drift --to VERSION` shows the differences: change the migration or the database until there are none",
        )]
        Differs {
            newest: MigrationName,
            /// A line for each.
            differences: Vec<String>,
        },
        /// The server does not know a time zone.
        #[error("unknown time zone: `{zone}`")]
        #[diagnostic(
            kind::TIMEZONE,
            details = "nothing was written",
            hint = "`select name from pg_timezone_names` lists them, such as `UTC` and `Europe/Berlin`",
        )]
        UnknownTimezone { zone: String },
    }
}
