//! The errors of all commands. A variant has its message, kind, details and hint above it; `kind.rs`
//! is the table of kinds, with JSON name and exit code.

mod catalog;
mod diagnostic;
mod divergence;
mod drift;
mod dump;
pub mod exit_code;
mod failed_script;
mod incomplete;
mod kind;
mod lock;
pub(crate) mod pg_error;
mod role;
mod script;
mod shadow;

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use neon_url::{NeonRefusal, ParseError};
use tokio_postgres::error::SqlState;

pub use catalog::CatalogError;
pub use divergence::{Divergence, LineEnding};
pub use drift::LiveSchemaError;
pub use dump::DumpError;
pub use failed_script::FailedScript;
pub use incomplete::IncompleteError;
pub use lock::LockLoss;
pub use role::RoleObjection;
pub use script::ScriptError;
pub use shadow::{BeyondDatabase, ShadowError, Signal};

use crate::error::diagnostic::{Diagnostic as _, diagnostics};
use crate::error::pg_error::{describe, has_code};
use crate::model::text::{count, names};
use crate::model::{Direction, LockHolder, MigrationName};

const URL_FORM: &str = "copy the string from Neon's console as it is; it looks like `postgresql://USER:PASSWORD@HOST/DATABASE?sslmode=require`";

diagnostics! {
    /// A command did not do what it was asked. `Display` is one line; [`Error::details`] and
    /// [`Error::hint`] go below it.
    pub enum Error {
        /// No connection string anywhere.
        #[error("no database URL given")]
        #[diagnostic(
            kind::DATABASE_URL,
            hint = "set `DATABASE_URL`, in the environment or in a `.env` file, or pass `--database-url`",
        )]
        MissingDatabaseUrl,
        /// A connection string that cannot be used.
        #[error("cannot use the database URL: {source}")]
        #[diagnostic(kind::DATABASE_URL, hint = URL_FORM)]
        DatabaseUrl(#[from] source: ParseError),
        /// Likewise, of the pooled endpoint.
        #[error("cannot use the pooled URL: {source}")]
        #[diagnostic(kind::DATABASE_URL, hint = URL_FORM)]
        PooledUrl(source: ParseError),
        /// The `.env` file could not be read. Its content is not repeated.
        #[error("cannot read the `.env` file: {reason}")]
        #[diagnostic(
            kind::DOT_ENV,
            hint = "every line is `NAME=VALUE`; put a value with `$`, `#`, spaces or quotes in single quotes",
        )]
        DotEnv { reason: String },
        /// The private certificate authority, or the platform's, could not be used.
        #[error("cannot use the certificate authority: {reason}")]
        #[diagnostic(
            kind::CERTIFICATE_AUTHORITY,
            hint = "`--database-ca` (`DATABASE_CA`) names a PEM file with the authority's certificate",
        )]
        CertificateAuthority { reason: String },
        /// A file or folder of migrations could not be read.
        #[error("cannot read `{}`: {source}", path.display())]
        #[diagnostic(
            kind::MIGRATION_FILES,
            hint = "`--dir` names a folder of migrations; without it, those built into this program are used",
        )]
        ReadMigrations { path: PathBuf, source: io::Error },
        /// A folder whose files are not a set of migrations.
        #[error("the files in `{}` are not a valid set of migrations", dir.display())]
        #[diagnostic(
            kind::MIGRATION_FILES,
            details = problems.clone(),
            hint = "rename or remove the files; `migrator new NAME` makes a pair with the right names",
        )]
        MigrationFiles { dir: PathBuf, problems: Vec<String> },
        /// A name for a new migration without a letter or digit.
        #[error("cannot name a migration `{title}`")]
        #[diagnostic(
            kind::NEW_MIGRATION,
            hint = "use letters and digits, such as `migrator new add_due_date`",
        )]
        InvalidMigrationName { title: String },
        /// A new migration could not be written.
        #[error("cannot write `{}`: {source}", path.display())]
        #[diagnostic(
            kind::NEW_MIGRATION,
            hint = "nothing is overwritten; choose another name, or another folder with `--dir`",
        )]
        WriteMigration { path: PathBuf, source: io::Error },
        /// A target version that does not exist.
        #[error("there is no migration with version {version}")]
        #[diagnostic(kind::TARGET, hint = "`migrator status` lists the versions")]
        UnknownTarget { version: i64 },
        /// A range of versions without a migration in it.
        #[error(
            "there is no migration to {direction} between version {from}, where the database is, and version {to}"
        )]
        #[diagnostic(kind::TARGET, hint = match direction {
            Direction::Apply => "`--to` is after `--from`; to undo, add `--down`",
            Direction::Undo => "with `--down`, `--to` is before `--from`",
        })]
        EmptyRange { direction: Direction, from: i64, to: i64 },
        /// An undo target that was never applied.
        #[error("version {version} is not applied, so nothing can be undone back to it")]
        #[diagnostic(kind::TARGET, hint = "`migrator status` lists the versions")]
        TargetNotApplied { version: i64 },
        /// Migrations without an undo script.
        #[error("cannot undo without an undo script: {}", names(missing))]
        #[diagnostic(
            kind::NO_UNDO_SCRIPT,
            hint = "write `V{version}__{name}.down.sql` beside the migration, or undo it with a new migration",
        )]
        NoUndoScript { missing: Vec<MigrationName> },
        /// A destructive command without confirmation.
        #[error("undoing migrations destroys data, and there is no terminal to confirm it")]
        #[diagnostic(
            kind::CONFIRMATION_NEEDED,
            hint = "add `--yes` to undo without being asked; nothing was changed",
        )]
        ConfirmationNeeded,
        /// A schema that was to be adopted where the history says already what is applied.
        #[error("the database has a history already: it is at {newest}")]
        #[diagnostic(
            kind::BASELINE,
            details = "nothing was changed",
            hint = "adopting is for a schema without a history; `migrator up` applies what is pending",
        )]
        HistoryExists { newest: MigrationName },
        /// A schema that differs from that of the migrations.
        #[error("the schema is not what {newest} leaves: {} missing", parts(missing.len()))]
        #[diagnostic(
            kind::BASELINE,
            details = lines(missing.iter().map(|part| format!("no {part}")), "nothing was changed"),
            hint = "adopt the version whose tables, columns, indexes and triggers are all there, and `migrator up` applies the rest; or create what is missing: `migrator drift --script` writes how",
        )]
        SchemaDiffers {
            newest: MigrationName,
            /// Such as `index idx_tasks_user_created on tasks`.
            missing: Vec<String>,
        },
        /// A database that Alembic has not left as its predecessor does.
        #[error("cannot adopt a schema from Alembic: {reason}")]
        #[diagnostic(
            kind::BASELINE,
            details = "nothing was changed",
            hint = "`migrator baseline VERSION` adopts a schema without asking Alembic's table",
        )]
        Alembic { reason: String },
        /// A baseline without confirmation.
        #[error("adopting a schema skips its migrations, and there is no terminal to confirm it")]
        #[diagnostic(
            kind::CONFIRMATION_NEEDED,
            hint = "add `--yes` to adopt without being asked, `--dry-run` to see what would be; nothing was changed",
        )]
        AdoptionUnconfirmed,
        /// The database did not answer in time.
        #[error("cannot reach the database at {address}: {reason}")]
        #[diagnostic(
            kind::UNREACHABLE,
            details = (*attempts > 1)
                .then(|| format!("tried {attempts} times in {:.1} s", waited.as_secs_f64())),
            hint = "is it running, and are host and port right? `--connect-timeout` sets for how long to try",
        )]
        Unreachable {
            /// Host and port, or the socket.
            address: String,
            /// Of the last attempt.
            reason: String,
            attempts: u32,
            waited: Duration,
        },
        /// No such host: trying again would not help.
        #[error("cannot find the host of the database at {address}")]
        #[diagnostic(kind::UNREACHABLE, hint = "check the host name in the database URL")]
        UnknownHost { address: String },
        /// The database answered, and will not let us in: trying again would not help.
        #[error("the database at {address} refused the connection: {reason}")]
        #[diagnostic(kind::REFUSED, hint = match (NeonRefusal::of(reason), sqlstate.as_deref()) {
            (Some(NeonRefusal::Quota), _) => "the limit is that of the Neon plan or project: raise it in Neon's console, or wait for the next billing period",
            (Some(NeonRefusal::Disabled), _) => "enable the compute in Neon's console or with Neon's API: it does not wake up by itself",
            (Some(NeonRefusal::NotFound), _) => "check the endpoint (`ep-…`) in the database URL's host: was its branch or compute deleted?",
            (Some(NeonRefusal::NotAllowed), _) => "allow this machine's address in Neon's console, or use a role that may log in with a password",
            (_, Some("28P01" | "28000")) => "check the user name and the password in the database URL; in a `.env` file, put the URL in single quotes, or a `$` in it is replaced",
            (_, Some("3D000")) => "check the database's name in the database URL, or create it",
            _ => "the message is the server's; the server's log may say more",
        })]
        Refused {
            address: String,
            reason: String,
            /// None if it is not PostgreSQL that refused.
            sqlstate: Option<String>,
        },
        /// No trusted TLS connection to the database.
        #[error("no trusted TLS connection to the database at {address}: {reason}")]
        #[diagnostic(
            kind::TLS,
            hint = "for a private certificate authority, pass its certificate with `--database-ca FILE` (`DATABASE_CA`)",
        )]
        Tls { address: String, reason: String },
        /// TLS was asked for, and the server has none.
        #[error("the database at {address} offers no TLS")]
        #[diagnostic(
            kind::TLS,
            hint = "leave `sslmode` out for a server on this machine; every other server needs TLS",
        )]
        NoTls { address: String },
        /// Another migrator held the lock for too long.
        #[error(
            "another migrator is at work{}",
            holder.as_ref().map(|holder| format!(": {holder}")).unwrap_or_default()
        )]
        #[diagnostic(
            kind::LOCKED,
            details = format!("waited {:.1} s; nothing was run", waited.as_secs_f64()),
            hint = "wait for it to finish; `--wait` sets for how long to wait",
        )]
        Locked { holder: Option<LockHolder>, waited: Duration },
        /// The session does not hold the lock any more.
        #[error("the migration lock was lost: {reason}")]
        #[diagnostic(
            kind::LOCKED,
            details = incomplete.as_ref().map(half_done),
            hint = match reason {
                LockLoss::OtherSession => "use a connection string that leads to PostgreSQL itself; what was applied before stays applied",
                LockLoss::Released => "take that out of the script; what was applied before stays applied",
            },
        )]
        LockLost {
            reason: LockLoss,
            /// A migration without a transaction that is half done.
            incomplete: Option<MigrationName>,
        },
        /// PostgreSQL refused something other than a migration.
        #[error("the database refused to {action}: {}", describe(source))]
        #[diagnostic(kind::QUERY, hint = match source.code().map(SqlState::code) {
            Some("42501") => Some("the role needs the right to read and create tables in this schema"),
            Some("3F000") => Some("create the schema that the search path names"),
            Some("25006") => Some("this is a read-only replica or role; use the connection string of the primary"),
            _ => None,
        })]
        Query { action: &'static str, source: tokio_postgres::Error },
        /// The connection broke while a migration ran.
        #[error("lost the connection to the database during {name}: {reason}")]
        #[diagnostic(
            kind::CONNECTION_LOST,
            details = match during {
                LostDuring::Commit => format!("the commit was on its way: {name} is either applied entirely or not at all"),
                LostDuring::Transaction => format!("PostgreSQL rolls an unfinished transaction back: {name} is not applied"),
                LostDuring::Statements => half_done(name),
            },
            hint = "`migrator status` shows what is applied; then run the command again",
        )]
        ConnectionLost { name: MigrationName, during: LostDuring, reason: String },
        /// The history table has a row that cannot be understood.
        #[error("cannot understand the history table `refinery_schema_history`: {reason}")]
        #[diagnostic(
            kind::HISTORY,
            hint = "the table is refinery's: version, name, applied_on (RFC 3339) and checksum of each migration",
        )]
        History { reason: String },
        /// The history and the files do not belong together.
        #[error(
            "the history of the database and the migrations have diverged: {}",
            count(problems.len(), "problem")
        )]
        #[diagnostic(
            kind::DIVERGED_HISTORY,
            details = lines(problems.iter().map(ToString::to_string), "nothing was run"),
            hint = match problems.first() {
                Some(Divergence::LineEndings { applied, .. }) => format!(
                    "save the file with {applied} line endings; the line `*.sql text {}` in `.gitattributes` keeps them so in Git",
                    applied.attribute()
                ),
                Some(Divergence::Edited(_)) => "an applied migration never changes: restore the file and write a new migration".to_owned(),
                Some(Divergence::Missing(_)) => "is this the right folder or version of the program? Restore the file".to_owned(),
                Some(Divergence::OutOfOrder { .. }) | None => "give it a version after the newest applied one".to_owned(),
            },
        )]
        Diverged { problems: Vec<Divergence> },
        /// Nobody to give rights to.
        #[error("there is no role `{role}`")]
        #[diagnostic(
            kind::ROLE,
            hint = format!(
                "create it first: create role \"{}\" login password '…'",
                role.replace('"', "\"\"")
            ),
        )]
        NoSuchRole { role: String },
        /// A role that has more rights than anybody could take away.
        #[error("the role `{role}` cannot be the API's: {objection}")]
        #[diagnostic(
            kind::ROLE,
            details = "nothing was changed",
            hint = "give the API a role of its own: create role taskie_api login password '…'",
        )]
        UnfitRole { role: String, objection: RoleObjection },
        /// Nothing there yet to give rights on.
        #[error("the schema is not there yet: no table {}", missing.join(", "))]
        #[diagnostic(
            kind::MISSING_TABLES,
            details = "nothing was changed",
            hint = "apply the migrations first: `migrator up`",
        )]
        MissingTables { missing: Vec<&'static str> },
        /// PostgreSQL refused one of the statements that give a role its rights.
        #[error("the database refused `{statement}`: {}", describe(source))]
        #[diagnostic(
            if is_denied(source) { kind::GRANT_DENIED } else { kind::GRANT },
            details = "everything was rolled back; nothing was changed",
            hint = match source.code().map(SqlState::code) {
                Some("42501") => Some("connect as the owner of the database and its tables, who may also alter the role: one that created it. On Neon, create the role with SQL: those made in the console are members of neon_superuser, which only Neon can revoke"),
                Some("2BP01") => Some("the role has passed on what it was granted: revoke that first, with `cascade`"),
                _ => None,
            },
        )]
        Grant { statement: String, source: tokio_postgres::Error },
        /// PostgreSQL granted less than it was asked to, which it says in a notice only.
        #[error("the role `{role}` would still lack {}", missing.join(", "))]
        #[diagnostic(
            kind::GRANT_DENIED,
            details = "everything was rolled back; nothing was changed",
            hint = "connect as the owner of these tables, or have the owner grant it with grant option",
        )]
        GrantIncomplete { role: String, missing: Vec<String> },
        /// A script failed.
        FailedScript(failed: Box<FailedScript>),
        /// A catalog cannot be read.
        Catalog(#[from] error: CatalogError),
        /// A database's schema cannot become a migration.
        LiveSchema(#[from] error: LiveSchemaError),
        /// A schema cannot be written to its file.
        Dump(#[from] error: DumpError),
        /// A shadow database failed.
        Shadow(#[from] error: ShadowError),
        /// A migration without a transaction is incomplete.
        Incomplete(#[from] error: IncompleteError),
    }
}

/// Activity during which the connection broke.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LostDuring {
    /// A transaction, which PostgreSQL rolls back.
    Transaction,
    /// A commit that was on its way, so that it may or may not have happened.
    Commit,
    /// A script without a transaction.
    Statements,
}

impl Error {
    /// The exit code of the process.
    pub fn exit_code(&self) -> u8 {
        self.report().kind.exit_code
    }

    /// The name of the kind of error in JSON. A contract, like the exit codes.
    pub fn kind(&self) -> &'static str {
        self.report().kind.name
    }

    /// Lines below the message: every problem, the place in the file, the state that is left.
    pub fn details(&self) -> Vec<String> {
        self.report().details
    }

    /// The next thing to do, where there is one.
    pub fn hint(&self) -> Option<String> {
        self.report().hint
    }

    /// The script that failed, if that is the error.
    pub fn failed_script(&self) -> Option<&FailedScript> {
        match self {
            Self::FailedScript(failed)
            | Self::Shadow(
                ShadowError::FailedScript { failed, .. } | ShadowError::ChangedServer(failed),
            ) => Some(failed),
            _ => None,
        }
    }
}

/// Denied to the role, or until others have done something: the same again would fail again.
fn is_denied(error: &tokio_postgres::Error) -> bool {
    has_code(error, &[SqlState::INSUFFICIENT_PRIVILEGE, SqlState::DEPENDENT_OBJECTS_STILL_EXIST])
}

/// `1 part is`, `2 parts are`.
fn parts(number: usize) -> String {
    format!("{} {}", count(number, "part"), if number == 1 { "is" } else { "are" })
}

/// One line for each problem, and the state that is left.
fn lines(problems: impl Iterator<Item = String>, state: &str) -> Vec<String> {
    problems.chain([state.to_owned()]).collect()
}

fn half_done(name: &MigrationName) -> String {
    format!(
        "{name} runs without a transaction: it is incomplete until `migrator repair` has looked at it"
    )
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Error;
    use crate::error::{FailedScript, IncompleteError, ScriptError, exit_code};
    use crate::model::{Direction, MigrationName, Outcome, Progress, TransactionMode};

    fn name(version: i64) -> MigrationName {
        MigrationName { version, name: "x".to_owned() }
    }

    #[test]
    fn exit_codes_are_as_documented() {
        let failed = FailedScript {
            name: name(2),
            direction: Direction::Apply,
            file: "V2__x.sql".to_owned(),
            path: "V2__x.sql".to_owned(),
            mode: TransactionMode::One,
            position: None,
            source_line: None,
            cause: ScriptError::TransactionEnded,
            notes: Vec::new(),
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
}
