//! The arguments of `migrator check`.

use clap::Args;
use clap::builder::PossibleValuesParser;
use migrator::CheckKind;

use crate::args::schema::ShadowOptions;

#[derive(Clone, Debug, Args)]
pub(crate) struct CheckArguments {
    /// Ignore findings of this kind. Can be given more than once.
    ///
    /// With `undo`, no script is tested, and no shadow database is created.
    #[arg(
        long,
        value_name = "FINDING",
        value_parser = PossibleValuesParser::new(CheckKind::ALL.map(CheckKind::as_str))
    )]
    allow: Vec<String>,

    #[command(flatten)]
    pub(crate) shadow: ShadowOptions,
}

impl CheckArguments {
    pub(crate) fn allowed(&self) -> Vec<CheckKind> {
        let is_allowed = |kind: &CheckKind| self.allow.iter().any(|name| name == kind.as_str());
        CheckKind::ALL.into_iter().filter(is_allowed).collect()
    }
}
