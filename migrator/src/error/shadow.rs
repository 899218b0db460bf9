//! Errors of shadow databases.

use tokio_postgres::error::SqlState;

use super::diagnostic::diagnostics;
use super::failed_script::labelled_excerpt;
use super::pg_error::{describe, has_code};
use super::{Error, FailedScript, ScriptError, kind, lines};
use crate::model::Position;
use crate::model::text::count;

/// What to do where scripts reach beyond their database.
pub(super) const ELSEWHERE: &str = "try them on another server: `--shadow-local` starts a throwaway one, where PostgreSQL is installed; `--shadow-url URL` (`MIGRATOR_SHADOW_URL`) names one that is there for this. Or vouch for the statement, above it: `-- migrator: allow beyond-database because REASON`";

/// What to do where a copy of a schema does.
const COPY_ELSEWHERE: &str = "copy it to another server: `--shadow-local` starts a throwaway one, where PostgreSQL is installed; `--shadow-url URL` (`MIGRATOR_SHADOW_URL`) names one that is there for this";

/// Number of statements that a message shows.
const SHOWN: usize = 10;

diagnostics! {
    /// A failure of a shadow database, or in it.
    pub enum ShadowError {
        /// The server did not create it.
        #[error("cannot make a shadow database: {}", describe(source))]
        #[diagnostic(
            if is_denied(source) { kind::SHADOW_DATABASE_DENIED } else { kind::SHADOW_DATABASE },
            details = "nothing was changed",
            hint = if is_denied(source) {
                "with `--shadow-url` (`MIGRATOR_SHADOW_URL`) it is made on another server; or allow the role to make databases: alter role NAME createdb"
            } else {
                "with `--shadow-url` (`MIGRATOR_SHADOW_URL`) it is made on another server"
            },
        )]
        Create { source: tokio_postgres::Error },
        /// The scripts would change the live server.
        #[error(
            "the shadow database would be on the live server, and {}",
            reaching(found.len())
        )]
        #[diagnostic(kind::BEYOND_DATABASE, details = excerpts(found), hint = ELSEWHERE)]
        BeyondDatabase { found: Vec<BeyondDatabase> },
        /// The schema of a database has parts that would do so where it is copied to.
        #[error(
            "the copy of the schema would be on the live server, and {}",
            reaching(found.len())
        )]
        #[diagnostic(kind::BEYOND_DATABASE, details = excerpts(found), hint = COPY_ELSEWHERE)]
        CopyBeyondDatabase { found: Vec<BeyondDatabase> },
        /// They did so although nothing in them said so.
        #[error("copying the schema and running the script changed something outside the copy, and was rolled back")]
        #[diagnostic(kind::BEYOND_DATABASE, details = "nothing was changed", hint = COPY_ELSEWHERE)]
        CopyChangedServer,
        /// A script did so although nothing in it said so.
        #[error("{failed}")]
        #[diagnostic(kind::BEYOND_DATABASE, details = failed.details_in_shadow(false), hint = ELSEWHERE)]
        ChangedServer(failed: Box<FailedScript>),
        /// No throwaway server for `--shadow-local`.
        #[error("cannot start a PostgreSQL server for the shadow database: {message}")]
        #[diagnostic(kind::SHADOW_DATABASE, details = details.clone(), hint = hint.clone())]
        LocalServer { message: String, details: Option<String>, hint: Option<String> },
        /// It could not be dropped.
        #[error("cannot remove the shadow database `{name}`: {reason}")]
        #[diagnostic(kind::SHADOW_DATABASE, hint = "the next run of the same command removes it")]
        Remove { name: String, reason: String },
        /// The schema of a database could not be copied into it.
        #[error("cannot copy the schema into a shadow database: {}", describe(source))]
        #[diagnostic(
            kind::SHADOW_COPY,
            details = "nothing was changed",
            hint = "without a copy no script can be tried: what the schema needs must be on the shadow database's server as well",
        )]
        Copy { source: tokio_postgres::Error },
        /// A statement failed in a copy of the schema.
        #[error("a statement of the script fails in a copy of the schema: {reason}")]
        #[diagnostic(
            kind::SHADOW_COPY,
            details = lines(statement.lines().map(str::to_owned), "nothing was changed, and no script was written"),
            hint = "change by hand what is in its way, or leave it out with `--ignore NAME`; then run the command again",
        )]
        Try { statement: String, reason: String },
        /// A script failed in it.
        #[error("{failed}")]
        #[diagnostic(
            kind::FAILED_SCRIPT,
            details = failed.details_in_shadow(*vouched),
            hint = format!(
                "fix V{}: the migrations must run on an empty database",
                failed.name.version
            ),
        )]
        FailedScript { failed: Box<FailedScript>, vouched: bool },
        /// Ctrl-C, or another signal to end.
        #[error("{}", match signal {
            Signal::Interrupt => "interrupted",
            Signal::Terminate => "asked to end",
            Signal::Hangup => "the terminal is gone",
        })]
        #[diagnostic(
            match signal {
                Signal::Interrupt => kind::SIGNAL_INTERRUPT,
                Signal::Terminate => kind::SIGNAL_TERMINATE,
                Signal::Hangup => kind::SIGNAL_HANGUP,
            },
            details = if *vouched {
                "the shadow database is removed"
            } else {
                "the shadow database is removed; nothing was changed"
            },
        )]
        Interrupted { signal: Signal, vouched: bool },
    }
}

/// A signal to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// The terminal is gone.
    Hangup,
    /// Ctrl-C.
    Interrupt,
    /// SIGTERM.
    Terminate,
}

/// A statement that reaches beyond its database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BeyondDatabase {
    /// The name of the file.
    pub file: String,
    /// Path of the file, as it was given; of a built-in one its name.
    pub path: String,
    /// The statement's first character.
    pub position: Position,
    /// The line there.
    pub source_line: String,
    /// What it reaches, as a sentence.
    pub reason: String,
}

fn reaching(number: usize) -> String {
    let verb = if number == 1 { "reaches beyond its" } else { "reach beyond their" };
    format!("{} {verb} database", count(number, "statement"))
}

fn excerpts(found: &[BeyondDatabase]) -> Vec<String> {
    let mut lines: Vec<String> = found
        .iter()
        .take(SHOWN)
        .flat_map(|found| {
            labelled_excerpt(&found.path, found.position, &found.source_line, Some(&found.reason))
        })
        .collect();
    if found.len() > SHOWN {
        lines.push(format!("and {} more", found.len() - SHOWN));
    }
    lines.push("nothing was created, and no script was run".to_owned());
    lines
}

impl Error {
    /// The same error, where the migrations run in a shadow database. `vouched`: a person has vouched
    /// for a statement.
    pub(crate) fn in_shadow(self, vouched: bool) -> Self {
        match self {
            Self::FailedScript(failed) if matches!(failed.cause, ScriptError::BeyondDatabase) => {
                ShadowError::ChangedServer(failed).into()
            }
            Self::FailedScript(failed) => ShadowError::FailedScript { failed, vouched }.into(),
            other => other,
        }
    }
}

/// Denied to the role, or to everybody on this server.
fn is_denied(error: &tokio_postgres::Error) -> bool {
    has_code(error, &[SqlState::INSUFFICIENT_PRIVILEGE, SqlState::FEATURE_NOT_SUPPORTED])
}
