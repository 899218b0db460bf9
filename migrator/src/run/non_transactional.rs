//! Runs one script without a transaction: statement by statement, with a record of its progress
//! that survives an interruption.
//!
//! A statement and the record that it is done are one transaction wherever PostgreSQL allows it.
//! Where it does not, the statement is recorded as started before and completed after.

use std::time::Instant;

use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Transaction};

use crate::connect::advisory_lock;
use crate::error::{Error, LostDuring, ScriptError, pg_error};
use crate::history;
use crate::history::incomplete::{self, Writer};
use crate::model::{Begun, Event, IndexTarget, Outcome};
use crate::run::diagnostics::{self, Place};
use crate::run::invalid_index::{self, Verdict};
use crate::run::retry::{self, tried};
use crate::run::step::{Run, Step};
use crate::run::timeouts::{self, Limit, Limits};
use crate::sql::{self, Concurrent, Statement};

/// Sets role and search path for the migrator's notes, independent of the script's settings. Ends with
/// the transaction.
const AS_OURSELVES: &str = "\
set local session_authorization to default; set local role to default; set local search_path to default";

/// Those who work beside others hold no lock that blocks anybody while they wait, and may have to
/// wait for the oldest transaction in the database.
const WITHOUT_LOCK_TIMEOUT: &str = "set lock_timeout = 0";

/// Runs the script, or what is left of it. Returns how often statements were tried again.
pub(crate) async fn run(step: &Step<'_>, client: &mut Client, run: &Run<'_>) -> Result<u32, Error> {
    let statements = sql::statements(&step.file.sql);
    let around = |error: tokio_postgres::Error| match diagnostics::answer(&error) {
        Some(_) => Error::Query { action: "note what is done of the script", source: error },
        None => step.connection_lost(&error, LostDuring::Statements),
    };
    timeouts::prepare(client, step.file, run.options).await.map_err(around)?;
    if !advisory_lock::is_held(client).await.map_err(around)? {
        return Err(Error::LockLost { incomplete: None });
    }
    let done = begin(step, client, &statements).await.map_err(around)?;
    let mut retries = 0;
    for (index, statement) in statements.iter().enumerate().skip(done) {
        run.report(Event::Statement { number: index + 1, of: statements.len() });
        let text = statement.text(&step.file.sql);
        let mut statement_run =
            StatementRun { step, run, index, text, statements: statements.len(), retries: 0 };
        statement_run.run(client).await?;
        retries += statement_run.retries;
    }
    finish(step, client).await.map_err(around)?;
    Ok(retries)
}

/// Records that the script starts or resumes, and returns the number of completed statements.
async fn begin(
    step: &Step<'_>,
    client: &mut Client,
    statements: &[Statement],
) -> Result<usize, tokio_postgres::Error> {
    let transaction = as_ourselves(client).await?;
    let resumed = step.record.as_ref().filter(|record| record.direction == step.direction);
    let Some(record) = resumed else {
        incomplete::prepare(&transaction, step.script.name.version).await?;
        let note = incomplete::note_begin(step.script, step.direction, statements.len());
        note.execute(&transaction).await?;
        transaction.commit().await?;
        return Ok(0);
    };
    incomplete::note_resumed(record.name.version).execute(&transaction).await?;
    transaction.commit().await?;
    // The rest may count on what the session was set to.
    for statement in statements.iter().take(record.done) {
        let text = statement.text(&step.file.sql);
        if sql::is_session_setting(text) {
            client.batch_execute(text).await?;
        }
    }
    Ok(record.done)
}

/// Writes the history and removes the note, both or neither.
async fn finish(step: &Step<'_>, client: &mut Client) -> Result<(), tokio_postgres::Error> {
    let transaction = as_ourselves(client).await?;
    history::note_run(step.script, step.direction).execute(&transaction).await?;
    incomplete::forget(&transaction, step.script.name.version).await?;
    transaction.commit().await
}

async fn as_ourselves(client: &mut Client) -> Result<Transaction<'_>, tokio_postgres::Error> {
    let transaction = client.transaction().await?;
    transaction.batch_execute(AS_OURSELVES).await?;
    Ok(transaction)
}

/// The execution of one statement.
struct StatementRun<'a> {
    step: &'a Step<'a>,
    run: &'a Run<'a>,
    /// From 0.
    index: usize,
    text: &'a str,
    /// Number of statements of the script.
    statements: usize,
    retries: u32,
}

/// Reasons why a statement is not completed.
enum StatementError {
    Answer(tokio_postgres::Error),
    /// `if not exists` was content with something that is not the index.
    NotBuilt,
}

impl From<tokio_postgres::Error> for StatementError {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Answer(error)
    }
}

impl StatementRun<'_> {
    /// Runs the statement, again where it had to give way to others.
    async fn run(&mut self, client: &mut Client) -> Result<(), Error> {
        let start = Instant::now();
        loop {
            let lost = |error: &tokio_postgres::Error| {
                self.step.connection_lost(error, LostDuring::Statements)
            };
            if !advisory_lock::is_held(client).await.map_err(|error| lost(&error))? {
                return Err(Error::LockLost { incomplete: Some(self.step.script.name.clone()) });
            }
            let mut begun = Begun {
                text: self.text.to_owned(),
                outside_transaction: sql::needs_own_transaction(self.text),
                target: None,
            };
            let error = match self.attempt(client, &mut begun).await {
                Ok(()) => return Ok(()),
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
        self.note_begun(client, begun).await?;
        if !begun.outside_transaction {
            let transaction = client.transaction().await?;
            match transaction.batch_execute(self.text).await {
                Ok(()) => {
                    transaction.batch_execute(AS_OURSELVES).await?;
                    self.note_done(&transaction).await?;
                    return Ok(transaction.commit().await?);
                }
                Err(error) => {
                    let rolled_back = transaction.rollback().await;
                    // The first error matters.
                    if error.code() != Some(&SqlState::ACTIVE_SQL_TRANSACTION) {
                        return Err(error.into());
                    }
                    rolled_back?;
                }
            }
            begun.outside_transaction = true;
            self.note_begun(client, begun).await?;
        }
        self.run_outside_transaction(client).await?;
        // `if not exists` is content with what an earlier build has left.
        if matches!(sql::concurrent(self.text), Some(Concurrent::Create { .. })) {
            let verdict = invalid_index::verdict(client, self.text, begun.target.as_ref()).await?;
            if verdict == Verdict::ToDo {
                return Err(StatementError::NotBuilt);
            }
        }
        let transaction = as_ourselves(client).await?;
        self.note_done(&transaction).await?;
        Ok(transaction.commit().await?)
    }

    async fn run_outside_transaction(&self, client: &Client) -> Result<(), tokio_postgres::Error> {
        let limits = Limits::of(self.step.file, self.run.options);
        let (Limit::Of(limit), Some(_)) = (limits.lock_timeout, sql::concurrent(self.text)) else {
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

    async fn note_done(&self, transaction: &Transaction<'_>) -> Result<(), tokio_postgres::Error> {
        let (version, script) = (self.step.script.name.version, &self.step.file.sql);
        let note = incomplete::note_done(version, script, self.index + 1, Writer::Migrator);
        note.execute(transaction).await
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
            StatementError::NotBuilt => {
                let position = self.step.position_of(self.index);
                self.step.failed(ScriptError::IndexNotBuilt, position, more, progress)
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
