//! The arguments of the commands that use a shadow database.

use std::path::PathBuf;

use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use migrator::{Error, ShadowServer};

#[derive(Clone, Debug, Args)]
pub(crate) struct ShadowOptions {
    /// Server for the shadow database: a connection string to any database there.
    ///
    /// By default the server of the live database, where the role must be allowed to create databases.
    /// Scripts that create roles, or reach beyond their database in another way, need another server.
    // A plain text: clap would show a value that it cannot parse, with the password in it.
    #[arg(long, value_name = "URL", env = "MIGRATOR_SHADOW_URL", hide_env_values = true)]
    shadow_url: Option<String>,

    /// Create the shadow database on a throwaway server of an installed PostgreSQL.
    ///
    /// It is started for this, listens on loopback only, and is removed afterwards. Takes precedence
    /// over `--shadow-url`. `TASKIE_PG_BIN` names the folder of its programs.
    #[arg(long)]
    shadow_local: bool,
}

impl ShadowOptions {
    pub(crate) fn server(&self) -> Result<ShadowServer, Error> {
        let text = self.shadow_url.as_deref().filter(|text| !text.trim().is_empty());
        match text {
            _ if self.shadow_local => Ok(ShadowServer::Local),
            Some(text) => Ok(ShadowServer::Other(text.parse()?)),
            None => Ok(ShadowServer::Live),
        }
    }
}

#[derive(Clone, Debug, Args)]
pub(crate) struct DriftArguments {
    /// Compare with the migrations up to this version, whatever the history says.
    #[arg(long, value_name = "VERSION", value_parser = clap::value_parser!(i64).range(1..))]
    pub(crate) to: Option<i64>,

    /// Ignore an object (a table, a function, …) with its parts, or a schema as `SCHEMA.*`.
    ///
    /// A single part is `TABLE.PART`. Can be given more than once.
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) ignore: Vec<String>,

    /// Also compare privileges, except those of owners.
    #[arg(long, conflicts_with = "script")]
    pub(crate) grants: bool,

    #[command(flatten)]
    pub(crate) script: ScriptOptions,

    #[command(flatten)]
    pub(crate) shadow: ShadowOptions,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct ScriptOptions {
    /// Write the statements that take the database to the schema of its migrations.
    ///
    /// The opposite of `new --from-drift`. Without a history, it leads to the newest migration, or to
    /// `--to`. It is tried in a copy of the schema, and changes nothing itself. Exits with 1 if something
    /// must be decided or changed by hand first: it is listed in the script and as a message.
    #[arg(long)]
    pub(crate) script: bool,

    /// File for the script; `-` is standard output.
    #[arg(long, short, value_name = "FILE", default_value = "-", requires = "script")]
    pub(crate) output: PathBuf,

    /// Time zone of times in columns without one that become `timestamptz`, such as `UTC`.
    #[arg(long, value_name = "ZONE", requires = "script", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) assume_timezone: Option<String>,

    /// Drop what only the database has, with all that is in it.
    #[arg(long, requires = "script")]
    pub(crate) drop_extra: bool,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct DumpArguments {
    /// File to write; `-` is standard output.
    #[arg(long, short, value_name = "FILE", default_value = "schema.sql")]
    pub(crate) output: PathBuf,

    /// Write the schema of the database instead of that of the migrations.
    #[arg(long)]
    pub(crate) live: bool,

    /// Write nothing; exit with 1 and show the difference if the file is not current.
    #[arg(long)]
    pub(crate) check: bool,

    /// Also write privileges, except those of owners.
    #[arg(long)]
    pub(crate) grants: bool,

    #[command(flatten)]
    pub(crate) shadow: ShadowOptions,
}
