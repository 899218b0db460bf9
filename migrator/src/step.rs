//! One script: refused when it would end its own transaction, run in a transaction together with
//! its row in the history, and placed in its file when it fails.

use std::pin::pin;
use std::time::Duration;

use futures::TryStreamExt as _;
use tokio_postgres::error::ErrorPosition;
use tokio_postgres::{Client, SimpleQueryMessage, Transaction};

use crate::migrations::{File, Script};
use crate::sql::{self, Objection};
use crate::{
    Direction, Error, FailedScript, MigrationName, Outcome, Position, Progress, connect, history,
    lock,
};

/// Forgets what a script may have set for the session (`set search_path`, as dumps do), so that no
/// script depends on which ones ran before it in the same run.
const RESET_SESSION: &str = "reset session authorization; reset role; reset all";

/// Within the transaction, so that the history is the one that was read.
pub(crate) const RESET_NAMES: &str = "reset session authorization; reset role; reset search_path";

/// Lets the server notice during a long statement that this program is gone. Not every platform
/// can.
const WATCH_CLIENT: &str = "set client_connection_check_interval = '2s'";

/// For how long a script's statement waits for a lock, unless the script sets another limit.
///
/// Whoever writes to a table waits behind a migration that waits for its lock: so it does not wait
/// for long. Longer than a second, in which autovacuum makes way; shorter than what the API grants a
/// statement.
pub const LOCK_LIMIT: Duration = Duration::from_secs(3);

/// [`LOCK_LIMIT`], for the session.
const LIMIT_WAITING: &str = "set lock_timeout = '3s'";

/// [`LOCK_LIMIT`], for one transaction.
pub(crate) const LIMIT_WAITING_HERE: &str = "set local lock_timeout = '3s'";

/// One script to run, and what it means for the history.
pub(crate) struct Step<'a> {
    pub(crate) script: &'a Script,
    pub(crate) file: &'a File,
    pub(crate) direction: Direction,
}

/// Refuses scripts which would end their own transaction, before any of them runs.
pub(crate) fn refuse_objectionable(
    steps: &[Step<'_>],
    current: Option<&MigrationName>,
) -> Result<(), Error> {
    for step in steps {
        for statement in sql::statements(&step.file.sql) {
            let (message, hint) = match statement.objection() {
                None => continue,
                Some(Objection::TransactionControl) => (
                    format!(
                        "`{}` would end the transaction that makes the migration atomic",
                        statement.name()
                    ),
                    "remove it: each file runs in a transaction of its own, begun and committed for it",
                ),
                Some(Objection::StandardInput) => (
                    "`COPY … FROM STDIN` has no input here".to_owned(),
                    "write the rows as `insert` statements",
                ),
            };
            let position = Position::of_byte(&step.file.sql, statement.start);
            let names = steps.iter().map(|step| step.script.name.clone());
            return Err(FailedScript {
                name: step.script.name.clone(),
                direction: step.direction,
                file: step.file.name.clone(),
                position: Some(position),
                source_line: Some(position.line_of(&step.file.sql)),
                message,
                sqlstate: None,
                more: Vec::new(),
                hint: Some(hint.to_owned()),
                progress: Progress {
                    done: Vec::new(),
                    current: current.cloned(),
                    outcome: Outcome::NotStarted,
                    not_started: names.filter(|name| *name != step.script.name).collect(),
                },
            }
            .into());
        }
    }
    Ok(())
}

/// The steps that undo migrations, in the order of the list; refuses unless each has its script.
pub(crate) fn undo_all<'a>(scripts: &[&'a Script]) -> Result<Vec<Step<'a>>, Error> {
    let without = scripts.iter().filter(|script| script.undo.is_none());
    let missing: Vec<MigrationName> = without.map(|script| script.name.clone()).collect();
    if !missing.is_empty() {
        return Err(Error::NoUndoScript { missing });
    }
    let step = |script: &&'a Script| {
        let file = script.undo.as_ref()?;
        Some(Step { script, file, direction: Direction::Undo })
    };
    Ok(scripts.iter().filter_map(step).collect())
}

impl<'a> Step<'a> {
    /// The step that applies a migration.
    pub(crate) fn apply(script: &'a Script) -> Self {
        Self { script, file: &script.apply, direction: Direction::Apply }
    }

    /// For how long a statement waits for a lock, where the script leaves that to us.
    pub(crate) fn lock_limit(&self) -> Option<Duration> {
        let own = sql::statements(&self.file.sql).iter().any(sql::Statement::sets_lock_timeout);
        (!own).then_some(LOCK_LIMIT)
    }

    /// Runs the script and notes it in the history, both or neither.
    pub(crate) async fn run(
        &self,
        client: &mut Client,
        progress: &(dyn Fn() -> Progress + Sync),
    ) -> Result<(), Error> {
        for statement in [RESET_SESSION, LIMIT_WAITING] {
            client
                .batch_execute(statement)
                .await
                .map_err(|error| self.failure(&error, None, progress))?;
        }
        // A server that cannot watch notices a lost client when the statement is over: later, not
        // wrong.
        let _ = client.batch_execute(WATCH_CLIENT).await;

        let failed = |error| self.failure(&error, None, progress);
        let transaction = client.transaction().await.map_err(failed)?;
        if !lock::is_held(&transaction).await.map_err(failed)? {
            return Err(Error::LockLost);
        }
        let transaction_id = transaction_id(&transaction).await.map_err(failed)?;
        if let Err((error, statement)) = run_script(&transaction, &self.file.sql).await {
            return Err(self.failure(&error, statement, progress));
        }
        match current_transaction_id(&transaction).await {
            Ok(now) if now == Some(transaction_id) => {}
            Ok(_) => return Err(self.ended_its_transaction(progress)),
            Err(error) => return Err(failed(error)),
        }
        let recorded = async {
            transaction.batch_execute(RESET_NAMES).await?;
            match self.direction {
                Direction::Apply => history::record(&transaction, self.script).await,
                Direction::Undo => history::forget(&transaction, self.script.name.version).await,
            }
        };
        recorded.await.map_err(failed)?;
        transaction.commit().await.map_err(|error| match error.as_db_error() {
            // A deferred constraint, say.
            Some(_) => self.failure(&error, None, progress),
            None => self.connection_lost(&error, true),
        })
    }

    fn connection_lost(&self, error: &tokio_postgres::Error, committing: bool) -> Error {
        Error::ConnectionLost {
            name: self.script.name.clone(),
            committing,
            reason: connect::describe(error),
        }
    }

    /// `statement` is the index of the statement that failed, for errors without a position.
    fn failure(
        &self,
        error: &tokio_postgres::Error,
        statement: Option<usize>,
        progress: &(dyn Fn() -> Progress + Sync),
    ) -> Error {
        // A server that shuts down or ends the session says so in an error of its own.
        let lost = |code: &str| code.starts_with("57P0") || code.starts_with("08");
        let Some(cause) = error.as_db_error().filter(|cause| !lost(cause.code().code())) else {
            return self.connection_lost(error, false);
        };
        let text = &self.file.sql;
        let position = match (cause.position(), statement) {
            (Some(ErrorPosition::Original(character)), Some(_)) => {
                Some(Position::of_character(text, *character))
            }
            (_, Some(index)) => sql::statements(text)
                .get(index)
                .map(|statement| Position::of_byte(text, statement.start)),
            (_, None) => None,
        };
        let more = [("detail", cause.detail()), ("context", cause.where_())];
        let hint = match (cause.hint(), cause.code().code()) {
            (Some(hint), _) => hint.to_owned(),
            (None, "25001") => {
                "each file runs in a transaction, where this statement is not possible; use a form that is".to_owned()
            }
            (None, "42P07" | "42701" | "42710" | "42723") => {
                "something of that name is there already, not made by these migrations".to_owned()
            }
            (None, "42501") => {
                "the role lacks a right: connect as the owner of the schema's tables".to_owned()
            }
            (None, "55P03") => format!(
                "somebody else holds the lock on a table: run `migrator {}` again when they are done",
                match self.direction {
                    Direction::Apply => "up",
                    Direction::Undo => "down",
                }
            ),
            (None, _) => match self.direction {
                Direction::Apply => format!(
                    "fix V{} and run `migrator up` again; `migrator status` shows the history",
                    self.script.name.version
                ),
                Direction::Undo => {
                    format!("fix `{}` and run `migrator down` again; `migrator status` shows the history", self.file.name)
                }
            },
        };
        FailedScript {
            name: self.script.name.clone(),
            direction: self.direction,
            file: self.file.name.clone(),
            position,
            source_line: position.map(|position| position.line_of(text)),
            message: cause.message().to_owned(),
            sqlstate: Some(cause.code().code().to_owned()),
            more: more
                .iter()
                .filter_map(|(label, text)| Some(format!("{label}: {}", (*text)?)))
                .collect(),
            hint: Some(hint),
            progress: progress(),
        }
        .into()
    }

    fn ended_its_transaction(&self, progress: &(dyn Fn() -> Progress + Sync)) -> Error {
        FailedScript {
            name: self.script.name.clone(),
            direction: self.direction,
            file: self.file.name.clone(),
            position: None,
            source_line: None,
            message: "the script ended the transaction that it ran in".to_owned(),
            sqlstate: None,
            more: vec!["what it did up to there may be stored; the history was not changed".to_owned()],
            hint: Some("take the transaction control out of the file, and look at what the script left behind".to_owned()),
            progress: Progress { outcome: Outcome::Unfinished, ..progress() },
        }
        .into()
    }
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

#[cfg(test)]
mod tests {
    use super::{LIMIT_WAITING, LIMIT_WAITING_HERE, LOCK_LIMIT};

    #[test]
    fn the_statements_set_the_documented_limit() {
        let value = format!("lock_timeout = '{}s'", LOCK_LIMIT.as_secs());
        assert_eq!(LIMIT_WAITING, format!("set {value}"));
        assert_eq!(LIMIT_WAITING_HERE, format!("set local {value}"));
    }
}
