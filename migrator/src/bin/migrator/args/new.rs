//! The arguments of `migrator new`.

use clap::Args;

use crate::args::schema::ShadowOptions;

#[derive(Clone, Debug, Args)]
pub(crate) struct NewArguments {
    /// What it does, such as `add_due_date`; becomes lower case with underscores.
    pub(crate) name: String,

    /// Write into them what was done to the database by hand, and how to undo it.
    ///
    /// Every migration of the folder must be applied. The database is compared with what they make in
    /// a shadow database, as `drift` does; what cannot be written is left as a TODO. Both scripts are
    /// tried in a shadow database then.
    #[arg(long)]
    pub(crate) from_drift: bool,

    #[command(flatten)]
    pub(crate) shadow: ShadowOptions,
}
