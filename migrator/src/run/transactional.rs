//! Runs one script in one transaction, together with its row in the history: both or neither.

use std::pin::pin;
use std::time::Instant;

use futures::TryStreamExt as _;
use tokio_postgres::{Client, SimpleQueryMessage, Transaction};

use crate::connect::advisory_lock;
use crate::error::{Error, LostDuring, ScriptError};
use crate::history::{self, incomplete};
use crate::model::Outcome;
use crate::run::diagnostics::Place;
use crate::run::retry::{self, tried};
use crate::run::step::{RESET_NAMES, Run, Step};
use crate::run::{shared_catalogs, timeouts};

/// Ends of an attempt.
enum Failure {
    /// PostgreSQL's answer: everything is rolled back.
    Answer(tokio_postgres::Error, Place),
    Final(Error),
}

/// Runs the script, again where it had to give way to others. Returns how often.
pub(crate) async fn run(step: &Step<'_>, client: &mut Client, run: &Run<'_>) -> Result<u32, Error> {
    let start = Instant::now();
    let mut retries = 0;
    loop {
        let (error, place) = match attempt(step, client, run).await {
            Ok(()) => return Ok(retries),
            Err(Failure::Final(error)) => return Err(error),
            Err(Failure::Answer(error, place)) => (error, place),
        };
        if let Some(reason) = retry::reason(&error)
            && retries < run.options.lock_retries
        {
            retries += 1;
            run.pause(step, reason, retries).await;
            continue;
        }
        let more = tried(retries, start).into_iter().collect();
        return Err(step.failure(&error, place, more, run.progress(Outcome::RolledBack)));
    }
}

async fn attempt(step: &Step<'_>, client: &mut Client, run: &Run<'_>) -> Result<(), Failure> {
    let around = |error| Failure::Answer(error, Place::Around);
    timeouts::prepare(client, step.file, run.options).await.map_err(around)?;
    let transaction = client.transaction().await.map_err(around)?;
    if !advisory_lock::is_held(&transaction).await.map_err(around)? {
        return Err(Failure::Final(run.lock_lost(transaction.client(), None).await));
    }
    let id = transaction_id(&transaction).await.map_err(around)?;
    if let Err((error, index)) = run_script(&transaction, &step.file.sql).await {
        // At once: the pause before the next attempt is for others.
        let _ = transaction.rollback().await;
        return Err(Failure::Answer(error, index.map_or(Place::Around, Place::InScript)));
    }
    match current_transaction_id(&transaction).await {
        Ok(now) if now == Some(id) => {}
        Ok(_) => {
            let progress = run.progress(Outcome::Unfinished);
            let error = step.failed(ScriptError::TransactionEnded, None, Vec::new(), progress);
            return Err(Failure::Final(error));
        }
        Err(error) => return Err(around(error)),
    }
    if run.confinement.holds_for(step.file)
        && shared_catalogs::are_changed(&transaction).await.map_err(around)?
    {
        transaction.rollback().await.map_err(around)?;
        let progress = run.progress(Outcome::RolledBack);
        let error = step.failed(ScriptError::BeyondDatabase, None, Vec::new(), progress);
        return Err(Failure::Final(error));
    }
    record(step, &transaction).await.map_err(around)?;
    transaction.commit().await.map_err(|error| match error.as_db_error() {
        // A deferred constraint, say.
        Some(_) => around(error),
        None => Failure::Final(step.connection_lost(&error, LostDuring::Commit)),
    })
}

/// Notes in the history what the script did.
async fn record(
    step: &Step<'_>,
    transaction: &Transaction<'_>,
) -> Result<(), tokio_postgres::Error> {
    transaction.batch_execute(RESET_NAMES).await?;
    history::note_run(step.script, step.direction).execute(transaction).await?;
    if step.record.is_some() {
        incomplete::forget(transaction, step.script.name.version).await?;
    }
    Ok(())
}

/// Runs a script as one simple query. An error comes with the index of its statement.
async fn run_script(
    transaction: &Transaction<'_>,
    script: &str,
) -> Result<(), (tokio_postgres::Error, Option<usize>)> {
    let mut finished = 0;
    let messages =
        transaction.client().simple_query_raw(script).await.map_err(|error| (error, None))?;
    let mut messages = pin!(messages);
    loop {
        match messages.try_next().await {
            Ok(Some(SimpleQueryMessage::CommandComplete(_))) => finished += 1,
            Ok(Some(_)) => {}
            Ok(None) => return Ok(()),
            Err(error) => return Err((error, Some(finished))),
        }
    }
}

/// The id of the open transaction, assigned if need be.
async fn transaction_id(transaction: &Transaction<'_>) -> Result<String, tokio_postgres::Error> {
    Ok(transaction
        .query_typed_one("select pg_catalog.pg_current_xact_id()::text", &[])
        .await?
        .get(0))
}

async fn current_transaction_id(
    transaction: &Transaction<'_>,
) -> Result<Option<String>, tokio_postgres::Error> {
    let query = "select pg_catalog.pg_current_xact_id_if_assigned()::text";
    Ok(transaction.query_typed_one(query, &[]).await?.get(0))
}
