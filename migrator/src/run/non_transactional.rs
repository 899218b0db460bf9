//! Runs one script without a transaction: statement by statement, with a record of its progress
//! that survives an interruption.
//!
//! A statement and the record that it is done are one transaction wherever PostgreSQL allows it.
//! Where it does not, the statement is recorded as started before and completed after.

use tokio_postgres::{Client, Transaction};

use crate::connect::advisory_lock;
use crate::error::{Error, LostDuring};
use crate::history::{self, incomplete};
use crate::migrations::checksum::StatementsChecksum;
use crate::model::Event;
use crate::run::diagnostics;
use crate::run::statement_run::StatementRun;
use crate::run::step::{Run, Step};
use crate::run::timeouts::{self, Limits};
use crate::sql::{self, Statement};

/// Sets role and search path for the migrator's notes, independent of the script's settings. Ends with
/// the transaction.
pub(super) const AS_OURSELVES: &str = "\
set local session_authorization to default; set local role to default; set local search_path to default";

/// Runs the script, or what is left of it. Returns how often statements were tried again.
pub(crate) async fn run(step: &Step<'_>, client: &mut Client, run: &Run<'_>) -> Result<u32, Error> {
    let statements = sql::statements(&step.file.sql);
    let around = |error: tokio_postgres::Error| match diagnostics::answer(&error) {
        Some(_) => Error::Query { action: "note what is done of the script", source: error },
        None => step.connection_lost(&error, LostDuring::Statements),
    };
    timeouts::prepare(client, step.file, run.options).await.map_err(around)?;
    if !advisory_lock::is_held(client).await.map_err(around)? {
        return Err(run.lock_lost(client, None).await);
    }
    let done = begin(step, client, &statements).await.map_err(around)?;
    let limits = Limits::of(step.file, run.options);
    let mut checksum = StatementsChecksum::new();
    let mut retries = 0;
    for (index, statement) in statements.iter().enumerate() {
        let text = statement.text(&step.file.sql);
        checksum.add(text);
        if index < done {
            continue;
        }
        run.report(Event::Statement { number: index + 1, of: statements.len() });
        let mut statement_run = StatementRun {
            step,
            run,
            limits,
            index,
            text,
            done_checksum: checksum.value(),
            statements: statements.len(),
            retries: 0,
        };
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

pub(super) async fn as_ourselves(
    client: &mut Client,
) -> Result<Transaction<'_>, tokio_postgres::Error> {
    let transaction = client.transaction().await?;
    transaction.batch_execute(AS_OURSELVES).await?;
    Ok(transaction)
}
