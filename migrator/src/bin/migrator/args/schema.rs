//! The arguments of the commands that look at the schema through a shadow database.

use std::path::PathBuf;

use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use migrator::Error;
use neon_url::DatabaseUrl;

#[derive(Clone, Debug, Args)]
pub(crate) struct ShadowOptions {
    /// Make the shadow database on this server: a connection string to any database there.
    ///
    /// Without it, it is made beside the live one, which needs a role that may create databases.
    // A plain text: clap would show a value that it cannot parse, with the password in it.
    #[arg(long, value_name = "URL", env = "MIGRATOR_SHADOW_URL", hide_env_values = true)]
    shadow_url: Option<String>,
}

impl ShadowOptions {
    pub(crate) fn url(&self) -> Result<Option<DatabaseUrl>, Error> {
        let text = self.shadow_url.as_deref().filter(|text| !text.trim().is_empty());
        text.map(|text| Ok(text.parse()?)).transpose()
    }
}

#[derive(Clone, Debug, Args)]
pub(crate) struct DriftArguments {
    /// Compare with what the migrations up to this version make, whatever the history says.
    #[arg(long, value_name = "VERSION", value_parser = clap::value_parser!(i32).range(1..))]
    pub(crate) to: Option<i32>,

    /// Leave something out: a table, function, … with its parts, or a schema as `SCHEMA.*`.
    ///
    /// A part alone is `TABLE.PART`. Can be given more than once.
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) ignore: Vec<String>,

    /// Compare also who may do what, but for the owners.
    #[arg(long)]
    pub(crate) grants: bool,

    #[command(flatten)]
    pub(crate) shadow: ShadowOptions,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct DumpArguments {
    /// Where to write it; `-` is standard output.
    #[arg(long, short, value_name = "FILE", default_value = "schema.sql")]
    pub(crate) output: PathBuf,

    /// Write what is in the database instead of what the migrations make.
    #[arg(long)]
    pub(crate) live: bool,

    /// Write nothing; exit with 1 and show the difference when the file is not current.
    #[arg(long)]
    pub(crate) check: bool,

    /// Write also who may do what, but for the owners.
    #[arg(long)]
    pub(crate) grants: bool,

    #[command(flatten)]
    pub(crate) shadow: ShadowOptions,
}
