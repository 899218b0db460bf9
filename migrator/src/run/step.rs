//! One script to run and its direction.

use std::time::Duration;

use tokio::sync::mpsc::UnboundedSender;
use tokio::time::sleep;
use tokio_postgres::Client;

use crate::connect::advisory_lock;
use crate::error::{Error, IncompleteError, LockLoss, ScriptError};
use crate::migrations::{File, Script};
use crate::model::{
    Direction, Event, Incomplete, MigrationName, Outcome, Progress, RetryReason, TransactionMode,
};
use crate::run::options::RunOptions;
use crate::run::retry;
use crate::run::shared_catalogs::Confinement;
use crate::sql::{self, Concurrent, Statement, Unsupported};

/// Within the transaction, so that the history is the one that was read.
pub(crate) const RESET_NAMES: &str = "reset session authorization; reset role; reset search_path";

/// One script to run, and what it means for the history.
pub(crate) struct Step<'a> {
    pub(crate) script: &'a Script,
    pub(crate) file: &'a File,
    pub(crate) direction: Direction,
    /// Record of an earlier run of this migration; repaired.
    pub(crate) record: Option<Incomplete>,
}

/// The run of which a step is a part.
pub(crate) struct Run<'a> {
    pub(crate) options: &'a RunOptions,
    pub(crate) confinement: &'a Confinement,
    pub(crate) events: UnboundedSender<Event>,
    /// State of the database before the step.
    pub(crate) before: Progress,
    /// The server process that was given the migration lock.
    pub(crate) lock_process: Option<i32>,
}

impl Run<'_> {
    pub(crate) fn report(&self, event: Event) {
        // The receiver may be gone.
        let _ = self.events.send(event);
    }

    /// State of the database after this outcome of the step.
    pub(crate) fn progress(&self, outcome: Outcome) -> Progress {
        Progress { outcome, ..self.before.clone() }
    }

    /// The error that the session does not hold the migration lock any more, with the reason.
    pub(crate) async fn lock_lost(
        &self,
        client: &Client,
        incomplete: Option<MigrationName>,
    ) -> Error {
        let process = advisory_lock::own_process(client).await.ok();
        let reason = if process.is_some() && process == self.lock_process {
            LockLoss::Released
        } else {
            LockLoss::OtherSession
        };
        Error::LockLost { reason, incomplete }
    }

    /// Makes way for a while, before the `retry`th attempt.
    pub(crate) async fn pause(&self, step: &Step<'_>, reason: RetryReason, retry: u32) {
        let pause: Duration = retry::pause(retry);
        self.report(Event::LockRetry {
            name: step.script.name.clone(),
            reason,
            pause,
            retry,
            of: self.options.lock_retries,
        });
        sleep(pause).await;
    }
}

impl<'a> Step<'a> {
    /// The step that applies a migration.
    pub(crate) fn apply(script: &'a Script) -> Self {
        Self { script, file: &script.apply, direction: Direction::Apply, record: None }
    }

    /// The step that undoes a migration, where there is a script for it.
    pub(crate) fn undo(script: &'a Script) -> Option<Self> {
        let file = script.undo.as_ref()?;
        Some(Self { script, file, direction: Direction::Undo, record: None })
    }

    /// Goes on with what an earlier run has left. Refuses where the script is another one now.
    pub(crate) fn resume(mut self, record: &Incomplete) -> Result<Self, IncompleteError> {
        let file = self.file.name.clone();
        // A script that starts over may run in another mode.
        let begins = record.is_repaired() && record.done == 0;
        if self.file.mode != TransactionMode::None && !begins {
            return Err(IncompleteError::ModeChanged { file });
        }
        if !record.agrees_with(self.file) {
            return Err(IncompleteError::Edited { file, done: record.done });
        }
        self.record = Some(record.clone());
        Ok(self)
    }

    /// The reason for which a statement of this script cannot be run, and the byte offset of what is
    /// wrong.
    pub(crate) fn unsupported(&self, statement: &Statement) -> Option<(usize, ScriptError)> {
        let script = &self.file.sql;
        let cause = match (statement.unsupported(), self.file.mode) {
            (Some(Unsupported::MetaCommand { at }), _) => {
                return Some((at, ScriptError::meta_command(&script[at..])));
            }
            (Some(Unsupported::TransactionControl), TransactionMode::One) => {
                ScriptError::EndsTransaction { statement: statement.name() }
            }
            (Some(Unsupported::TransactionControl), TransactionMode::None) => {
                ScriptError::NoTransaction { statement: statement.name() }
            }
            (Some(Unsupported::StandardInput), _) => ScriptError::StandardInput,
            (Some(Unsupported::StandardOutput), _) => ScriptError::StandardOutput,
            (Some(Unsupported::ResetsSession), _) => ScriptError::ResetsSession,
            (None, TransactionMode::One) => return None,
            (None, TransactionMode::None) => match sql::concurrent(statement.text(script)) {
                Some(Concurrent::Create { index: None, .. }) => ScriptError::UnnamedIndex,
                Some(_) | None => return None,
            },
        };
        Some((statement.start, cause))
    }
}
