//! `repair`: after a script without a transaction stopped in the middle, drops invalid indexes,
//! finds out which statements are done, and lets the rest resume.

use std::time::Duration;

use tokio_postgres::Client;

use crate::connect::{Connection, session};
use crate::error::{Error, IncompleteError};
use crate::history::{self, Recorded, incomplete};
use crate::migrations::{Migrations, Script};
use crate::model::{Begun, Direction, Incomplete, IncompleteState, MigrationName};
use crate::run::invalid_index::{self, InvalidIndex, Verdict};
use crate::run::migrator::Migrator;
use crate::run::plan::{Plan, undo_all};
use crate::run::step::Step;
use crate::sql::{self, Concurrent};

/// Repair action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RepairAction {
    /// It is resumed at the first statement that is not completed.
    Resume,
    /// It begins again: what is done is forgotten, not undone.
    Restart,
    /// Somebody has finished it by hand: the history says so.
    Finished,
    /// It is given up: its undo script runs.
    Undo,
}

/// Result or plan of [`Migrator::repair`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repair {
    /// The migration.
    pub name: MigrationName,
    /// Apply or undo.
    pub direction: Direction,
    /// Requested action.
    pub action: RepairAction,
    /// True if it is applied by the history.
    pub applied: bool,
    /// Number of statements of the script now.
    pub statements: usize,
    /// Number of completed statements.
    pub done: usize,
    /// The invalid indexes that were left, and are dropped.
    pub dropped: Vec<String>,
    /// Warnings.
    pub warnings: Vec<String>,
}

/// State of an incomplete migration.
struct Findings<'a> {
    record: Incomplete,
    /// The script that was running; none if its file is gone.
    step: Option<Step<'a>>,
    script: Option<&'a Script>,
    applied: Vec<MigrationName>,
    done: usize,
    invalid_indexes: Vec<InvalidIndex>,
    warnings: Vec<String>,
}

impl Migrator<'_> {
    /// Plan of [`Self::repair`], with the same errors. Reads only. None where nothing
    /// is incomplete.
    pub async fn plan_repair(&mut self, action: RepairAction) -> Result<Option<Repair>, Error> {
        let mut connection = self.open().await?;
        let result = async {
            let recorded = history::read(&mut connection.client).await?;
            if let (Some(_), Some(holder)) = (&recorded.incomplete, &recorded.holder) {
                // What it leaves is not known yet.
                return Err(Error::Locked { holder: Some(holder.clone()), waited: Duration::ZERO });
            }
            let found = examine(&connection.client, self.migrations, recorded, action).await?;
            Ok(found.map(|findings| findings.report(action)))
        }
        .await;
        connection.close().await;
        result
    }

    /// Prepares an incomplete migration for the requested action. None where
    /// nothing is incomplete.
    pub async fn repair(&mut self, action: RepairAction) -> Result<Option<Repair>, Error> {
        let mut connection = self.open_locked().await?;
        let result = async {
            let recorded = history::read(&mut connection.client).await?;
            let found = examine(&connection.client, self.migrations, recorded, action).await?;
            let Some(findings) = found else { return Ok(None) };
            let report = findings.report(action);
            self.carry_out(&mut connection, findings, action).await?;
            Ok(Some(report))
        }
        .await;
        session::close_locked(connection).await;
        result
    }

    async fn carry_out(
        &mut self,
        connection: &mut Connection,
        findings: Findings<'_>,
        action: RepairAction,
    ) -> Result<(), Error> {
        let client = &mut connection.client;
        if action != RepairAction::Finished {
            invalid_index::drop_all(client, &findings.invalid_indexes)
                .await
                .map_err(|source| Error::Query { action: "drop an invalid index", source })?;
        }
        let begins_to_undo_again =
            findings.record.direction == Direction::Undo && !findings.is_applied();
        let Findings { record, step, script, applied, done, .. } = findings;
        let version = record.name.version;
        let noted = async {
            let transaction = client.transaction().await?;
            match (action, &step, script) {
                (RepairAction::Resume, Some(step), _) => {
                    let note = incomplete::note_repaired(step.script, step.file, done);
                    note.execute(&transaction).await?;
                }
                // Nothing but the note says that there is something to undo.
                (RepairAction::Restart, Some(step), _) if begins_to_undo_again => {
                    let note = incomplete::note_repaired(step.script, step.file, 0);
                    note.execute(&transaction).await?;
                }
                (RepairAction::Undo, Some(step), _) if record.direction == Direction::Undo => {
                    let note = incomplete::note_repaired(step.script, step.file, done);
                    note.execute(&transaction).await?;
                }
                (RepairAction::Finished, _, Some(script)) => {
                    history::note_run(script, record.direction).execute(&transaction).await?;
                    incomplete::forget(&transaction, version).await?;
                }
                (RepairAction::Restart, _, _) => incomplete::forget(&transaction, version).await?,
                (RepairAction::Resume | RepairAction::Finished | RepairAction::Undo, _, _) => {}
            }
            transaction.commit().await
        };
        noted.await.map_err(|source| Error::Query { action: "note what is repaired", source })?;
        if action != RepairAction::Undo {
            return Ok(());
        }
        let Some(undo) = script.and_then(Step::undo) else {
            return Err(Error::NoUndoScript { missing: vec![record.name] });
        };
        let undo = match record.direction {
            // The note about applying it goes away with what it was about.
            Direction::Apply => Step { record: Some(record), ..undo },
            Direction::Undo => match incomplete::read(&connection.client).await? {
                Some(repaired) => undo.resume(&repaired)?,
                None => undo,
            },
        };
        self.run_plan(connection, Plan::from_steps(vec![undo], applied)?).await.map(drop)
    }
}

async fn examine<'a>(
    client: &Client,
    migrations: &'a Migrations,
    recorded: Recorded,
    action: RepairAction,
) -> Result<Option<Findings<'a>>, Error> {
    let Some(record) = recorded.incomplete else { return Ok(None) };
    let script = migrations.find(record.name.version).filter(|script| script.name == record.name);
    let step = script.and_then(|script| match record.direction {
        Direction::Apply => Some(Step::apply(script)),
        Direction::Undo => Step::undo(script),
    });
    let applied: Vec<MigrationName> = recorded.applied.into_iter().map(|row| row.name).collect();
    let mut findings = Findings {
        done: record.done,
        record,
        step,
        script,
        applied,
        invalid_indexes: Vec::new(),
        warnings: Vec::new(),
    };
    if let Some(begun) = findings.record.begun.clone() {
        findings.judge(client, &begun, action).await?;
    }
    findings.refuse(action)?;
    Ok(Some(findings))
}

impl Findings<'_> {
    /// Finds out what became of the statement that was begun last.
    async fn judge(
        &mut self,
        client: &Client,
        begun: &Begun,
        action: RepairAction,
    ) -> Result<(), Error> {
        let refused = |source| Error::Query { action: "look for what is left", source };
        if !begun.outside_transaction {
            // It was in a transaction, which was rolled back.
            return Ok(());
        }
        if let Some(target) = &begun.target {
            self.invalid_indexes = invalid_index::invalid_indexes(client, &begun.text, target)
                .await
                .map_err(refused)?;
            // Resuming drops it. The undo script would find it in its way, or even be
            // content with it.
            let goes_on = match action {
                RepairAction::Resume | RepairAction::Restart => true,
                RepairAction::Undo => self.record.direction == Direction::Undo,
                RepairAction::Finished => false,
            };
            if !goes_on {
                let half = invalid_index::half_dropped(client, &begun.text, target);
                self.invalid_indexes.extend(half.await.map_err(refused)?);
            }
        }
        let number = self.record.done + 1;
        let stopped = self.record.progress == IncompleteState::Running;
        let verdict = invalid_index::verdict(client, &begun.text, begun.target.as_ref());
        match verdict.await.map_err(refused)? {
            // An answer was seen where it failed: then what is there was there before.
            Verdict::Done if stopped => self.done = number,
            Verdict::Done | Verdict::ToDo => {}
            Verdict::Unknown => match sql::concurrent(&begun.text) {
                Some(Concurrent::Detach) => self.warnings.push(format!(
                    "statement {number} may have begun to detach the partition: `\\d` shows it as `DETACH PENDING`, and then the statement has to be the one with `finalize`"
                )),
                None if stopped => self.warnings.push(format!(
                    "statement {number} was running when the migrator stopped: it runs again from its beginning"
                )),
                None if sql::may_commit(&begun.text) => self.warnings.push(format!(
                    "statement {number} may have committed a part of its work before it failed: it runs again from its beginning"
                )),
                Some(_) | None => {}
            },
        }
        Ok(())
    }

    /// Fails if the requested action is not possible.
    fn refuse(&self, action: RepairAction) -> Result<(), Error> {
        let Incomplete { name, direction, .. } = &self.record;
        let no_script = || IncompleteError::NoScript { name: name.clone(), direction: *direction };
        match action {
            RepairAction::Restart => return Ok(()),
            RepairAction::Finished => {
                self.script.ok_or_else(no_script)?;
                return Ok(());
            }
            RepairAction::Undo => {
                let script = self.script.ok_or_else(no_script)?;
                undo_all(&[script])?;
                if *direction == Direction::Apply {
                    return Ok(());
                }
                if self.is_applied() {
                    return Err(IncompleteError::BeingUndone { name: name.clone() }.into());
                }
            }
            RepairAction::Resume => {}
        }
        let step = self.step.as_ref().ok_or_else(no_script)?;
        let (script, file) = (step.script, step.file);
        Step { script, file, direction: *direction, record: None }.resume(&self.record)?;
        let last = self.done.checked_sub(1).filter(|_| self.done > self.record.done);
        let statements = sql::statements(&file.sql);
        let now = last.map(|last| statements.get(last).map(|statement| statement.text(&file.sql)));
        let then = self.record.begun.as_ref().map(|begun| begun.text.as_str());
        if now.is_some_and(|now| now != then) {
            let file = file.name.clone();
            return Err(IncompleteError::Edited { file, done: self.done }.into());
        }
        Ok(())
    }

    fn is_applied(&self) -> bool {
        self.applied.iter().any(|name| name.version == self.record.name.version)
    }

    fn report(&self, action: RepairAction) -> Repair {
        let statements = self
            .step
            .as_ref()
            .map_or(self.record.statements, |step| sql::statements(&step.file.sql).len());
        let names: Vec<String> =
            self.invalid_indexes.iter().map(|index| index.name.clone()).collect();
        let mut warnings = match action {
            // These are about going on.
            RepairAction::Resume => self.warnings.clone(),
            RepairAction::Restart | RepairAction::Finished | RepairAction::Undo => Vec::new(),
        };
        let dropped = match action {
            RepairAction::Finished => {
                let stays = |name: &String| format!("the index {name} is invalid, and stays so");
                warnings.extend(names.iter().map(stays));
                Vec::new()
            }
            RepairAction::Resume | RepairAction::Restart | RepairAction::Undo => names,
        };
        Repair {
            name: self.record.name.clone(),
            direction: self.record.direction,
            action,
            applied: self.is_applied(),
            statements,
            done: self.done,
            dropped,
            warnings,
        }
    }
}
