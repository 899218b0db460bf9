//! Events while a command runs, for the program to show.

use std::fmt;
use std::time::Duration;

use crate::model::{Direction, MigrationName};

/// Progress of [`crate::Migrator::run`] and its siblings.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event {
    /// A pooled Neon host was given; the direct one is used, because a pooler keeps no lock.
    UsingDirectHost {
        /// The direct host.
        host: String,
    },
    /// The database did not answer yet; said once, however often it is tried.
    Retrying {
        /// Error of the first attempt, or what may be the case if there is no answer at all.
        reason: String,
        /// For how long it is tried.
        wait: Duration,
    },
    /// Another migrator is at work; said once.
    WaitingForLock {
        /// The session that holds it, if PostgreSQL reports it.
        holder: Option<LockHolder>,
        /// For how long it is waited for.
        wait: Duration,
    },
    /// A script runs in a copy of the schema.
    TryingScript,
    /// The migrations to run, in this order. Not sent if there are none.
    Planned {
        /// Apply or undo.
        direction: Direction,
        /// Which migrations.
        names: Vec<MigrationName>,
    },
    /// A migration begins.
    Applying(MigrationName),
    /// A migration is committed.
    Applied {
        /// Which.
        name: MigrationName,
        /// Duration, commit included.
        elapsed: Duration,
        /// Number of retries.
        retries: u32,
    },
    /// An undo script begins.
    Undoing(MigrationName),
    /// An undo script is committed.
    Undone {
        /// Which migration is gone.
        name: MigrationName,
        /// Duration, commit included.
        elapsed: Duration,
        /// Number of retries.
        retries: u32,
    },
    /// A script without a transaction is resumed where it stopped.
    Resuming {
        /// Which migration.
        name: MigrationName,
        /// Apply or undo.
        direction: Direction,
        /// The first statement to run, from 1.
        statement: usize,
        /// Number of statements in the script.
        statements: usize,
    },
    /// A statement of a script without a transaction begins.
    Statement {
        /// Which, from 1.
        number: usize,
        /// Number of statements in the script.
        of: usize,
    },
    /// A script had to give way to others, and will be tried again.
    LockRetry {
        /// Which migration.
        name: MigrationName,
        /// Reason of the retry.
        reason: RetryReason,
        /// When.
        pause: Duration,
        /// For the how manieth time, from 1.
        retry: u32,
        /// Maximum number of retries.
        of: u32,
    },
    /// A script is running; said every second, where [`crate::run::options::RunOptions::watch`] asks for it.
    Running {
        /// For how long.
        elapsed: Duration,
        /// The server's progress report, if it has one.
        server: Option<ServerProgress>,
    },
    /// A shadow database is there, and the migrations are about to be applied to it.
    BuildingShadow {
        /// Number of migrations.
        migrations: usize,
    },
    /// The shadow database is on a server of another major version, which prints some definitions
    /// of views otherwise.
    OtherServerVersion {
        /// The live database's, such as 18.
        live: i32,
        /// The shadow database's.
        shadow: i32,
    },
    /// A script in a shadow database may reach another server, wherever that database is.
    LeavesServer {
        /// File, line and column of the statement.
        place: String,
        /// What it reaches, as a sentence.
        reason: String,
    },
    /// Roles that the scripts have created on the shadow database's server, and that could not be
    /// dropped.
    RolesLeft {
        /// Their names.
        roles: Vec<String>,
    },
    /// Objects of the database that are missing from the script of [`crate::dump()`], because they are
    /// not supported.
    NotWritten {
        /// Their names.
        what: Vec<String>,
    },
    /// A shadow database could not be removed after something else had failed.
    ShadowLeft {
        /// Its name.
        name: String,
    },
    /// PostgreSQL said something about the script that runs (`raise notice`, a skipped `if
    /// exists`).
    Notice(Notice),
}

/// Something that PostgreSQL said, short of an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// PostgreSQL's word for its severity, in lower case: `warning`, `notice`, `info`, `log`, `debug`.
    pub severity: &'static str,
    /// Its text.
    pub message: String,
}

/// The session that holds the migration lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockHolder {
    /// Its server process.
    pub pid: i32,
    /// Its `application_name`. Hidden from roles that may not see other roles' sessions.
    pub application_name: Option<String>,
}

impl fmt::Display for LockHolder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.application_name {
            Some(name) => write!(f, "`{name}`, server process {}", self.pid),
            None => write!(f, "server process {}", self.pid),
        }
    }
}

/// Reason to run a script again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryReason {
    /// Others use a table for longer than `lock_timeout`.
    LockTimeout,
    /// PostgreSQL found a deadlock and chose this session as the victim.
    Deadlock,
}

impl fmt::Display for RetryReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::LockTimeout => "timed out waiting for a table lock",
            Self::Deadlock => "was chosen as the deadlock victim",
        })
    }
}

/// The server's report about a long statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerProgress {
    /// Activity in PostgreSQL's words: `building index: scanning table`.
    pub doing: String,
    /// Completed part of the activity.
    pub percent: Option<u8>,
    /// The server process that it waits for.
    pub waits_for: Option<i32>,
}

impl fmt::Display for ServerProgress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.doing)?;
        if let Some(percent) = self.percent {
            write!(f, ", {percent} %")?;
        }
        if let Some(pid) = self.waits_for {
            write!(f, ", held up by server process {pid}")?;
        }
        Ok(())
    }
}
