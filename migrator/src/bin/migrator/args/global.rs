//! The options that every subcommand has: the database, the migrations, the output.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use migrator::{ConnectOptions, Database, Error, Migrations};
use neon_url::DatabaseUrl;

use crate::args::duration::parse_duration;

#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct DatabaseOptions {
    /// Connection string of the database: `postgresql://USER:PASSWORD@HOST/DATABASE`.
    ///
    /// Better set in the environment or in a `.env` file, in single quotes: other users of the
    /// machine can see arguments.
    // A plain text: clap would show a value that it cannot parse, with the password in it.
    #[arg(long, global = true, value_name = "URL", env = "DATABASE_URL", hide_env_values = true)]
    database_url: Option<String>,

    /// PEM file of a private certificate authority to trust as well.
    #[arg(long, global = true, value_name = "FILE", env = "DATABASE_CA", hide_env_values = true)]
    database_ca: Option<String>,

    /// Time to keep trying while the database does not answer.
    ///
    /// Seconds, or a time with units: `30`, `500ms`, `1m 30s`.
    #[arg(
        long,
        global = true,
        value_name = "SECONDS",
        env = "MIGRATOR_CONNECT_TIMEOUT",
        hide_env_values = true,
        default_value = "30",
        value_parser = parse_duration
    )]
    connect_timeout: Duration,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct MigrationOptions {
    /// Folder of migrations to use instead of the built-in ones.
    #[arg(long, global = true, value_name = "DIR", env = "MIGRATOR_DIR", hide_env_values = true)]
    pub(crate) dir: Option<PathBuf>,
}

#[expect(clippy::struct_excessive_bools, reason = "each is an option of the command line")]
#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct OutputOptions {
    /// Print one JSON document on standard output, also on failure.
    #[arg(long, global = true)]
    pub(crate) json: bool,

    /// Print no progress, only results, warnings and errors.
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,

    /// Also print which `.env` files were read.
    #[arg(long, short, global = true, conflicts_with = "quiet")]
    pub(crate) verbose: bool,

    /// Print without colours, as with `NO_COLOR` set.
    ///
    /// Output that does not go to a terminal never has colours.
    #[arg(long, global = true)]
    pub(crate) no_color: bool,
}

impl DatabaseOptions {
    /// The database, with the options to connect to it.
    pub(crate) fn database(&self) -> Result<Database, Error> {
        Ok(Database { url: self.url()?, options: self.connect_options()? })
    }

    pub(crate) fn url(&self) -> Result<DatabaseUrl, Error> {
        let text = self.database_url.as_deref().filter(|text| !text.trim().is_empty());
        Ok(text.ok_or(Error::MissingDatabaseUrl)?.parse()?)
    }

    pub(crate) fn connect_options(&self) -> Result<ConnectOptions, Error> {
        let ca_pem = match self.database_ca.as_deref() {
            None | Some("") => None,
            // The component takes the certificate itself under this name, so one `.env` file can
            // serve both.
            Some(pem) if pem.trim_start().starts_with("-----BEGIN") => Some(pem.to_owned()),
            Some(path) => Some(std::fs::read_to_string(path).map_err(|error| {
                Error::CertificateAuthority { reason: format!("`{path}`: {error}") }
            })?),
        };
        Ok(ConnectOptions { ca_pem, wait: self.connect_timeout })
    }
}

impl MigrationOptions {
    pub(crate) fn load(&self) -> Result<Migrations, Error> {
        self.dir.as_deref().map_or_else(|| Ok(Migrations::embedded()), Migrations::from_dir)
    }

    /// Folder that is used instead of the built-in migrations.
    pub(crate) fn dir(&self) -> Option<&Path> {
        self.dir.as_deref()
    }

    /// Folder for new migrations.
    pub(crate) fn folder(&self) -> &Path {
        self.dir.as_deref().unwrap_or(Path::new("migrations"))
    }
}
