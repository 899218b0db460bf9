//! Runs one statement of a script without a transaction, and records that it is done.

use std::time::Instant;

use futures::future::{join, join3};
use tokio_postgres::Client;
use tokio_postgres::error::SqlState;

use crate::connect::advisory_lock;
use crate::error::{Error, LostDuring, ScriptError, pg_error};
use crate::history::incomplete::{self, Writer};
use crate::history::note::Note;
use crate::model::{Begun, IndexTarget, Outcome};
use crate::run::diagnostics::{self, Place};
use crate::run::invalid_index::{self, Verdict};
use crate::run::non_transactional::{AS_OURSELVES, as_ourselves};
use crate::run::retry::{self, tried};
use crate::run::shared_catalogs;
use crate::run::step::{Run, Step};
use crate::run::timeouts::{self, Limit, Limits};
use crate::sql::{self, Concurrent};

/// Those who work beside others hold no lock that blocks anybody while they wait, and may have to
/// wait for the oldest transaction in the database.
const WITHOUT_LOCK_TIMEOUT: &str = "set lock_timeout = 0";

/// The execution of one statement.
pub(super) struct StatementRun<'a> {
    pub(super) step: &'a Step<'a>,
    pub(super) run: &'a Run<'a>,
    pub(super) limits: Limits,
    /// From 0.
    pub(super) index: usize,
    pub(super) text: &'a str,
    /// Of the statements up to and including this one.
    pub(super) done_checksum: String,
    /// Number of statements of the script.
    pub(super) statements: usize,
    pub(super) retries: u32,
}

/// Reasons why a statement is not completed.
enum StatementError {
    Answer(tokio_postgres::Error),
    /// Nothing was sent.
    Final(Error),
    /// `if not exists` was content with something that is not the index.
    NotBuilt,
    /// It changed something outside the database, where it may not. It was rolled back.
    BeyondDatabase,
}

impl From<tokio_postgres::Error> for StatementError {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Answer(error)
    }
}

/// Ends of a statement in a transaction without an error.
#[derive(PartialEq, Eq)]
enum Attempt {
    Done,
    /// PostgreSQL does not run it in one. Nothing has happened.
    NotInTransaction,
}

impl StatementRun<'_> {
    /// Runs the statement, again where it had to give way to others.
    pub(super) async fn run(&mut self, client: &mut Client) -> Result<(), Error> {
        let start = Instant::now();
        loop {
            let lost = |error: &tokio_postgres::Error| {
                self.step.connection_lost(error, LostDuring::Statements)
            };
            let mut begun = Begun {
                text: self.text.to_owned(),
                outside_transaction: sql::needs_own_transaction(self.text),
                target: None,
            };
            let error = match self.attempt(client, &mut begun).await {
                Ok(()) => return Ok(()),
                Err(StatementError::Final(error)) => return Err(error),
                Err(StatementError::Answer(error)) if diagnostics::answer(&error).is_none() => {
                    return Err(lost(&error));
                }
                Err(error) => error,
            };
            let (mut more, clean) = clean_up(client, self.text, begun.target.as_ref()).await;
            if let StatementError::Answer(error) = &error
                && let Some(reason) = retry::reason(error)
                && self.retries < self.run.options.lock_retries
                && clean
                && !self.leaves_a_part()
            {
                self.retries += 1;
                self.run.pause(self.step, reason, self.retries).await;
                continue;
            }
            more.extend(tried(self.retries, start));
            // Dropping first makes the index invalid.
            let half_dropped = begun.target.is_some()
                && matches!(sql::concurrent(self.text), Some(Concurrent::Drop { .. }));
            return Err(self.fail(client, error, more, clean && !half_dropped).await);
        }
    }

    /// True if a part of the failed statement can remain, beside an index that can be dropped.
    fn leaves_a_part(&self) -> bool {
        sql::may_commit(self.text) || sql::concurrent(self.text) == Some(Concurrent::Detach)
    }

    async fn attempt(&self, client: &mut Client, begun: &mut Begun) -> Result<(), StatementError> {
        begun.target = invalid_index::find_target(client, self.text).await?;
        if !begun.outside_transaction {
            if self.run_in_transaction(client).await? == Attempt::Done {
                return Ok(());
            }
            begun.outside_transaction = true;
        } else if !advisory_lock::is_held(client).await? {
            return Err(self.lock_lost(client).await);
        }
        self.note_begun(client, begun).await?;
        self.run_outside_transaction(client).await?;
        // `if not exists` is content with what an earlier build has left.
        if matches!(sql::concurrent(self.text), Some(Concurrent::Create { .. })) {
            let verdict = invalid_index::verdict(client, self.text, begun.target.as_ref()).await?;
            if verdict == Verdict::ToDo {
                return Err(StatementError::NotBuilt);
            }
        }
        let transaction = as_ourselves(client).await?;
        self.note_done().execute(&transaction).await?;
        Ok(transaction.commit().await?)
    }

    /// Runs the statement and records its completion: both or neither, so that nothing has to be
    /// recorded before. What needs no answer in between is sent together, because a script can have
    /// very many statements.
    async fn run_in_transaction(&self, client: &Client) -> Result<Attempt, StatementError> {
        let (held, begun) =
            join(advisory_lock::is_held(client), client.batch_execute("begin")).await;
        begun?;
        if !held? {
            return Err(self.lock_lost(client).await);
        }
        if let Err(error) = client.batch_execute(self.text).await {
            let rolled_back = client.batch_execute("rollback").await;
            // The first error matters.
            if error.code() != Some(&SqlState::ACTIVE_SQL_TRANSACTION) {
                return Err(error.into());
            }
            rolled_back?;
            return Ok(Attempt::NotInTransaction);
        }
        if self.run.confinement.holds_for(self.step.file)
            && shared_catalogs::are_changed(client).await?
        {
            client.batch_execute("rollback").await?;
            return Err(StatementError::BeyondDatabase);
        }
        let done = self.note_done();
        // A `commit` after an error is a `rollback`.
        let (ourselves, noted, committed) = join3(
            client.batch_execute(AS_OURSELVES),
            done.execute(client),
            client.batch_execute("commit"),
        )
        .await;
        ourselves.and(noted).and(committed)?;
        Ok(Attempt::Done)
    }

    async fn lock_lost(&self, client: &Client) -> StatementError {
        let incomplete = Some(self.step.script.name.clone());
        StatementError::Final(self.run.lock_lost(client, incomplete).await)
    }

    async fn run_outside_transaction(&self, client: &Client) -> Result<(), tokio_postgres::Error> {
        let (Limit::Of(limit), Some(_)) = (self.limits.lock_timeout, sql::concurrent(self.text))
        else {
            return client.batch_execute(self.text).await;
        };
        client.batch_execute(WITHOUT_LOCK_TIMEOUT).await?;
        let result = client.batch_execute(self.text).await;
        let limited = timeouts::set(client, "lock_timeout", limit).await;
        // The first error matters.
        result.and(limited)
    }

    async fn note_begun(
        &self,
        client: &mut Client,
        begun: &Begun,
    ) -> Result<(), tokio_postgres::Error> {
        let transaction = as_ourselves(client).await?;
        let version = self.step.script.name.version;
        let note = incomplete::note_running(version, self.index, begun, Writer::Migrator);
        note.execute(&transaction).await?;
        transaction.commit().await
    }

    fn note_done(&self) -> Note {
        let version = self.step.script.name.version;
        let checksum = self.done_checksum.clone();
        incomplete::note_done(version, self.index + 1, checksum, Writer::Migrator)
    }

    /// Records that the statement failed, and reports it. Records nothing if nothing has happened.
    async fn fail(
        &self,
        client: &mut Client,
        error: StatementError,
        more: Vec<String>,
        nothing_left: bool,
    ) -> Error {
        // An earlier run may have done a part of what this one began with.
        let is_first = self.index == 0 && self.step.record.is_none();
        let nothing_happened = is_first && nothing_left && !self.leaves_a_part();
        let version = self.step.script.name.version;
        let noted = async {
            let transaction = as_ourselves(client).await?;
            if nothing_happened {
                incomplete::forget(&transaction, version).await?;
            } else {
                incomplete::note_failed(version).execute(&transaction).await?;
            }
            transaction.commit().await
        };
        let outcome = match noted.await {
            Ok(()) if nothing_happened => Outcome::RolledBack,
            Ok(()) | Err(_) => {
                Outcome::Incomplete { done: self.index, statements: self.statements }
            }
        };
        let progress = self.run.progress(outcome);
        let place = Place::InStatement(self.index);
        match error {
            StatementError::Answer(error) => self.step.failure(&error, place, more, progress),
            StatementError::Final(error) => error,
            StatementError::NotBuilt => {
                let position = self.step.position_of(self.index);
                self.step.failed(ScriptError::IndexNotBuilt, position, more, progress)
            }
            StatementError::BeyondDatabase => {
                let position = self.step.position_of(self.index);
                self.step.failed(ScriptError::BeyondDatabase, position, more, progress)
            }
        }
    }
}

/// Drops the invalid index that a statement has left. Returns what to say about it, and whether
/// nothing is left.
async fn clean_up(
    client: &Client,
    text: &str,
    target: Option<&IndexTarget>,
) -> (Vec<String>, bool) {
    let Some(target) = target else { return (Vec::new(), true) };
    let Ok(left) = invalid_index::invalid_indexes(client, text, target).await else {
        return (vec!["it is not known whether an invalid index is left".to_owned()], false);
    };
    let dropped = invalid_index::drop_all(client, &left).await;
    let lines = left.iter().map(|index| match &dropped {
        Ok(()) => format!("the invalid index {} that it left was dropped", index.name),
        Err(error) => format!(
            "the invalid index {} is left and could not be dropped: {}",
            index.name,
            pg_error::describe(error)
        ),
    });
    (lines.collect(), dropped.is_ok())
}
