//! The errors of all commands, with exit code, JSON name, details and hint.

mod catalog;
mod drift;
mod dump;
pub mod exit_code;
mod failed_script;
mod hint;
mod incomplete;
pub(crate) mod pg_error;
mod role;
mod shadow;

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use neon_url::ParseError;
use thiserror::Error;
use tokio_postgres::error::SqlState;

pub use catalog::CatalogError;
pub use drift::LiveSchemaError;
pub use dump::DumpError;
pub use failed_script::FailedScript;
pub use incomplete::IncompleteError;
pub use role::RoleObjection;
pub use shadow::{ShadowError, Signal};

use crate::error::pg_error::describe;
use crate::model::text::{count, names};
use crate::model::{Direction, LockHolder, MigrationName};

/// Why a command did not do what it was asked. `Display` is one line; [`Error::details`] and
/// [`Error::hint`] go below it.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// No connection string anywhere.
    #[error("no database URL given")]
    MissingDatabaseUrl,
    /// A connection string that cannot be used.
    #[error("cannot use the database URL: {0}")]
    DatabaseUrl(#[from] ParseError),
    /// Likewise, of the pooled endpoint.
    #[error("cannot use the pooled URL: {0}")]
    PooledUrl(ParseError),
    /// The `.env` file could not be read. Its content is not repeated.
    #[error("cannot read the `.env` file: {reason}")]
    DotEnv {
        /// Why not.
        reason: String,
    },
    /// The private certificate authority, or the platform's, could not be used.
    #[error("cannot use the certificate authority: {reason}")]
    CertificateAuthority {
        /// Why not.
        reason: String,
    },
    /// A file or folder of migrations could not be read.
    #[error("cannot read `{}`: {source}", path.display())]
    ReadMigrations {
        /// Which.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A folder whose files are not a set of migrations.
    #[error("the files in `{}` are not a valid set of migrations", dir.display())]
    MigrationFiles {
        /// The folder.
        dir: PathBuf,
        /// Everything that is wrong.
        problems: Vec<String>,
    },
    /// A name for a new migration without a letter or digit.
    #[error("cannot name a migration `{title}`")]
    InvalidMigrationName {
        /// What was asked for.
        title: String,
    },
    /// A new migration could not be written.
    #[error("cannot write `{}`: {source}", path.display())]
    WriteMigration {
        /// Which file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A target version that does not exist.
    #[error("there is no migration with version {version}")]
    UnknownTarget {
        /// What was asked for.
        version: i32,
    },
    /// A range of versions without a migration in it.
    #[error(
        "there is no migration to {direction} between version {from}, where the database is, and version {to}"
    )]
    EmptyRange {
        /// What was to be done.
        direction: Direction,
        /// Where the database is.
        from: i32,
        /// Where it was to go.
        to: i32,
    },
    /// An undo target that was never applied.
    #[error("version {version} is not applied, so nothing can be undone back to it")]
    TargetNotApplied {
        /// What was asked for.
        version: i32,
    },
    /// Migrations without an undo script stand in the way.
    #[error("cannot undo without an undo script: {}", names(missing))]
    NoUndoScript {
        /// Those without one.
        missing: Vec<MigrationName>,
    },
    /// A destructive command where nobody can be asked.
    #[error("undoing migrations destroys data and nobody is here to be asked")]
    ConfirmationNeeded,
    /// A schema that was to be adopted where the history says already what is applied.
    #[error("the database has a history already: it is at {newest}")]
    HistoryExists {
        /// The newest applied.
        newest: MigrationName,
    },
    /// A schema that is not what the migrations would have made.
    #[error("the schema is not what {newest} leaves: {} missing", parts(missing.len()))]
    SchemaDiffers {
        /// The newest that was to be adopted.
        newest: MigrationName,
        /// What is not there, such as `index idx_tasks_user_created on tasks`.
        missing: Vec<String>,
    },
    /// A database that Alembic has not left as its predecessor does.
    #[error("cannot adopt a schema from Alembic: {reason}")]
    Alembic {
        /// Why not.
        reason: String,
    },
    /// A script that cannot be tried out beside the schema that is there.
    #[error("cannot tell what {name} makes: {}", describe(source))]
    Rehearsal {
        /// Which.
        name: MigrationName,
        /// The answer.
        source: tokio_postgres::Error,
    },
    /// Adopting a schema where nobody can be asked.
    #[error("adopting a schema skips its migrations and nobody is here to be asked")]
    AdoptionUnconfirmed,
    /// The database did not answer in time.
    #[error("cannot reach the database at {address}: {reason}")]
    Unreachable {
        /// Host and port, or the socket.
        address: String,
        /// What the last attempt came to.
        reason: String,
        /// How many attempts were made.
        attempts: u32,
        /// For how long.
        waited: Duration,
    },
    /// No such host: trying again would not help.
    #[error("cannot find the host of the database at {address}")]
    UnknownHost {
        /// Host and port.
        address: String,
    },
    /// The database answered, and will not let us in: trying again would not help.
    #[error("the database at {address} refused the connection: {reason}")]
    Refused {
        /// Host and port, or the socket.
        address: String,
        /// Its words.
        reason: String,
        /// Its SQLSTATE, where it sent one.
        sqlstate: Option<String>,
    },
    /// No trusted TLS connection to the database.
    #[error("no trusted TLS connection to the database at {address}: {reason}")]
    Tls {
        /// Host and port.
        address: String,
        /// Why not.
        reason: String,
    },
    /// TLS was asked for, and the server has none.
    #[error("the database at {address} offers no TLS")]
    NoTls {
        /// Host and port.
        address: String,
    },
    /// Another migrator held the lock for too long.
    #[error("another migrator is at work{}", holder.as_ref().map(|holder| format!(": {holder}")).unwrap_or_default())]
    Locked {
        /// Who.
        holder: Option<LockHolder>,
        /// For how long it was waited for.
        waited: Duration,
    },
    /// The session changed under us, and the lock is not ours any more.
    #[error(
        "the migration lock was lost: the connection goes through a pooler that shares sessions"
    )]
    LockLost {
        /// What is half done: a migration without a transaction.
        incomplete: Option<MigrationName>,
    },
    /// PostgreSQL refused something other than a migration.
    #[error("the database refused to {action}: {}", describe(source))]
    Query {
        /// What was being done.
        action: &'static str,
        /// The answer.
        source: tokio_postgres::Error,
    },
    /// The connection broke while a migration ran.
    #[error("lost the connection to the database during {name}: {reason}")]
    ConnectionLost {
        /// Which migration.
        name: MigrationName,
        /// What was going on.
        during: LostDuring,
        /// What is known about it.
        reason: String,
    },
    /// The history table says something that cannot be understood.
    #[error("cannot understand the history table `refinery_schema_history`: {reason}")]
    History {
        /// What.
        reason: String,
    },
    /// The history and the files do not belong together.
    #[error("the history of the database and the migrations have diverged: {}", count(problems.len(), "problem"))]
    Diverged {
        /// Every difference.
        problems: Vec<Divergence>,
    },
    /// Nobody to give rights to.
    #[error("there is no role `{role}`")]
    NoSuchRole {
        /// Who was meant.
        role: String,
    },
    /// A role that has more rights than anybody could take away.
    #[error("the role `{role}` cannot be the API's: {objection}")]
    UnfitRole {
        /// Which.
        role: String,
        /// Why not.
        objection: RoleObjection,
    },
    /// Nothing there yet to give rights on.
    #[error("the schema is not there yet: no table {}", missing.join(", "))]
    MissingTables {
        /// Which tables.
        missing: Vec<&'static str>,
    },
    /// PostgreSQL refused one of the statements that give a role its rights.
    #[error("the database refused `{statement}`: {}", describe(source))]
    Grant {
        /// Which.
        statement: String,
        /// The answer.
        source: tokio_postgres::Error,
    },
    /// PostgreSQL granted less than it was asked to, which it says in a notice only.
    #[error("the role `{role}` would still lack {}", missing.join(", "))]
    GrantIncomplete {
        /// Whose rights.
        role: String,
        /// What the API needs and the role could not do.
        missing: Vec<String>,
    },
    /// A script failed.
    #[error(transparent)]
    FailedScript(Box<FailedScript>),
    /// A catalog that cannot be read.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// A database whose side cannot be taken.
    #[error(transparent)]
    LiveSchema(#[from] LiveSchemaError),
    /// A schema that cannot be written down.
    #[error(transparent)]
    Dump(#[from] DumpError),
    /// Trouble with a shadow database.
    #[error(transparent)]
    Shadow(#[from] ShadowError),
    /// A migration without a transaction is incomplete.
    #[error(transparent)]
    Incomplete(#[from] IncompleteError),
}

/// What was going on when the connection broke.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LostDuring {
    /// A transaction, which PostgreSQL rolls back.
    Transaction,
    /// A commit that was on its way, so that it may or may not have happened.
    Commit,
    /// A script without a transaction.
    Statements,
}

/// One way in which history and files do not belong together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Divergence {
    /// Applied, and the file has changed since.
    Edited(MigrationName),
    /// Applied, and there is no such file.
    Missing(MigrationName),
    /// Not applied, although a later one is.
    OutOfOrder {
        /// The late arrival.
        name: MigrationName,
        /// The newest applied.
        newest: MigrationName,
    },
}

impl fmt::Display for Divergence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Edited(name) => write!(f, "{name} was edited after it was applied"),
            Self::Missing(name) => write!(f, "{name} is applied, but missing from the migrations"),
            Self::OutOfOrder { name, newest } => {
                write!(f, "{name} is pending, but older than {newest}, which is applied")
            }
        }
    }
}

impl Error {
    /// What the process should exit with.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::MissingDatabaseUrl
            | Self::DatabaseUrl(_)
            | Self::PooledUrl(_)
            | Self::DotEnv { .. }
            | Self::CertificateAuthority { .. }
            | Self::ReadMigrations { .. }
            | Self::MigrationFiles { .. }
            | Self::InvalidMigrationName { .. }
            | Self::WriteMigration { .. }
            | Self::UnknownTarget { .. }
            | Self::EmptyRange { .. }
            | Self::TargetNotApplied { .. }
            | Self::NoUndoScript { .. }
            | Self::ConfirmationNeeded
            | Self::HistoryExists { .. }
            | Self::SchemaDiffers { .. }
            | Self::Alembic { .. }
            | Self::Rehearsal { .. }
            | Self::AdoptionUnconfirmed
            | Self::NoSuchRole { .. }
            | Self::UnfitRole { .. }
            | Self::MissingTables { .. }
            | Self::GrantIncomplete { .. }
            | Self::Dump(_) => exit_code::USAGE,
            Self::Grant { source, .. } if is_for_others(source) => exit_code::USAGE,
            Self::Unreachable { .. }
            | Self::UnknownHost { .. }
            | Self::Refused { .. }
            | Self::Tls { .. }
            | Self::NoTls { .. }
            | Self::Locked { .. }
            | Self::LockLost { .. }
            | Self::Query { .. }
            | Self::Grant { .. }
            | Self::ConnectionLost { .. } => exit_code::UNREACHABLE_OR_LOCKED,
            Self::History { .. } | Self::Diverged { .. } => exit_code::DIVERGED,
            Self::Catalog(error) => error.exit_code(),
            Self::LiveSchema(error) => error.exit_code(),
            Self::Shadow(error) => error.exit_code(),
            Self::FailedScript(failed) => failed.exit_code(),
            Self::Incomplete(incomplete) => incomplete.exit_code(),
        }
    }

    /// The name of the kind of error in JSON. A contract, like the exit codes.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::MissingDatabaseUrl | Self::DatabaseUrl(_) | Self::PooledUrl(_) => "database_url",
            Self::DotEnv { .. } => "dot_env",
            Self::CertificateAuthority { .. } => "certificate_authority",
            Self::ReadMigrations { .. } | Self::MigrationFiles { .. } => "migration_files",
            Self::InvalidMigrationName { .. } | Self::WriteMigration { .. } => "new_migration",
            Self::UnknownTarget { .. }
            | Self::EmptyRange { .. }
            | Self::TargetNotApplied { .. } => "target",
            Self::NoUndoScript { .. } => "no_undo_script",
            Self::ConfirmationNeeded | Self::AdoptionUnconfirmed => "confirmation_needed",
            Self::HistoryExists { .. }
            | Self::SchemaDiffers { .. }
            | Self::Alembic { .. }
            | Self::Rehearsal { .. } => "baseline",
            Self::Unreachable { .. } | Self::UnknownHost { .. } => "unreachable",
            Self::Refused { .. } => "refused",
            Self::Tls { .. } | Self::NoTls { .. } => "tls",
            Self::Locked { .. } | Self::LockLost { .. } => "locked",
            Self::Query { .. } => "query",
            Self::ConnectionLost { .. } => "connection_lost",
            Self::History { .. } => "history",
            Self::Diverged { .. } => "diverged",
            Self::NoSuchRole { .. } | Self::UnfitRole { .. } => "role",
            Self::MissingTables { .. } => "missing_tables",
            Self::Grant { .. } | Self::GrantIncomplete { .. } => "grant",
            Self::FailedScript(_) => "failed_migration",
            Self::Catalog(_) => "catalog",
            Self::LiveSchema(error) => error.kind(),
            Self::Dump(_) => "dump",
            Self::Shadow(error) => error.kind(),
            Self::Incomplete(incomplete) => incomplete.kind(),
        }
    }
}

/// Whether the refusal is about who asks, or about what others have to do first: the same again
/// would come to the same.
fn is_for_others(refusal: &tokio_postgres::Error) -> bool {
    let others = [SqlState::INSUFFICIENT_PRIVILEGE, SqlState::DEPENDENT_OBJECTS_STILL_EXIST];
    refusal.code().is_some_and(|code| others.contains(code))
}

/// `1 part is`, `2 parts are`.
fn parts(number: usize) -> String {
    format!("{} {}", count(number, "part"), if number == 1 { "is" } else { "are" })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Divergence, Error};
    use crate::error::{FailedScript, IncompleteError, exit_code};
    use crate::model::{Direction, MigrationName, Outcome, Progress};

    fn name(version: i32) -> MigrationName {
        MigrationName { version, name: "x".to_owned() }
    }

    #[test]
    fn exit_codes_are_as_documented() {
        let failed = FailedScript {
            name: name(2),
            direction: Direction::Apply,
            file: "V2__x.sql".to_owned(),
            path: "V2__x.sql".to_owned(),
            position: None,
            source_line: None,
            message: "no".to_owned(),
            sqlstate: None,
            more: Vec::new(),
            hint: None,
            progress: Progress {
                done: Vec::new(),
                current: None,
                outcome: Outcome::RolledBack,
                not_started: Vec::new(),
            },
        };
        for (error, code) in [
            (Error::MissingDatabaseUrl, exit_code::USAGE),
            (Error::DatabaseUrl(neon_url::ParseError::Empty), exit_code::USAGE),
            (Error::ConfirmationNeeded, exit_code::USAGE),
            (Error::EmptyRange { direction: Direction::Apply, from: 2, to: 1 }, exit_code::USAGE),
            (Error::HistoryExists { newest: name(1) }, exit_code::USAGE),
            (Error::SchemaDiffers { newest: name(1), missing: Vec::new() }, exit_code::USAGE),
            (Error::Alembic { reason: "no".to_owned() }, exit_code::USAGE),
            (Error::AdoptionUnconfirmed, exit_code::USAGE),
            (Error::NoSuchRole { role: "x".to_owned() }, exit_code::USAGE),
            (Error::MissingTables { missing: Vec::new() }, exit_code::USAGE),
            (
                Error::Locked { holder: None, waited: Duration::ZERO },
                exit_code::UNREACHABLE_OR_LOCKED,
            ),
            (Error::Diverged { problems: Vec::new() }, exit_code::DIVERGED),
            (IncompleteError::Unconfirmed.into(), exit_code::USAGE),
            (Error::FailedScript(Box::new(failed)), exit_code::FAILED_MIGRATION),
        ] {
            assert_eq!(error.exit_code(), code, "{error}");
        }
    }

    #[test]
    fn every_divergence_names_the_migration() {
        for (divergence, text) in [
            (Divergence::Edited(name(1)), "V1__x was edited after it was applied"),
            (Divergence::Missing(name(1)), "V1__x is applied, but missing from the migrations"),
            (
                Divergence::OutOfOrder { name: name(1), newest: name(2) },
                "V1__x is pending, but older than V2__x, which is applied",
            ),
        ] {
            assert_eq!(divergence.to_string(), text);
        }
    }
}
