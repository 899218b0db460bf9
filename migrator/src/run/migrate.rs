//! `up`, `down`, `status` and `current`: which scripts to run, in which order.

use std::time::Duration;

use neon_url::DatabaseUrl;

use crate::connect::{ConnectOptions, Connection, session};
use crate::error::{Divergence, Error, IncompleteError};
use crate::history::{self, AppliedMigration, Entry, Recorded, State};
use crate::migrations::{Migrations, Script};
use crate::model::{Direction, Event, MigrationName, TransactionMode};
use crate::run::options::RunOptions;
use crate::run::run_all;
use crate::run::step::{self, Step, refuse_unsupported};
use crate::run::timeouts::{self, Limit, Limits};
use crate::sql;

/// A script that [`up`] or [`down`] would run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedMigration {
    /// Which.
    pub name: MigrationName,
    /// What the history has or will have for it: refinery's checksum of version, name and content.
    pub checksum: u64,
    /// How the script runs.
    pub mode: TransactionMode,
    /// For how long its statements wait for a lock: zero is without end, none that the script sets a
    /// limit of its own.
    pub lock_timeout: Option<Duration>,
    /// How many of its statements wait for locks without end, because they block nobody while they
    /// wait: those with `concurrently`.
    pub concurrent_statements: usize,
    /// For how long its statements may take: zero is without end, none that the script sets a limit
    /// of its own.
    pub statement_timeout: Option<Duration>,
    /// The first statement to run, from 1, where a script without a transaction goes on.
    pub resumes_at: Option<usize>,
}

/// How far to undo.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UndoTarget {
    /// The newest so many, or all where there are fewer.
    Steps(u32),
    /// Everything after this version, which stays; 0 is everything.
    Version(i32),
}

/// The migrations that [`up`] would apply. Reads only.
pub async fn pending(
    url: &DatabaseUrl,
    options: &ConnectOptions,
    migrations: &Migrations,
) -> Result<Vec<MigrationName>, Error> {
    let recorded = read_history(url, options, &mut |_| {}).await?;
    history::pending(migrations, &recorded)
}

/// Every migration and its state. Reads only; a database without a history has everything pending.
pub async fn status(
    url: &DatabaseUrl,
    options: &ConnectOptions,
    migrations: &Migrations,
    on_event: &mut (dyn FnMut(Event) + Send),
) -> Result<Vec<Entry>, Error> {
    Ok(history::compare(migrations, &read_history(url, options, on_event).await?))
}

/// The newest applied migration. Reads only.
pub async fn current(
    url: &DatabaseUrl,
    options: &ConnectOptions,
    on_event: &mut (dyn FnMut(Event) + Send),
) -> Result<Option<AppliedMigration>, Error> {
    Ok(read_history(url, options, on_event).await?.applied.pop())
}

async fn read_history(
    url: &DatabaseUrl,
    options: &ConnectOptions,
    on_event: &mut (dyn FnMut(Event) + Send),
) -> Result<Recorded, Error> {
    let mut connection = session::open(url, options, on_event).await?;
    let recorded = history::read(&mut connection.client).await;
    connection.close().await;
    recorded
}

/// Applies what is pending, up to and including version `to`. Returns what was applied.
pub async fn up(
    url: &DatabaseUrl,
    options: &ConnectOptions,
    migrations: &Migrations,
    to: Option<i32>,
    on_event: &mut (dyn FnMut(Event) + Send),
) -> Result<Vec<MigrationName>, Error> {
    up_with(url, options, &RunOptions::default(), migrations, to, on_event).await
}

/// [`up`], with other options than the usual ones.
pub async fn up_with(
    url: &DatabaseUrl,
    options: &ConnectOptions,
    run: &RunOptions,
    migrations: &Migrations,
    to: Option<i32>,
    on_event: &mut (dyn FnMut(Event) + Send),
) -> Result<Vec<MigrationName>, Error> {
    migrations.require(to)?;
    let mut connection = session::open_locked(url, options, run.wait, on_event).await?;
    let result = async {
        let recorded = history::read(&mut connection.client).await?;
        let steps = steps_up(migrations, &recorded, to)?;
        let applied = recorded.applied.into_iter().map(|row| row.name).collect();
        run_all(&mut connection, (url, options), run, &steps, applied, on_event).await
    }
    .await;
    session::close_locked(connection).await;
    result
}

/// What [`up_with`] would apply, oldest first; refuses what it would refuse. Reads only, and needs
/// no lock: another migrator may be faster.
pub async fn plan_up(
    url: &DatabaseUrl,
    options: &ConnectOptions,
    run: &RunOptions,
    migrations: &Migrations,
    to: Option<i32>,
    on_event: &mut (dyn FnMut(Event) + Send),
) -> Result<Vec<PlannedMigration>, Error> {
    migrations.require(to)?;
    let mut connection = session::open(url, options, on_event).await?;
    let result = async {
        let recorded = history::read(&mut connection.client).await?;
        let steps = steps_up(migrations, &recorded, to)?;
        plan(&connection, run, &steps, &recorded).await
    }
    .await;
    connection.close().await;
    result
}

async fn plan(
    connection: &Connection,
    run: &RunOptions,
    steps: &[Step<'_>],
    recorded: &Recorded,
) -> Result<Vec<PlannedMigration>, Error> {
    refuse_unsupported(steps, recorded.applied.last().map(|row| &row.name))?;
    let server = timeouts::statement_timeout(&connection.client)
        .await
        .map_err(|source| Error::Query { action: "tell its time limits", source })?;
    let planned = steps.iter().map(|step| {
        let limits = Limits::of(step.file, run);
        let script = &step.file.sql;
        let concurrent = sql::statements(script)
            .iter()
            .filter(|statement| sql::concurrent(statement.text(script)).is_some())
            .count();
        PlannedMigration {
            name: step.script.name.clone(),
            checksum: step.script.checksum,
            mode: step.file.mode,
            lock_timeout: limits.lock_timeout.shown(Duration::ZERO),
            // A limit that the script sets is its own business.
            concurrent_statements: match limits.lock_timeout {
                Limit::Script => 0,
                Limit::Of(_) | Limit::Server => concurrent,
            },
            statement_timeout: limits.statement_timeout.shown(server),
            resumes_at: step.record.as_ref().map(|record| record.done + 1),
        }
    });
    Ok(planned.collect())
}

/// What to apply, oldest first.
fn steps_up<'a>(
    migrations: &'a Migrations,
    recorded: &Recorded,
    to: Option<i32>,
) -> Result<Vec<Step<'a>>, Error> {
    let pending = history::pending(migrations, recorded)?;
    let scripts = migrations.scripts().iter().filter(|script| {
        pending.contains(&script.name) && to.is_none_or(|to| script.name.version <= to)
    });
    scripts.map(|script| resumed(Step::apply(script), recorded)).collect()
}

/// The step, going on with what an earlier run has left of it.
fn resumed<'a>(step: Step<'a>, recorded: &Recorded) -> Result<Step<'a>, Error> {
    match &recorded.incomplete {
        Some(record) if record.name.version == step.script.name.version => Ok(step.resume(record)?),
        Some(_) | None => Ok(step),
    }
}

/// What [`down`] would undo, newest first; refuses what it would refuse. Reads only.
pub async fn plan_down(
    url: &DatabaseUrl,
    options: &ConnectOptions,
    run: &RunOptions,
    migrations: &Migrations,
    target: UndoTarget,
    on_event: &mut (dyn FnMut(Event) + Send),
) -> Result<Vec<PlannedMigration>, Error> {
    let mut connection = session::open(url, options, on_event).await?;
    let result = async {
        let recorded = history::read(&mut connection.client).await?;
        let steps = steps_down(migrations, &recorded, target)?;
        plan(&connection, run, &steps, &recorded).await
    }
    .await;
    connection.close().await;
    result
}

/// Undoes migrations, newest first. Returns what was undone.
pub async fn down(
    url: &DatabaseUrl,
    options: &ConnectOptions,
    run: &RunOptions,
    migrations: &Migrations,
    target: UndoTarget,
    on_event: &mut (dyn FnMut(Event) + Send),
) -> Result<Vec<MigrationName>, Error> {
    let mut connection = session::open_locked(url, options, run.wait, on_event).await?;
    let result = async {
        let recorded = history::read(&mut connection.client).await?;
        let steps = steps_down(migrations, &recorded, target)?;
        let applied = recorded.applied.into_iter().map(|row| row.name).collect();
        run_all(&mut connection, (url, options), run, &steps, applied, on_event).await
    }
    .await;
    session::close_locked(connection).await;
    result
}

/// What to undo, newest first. Only these must agree with their files: a divergence elsewhere is
/// often what undoing is for.
fn steps_down<'a>(
    migrations: &'a Migrations,
    recorded: &Recorded,
    target: UndoTarget,
) -> Result<Vec<Step<'a>>, Error> {
    recorded.refuse_unrepaired()?;
    // Of one that was given up before it was applied, undoing is not for `down` to finish.
    let is_applied = |version| recorded.applied.iter().any(|row| row.name.version == version);
    if let Some(record) = &recorded.incomplete
        && (record.direction == Direction::Apply || !is_applied(record.name.version))
    {
        return Err(IncompleteError::Unfinished(Box::new(record.clone())).into());
    }
    let applied = &recorded.applied;
    let count = match target {
        UndoTarget::Steps(steps) => usize::try_from(steps).unwrap_or(usize::MAX).min(applied.len()),
        UndoTarget::Version(0) => applied.len(),
        UndoTarget::Version(version) => {
            match applied.iter().position(|row| row.name.version == version) {
                Some(kept) => applied.len() - kept - 1,
                None => return Err(Error::TargetNotApplied { version }),
            }
        }
    };
    let undone = &applied[applied.len() - count..];
    let problems: Vec<Divergence> = history::compare_rows(migrations, undone)
        .into_iter()
        .filter(|entry| entry.applied_on.is_some() && entry.state != State::Applied)
        .filter_map(|entry| entry.problem)
        .collect();
    if !problems.is_empty() {
        return Err(Error::Diverged { problems });
    }
    let scripts: Vec<&Script> =
        undone.iter().rev().filter_map(|row| migrations.find(row.name.version)).collect();
    step::undo_all(&scripts)?.into_iter().map(|step| resumed(step, recorded)).collect()
}
