//! The arguments of `migrator baseline`.

use clap::Args;
use migrator::BaselineTarget;

#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct BaselineArguments {
    /// Newest migration to mark as applied.
    #[arg(
        value_name = "VERSION",
        required_unless_present = "from_alembic",
        value_parser = clap::value_parser!(i64).range(1..)
    )]
    newest: Option<i64>,

    /// Adopt the schema that Alembic created for the API's predecessor, which is version 1.
    ///
    /// `alembic_version` must have one row. It is not changed.
    #[arg(long, conflicts_with = "newest")]
    from_alembic: bool,
}

impl BaselineArguments {
    pub(crate) fn target(self) -> BaselineTarget {
        self.newest.map_or(BaselineTarget::Alembic, BaselineTarget::Version)
    }
}
