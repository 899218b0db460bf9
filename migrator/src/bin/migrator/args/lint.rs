//! The arguments of `migrator lint`.

use clap::Args;

#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct LintArguments {
    /// Look only at migrations after this version.
    #[arg(long, value_name = "VERSION", value_parser = clap::value_parser!(i32).range(0..))]
    pub(crate) from: Option<i32>,
}
