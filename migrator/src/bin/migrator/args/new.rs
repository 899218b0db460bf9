//! The arguments of `migrator new`.

use clap::Args;

use crate::args::schema::ShadowOptions;

#[derive(Clone, Debug, Args)]
pub(crate) struct NewArguments {
    /// Name, such as `add_due_date`; converted to lower case with underscores.
    pub(crate) name: String,

    /// Fill them with the changes that were made to the database by hand.
    ///
    /// All migrations of the folder must be applied. The changes are found in a shadow database, as by
    /// `drift`; those that cannot be written become a TODO. Both scripts are then tested in a shadow
    /// database.
    #[arg(long)]
    pub(crate) from_drift: bool,

    #[command(flatten)]
    pub(crate) shadow: ShadowOptions,
}
