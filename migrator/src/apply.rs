//! Running scripts: which ones, in which order, each in a transaction of its own together with its
//! row in the history.

use std::time::{Duration, Instant};

use neon_url::DatabaseUrl;

use crate::connect::Connection;
use crate::history::{self, Entry, State};
use crate::migrations::Script;
use crate::step::{self, Step, refuse_objectionable};
use crate::{
    AppliedMigration, ConnectOptions, Direction, Divergence, Error, Event, MigrationName,
    Migrations, Outcome, Progress, session,
};

/// For how long [`up`] and [`down`] wait for another migrator.
pub const DEFAULT_LOCK_WAIT: Duration = Duration::from_mins(1);

/// A migration that [`up`] would apply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedMigration {
    /// Which.
    pub name: MigrationName,
    /// What the history will have for it: refinery's checksum of version, name and content.
    pub checksum: u64,
    /// For how long its statements wait for a lock: [`crate::LOCK_LIMIT`], or none where the script
    /// sets a limit of its own.
    pub lock_limit: Option<Duration>,
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
    history::pending(&status(url, options, migrations, &mut |_| {}).await?)
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
    Ok(read_history(url, options, on_event).await?.pop())
}

async fn read_history(
    url: &DatabaseUrl,
    options: &ConnectOptions,
    on_event: &mut (dyn FnMut(Event) + Send),
) -> Result<Vec<AppliedMigration>, Error> {
    let mut connection = session::open(url, options, on_event).await?;
    let applied = history::read(&mut connection.client).await;
    connection.close().await;
    applied
}

/// Applies what is pending, up to and including version `to`. Returns what was applied.
pub async fn up(
    url: &DatabaseUrl,
    options: &ConnectOptions,
    migrations: &Migrations,
    to: Option<i32>,
    on_event: &mut (dyn FnMut(Event) + Send),
) -> Result<Vec<MigrationName>, Error> {
    up_waiting(url, options, DEFAULT_LOCK_WAIT, migrations, to, on_event).await
}

/// [`up`], with another patience for the lock.
pub async fn up_waiting(
    url: &DatabaseUrl,
    options: &ConnectOptions,
    lock_wait: Duration,
    migrations: &Migrations,
    to: Option<i32>,
    on_event: &mut (dyn FnMut(Event) + Send),
) -> Result<Vec<MigrationName>, Error> {
    find_target(migrations, to)?;
    let mut connection = session::open_locked(url, options, lock_wait, on_event).await?;
    let result = apply_pending(&mut connection, migrations, to, on_event).await;
    connection.close().await;
    result
}

async fn apply_pending(
    connection: &mut Connection,
    migrations: &Migrations,
    to: Option<i32>,
    on_event: &mut (dyn FnMut(Event) + Send),
) -> Result<Vec<MigrationName>, Error> {
    let applied = history::read(&mut connection.client).await?;
    let steps = steps_up(migrations, &applied, to)?;
    if steps.is_empty() {
        return Ok(Vec::new());
    }
    let applied = applied.into_iter().map(|row| row.name).collect();
    run_all(connection, &steps, applied, on_event).await
}

/// What [`up`] would apply, oldest first; refuses what it would refuse. Reads only, and needs no
/// lock: another migrator may be faster.
pub async fn plan_up(
    url: &DatabaseUrl,
    options: &ConnectOptions,
    migrations: &Migrations,
    to: Option<i32>,
    on_event: &mut (dyn FnMut(Event) + Send),
) -> Result<Vec<PlannedMigration>, Error> {
    find_target(migrations, to)?;
    let applied = read_history(url, options, on_event).await?;
    let steps = steps_up(migrations, &applied, to)?;
    refuse_objectionable(&steps, applied.last().map(|row| &row.name))?;
    let planned = steps.iter().map(|step| PlannedMigration {
        name: step.script.name.clone(),
        checksum: step.script.checksum,
        lock_limit: step.lock_limit(),
    });
    Ok(planned.collect())
}

/// Refuses a version that is none of the migrations.
pub(crate) fn find_target(migrations: &Migrations, target: Option<i32>) -> Result<(), Error> {
    match target {
        Some(version) if migrations.find(version).is_none() => {
            Err(Error::UnknownTarget { version })
        }
        Some(_) | None => Ok(()),
    }
}

/// What to apply, oldest first.
fn steps_up<'a>(
    migrations: &'a Migrations,
    applied: &[AppliedMigration],
    to: Option<i32>,
) -> Result<Vec<Step<'a>>, Error> {
    let pending = history::pending(&history::compare(migrations, applied))?;
    let scripts = migrations.scripts().iter().filter(|script| {
        pending.contains(&script.name) && to.is_none_or(|to| script.name.version <= to)
    });
    Ok(scripts.map(Step::apply).collect())
}

/// The migrations that [`down`] would undo, newest first. Reads only.
pub async fn plan_down(
    url: &DatabaseUrl,
    options: &ConnectOptions,
    migrations: &Migrations,
    target: UndoTarget,
    on_event: &mut (dyn FnMut(Event) + Send),
) -> Result<Vec<MigrationName>, Error> {
    let applied = read_history(url, options, on_event).await?;
    let steps = steps_down(migrations, &applied, target)?;
    Ok(steps.iter().map(|step| step.script.name.clone()).collect())
}

/// Undoes migrations, newest first. Returns what was undone.
pub async fn down(
    url: &DatabaseUrl,
    options: &ConnectOptions,
    lock_wait: Duration,
    migrations: &Migrations,
    target: UndoTarget,
    on_event: &mut (dyn FnMut(Event) + Send),
) -> Result<Vec<MigrationName>, Error> {
    let mut connection = session::open_locked(url, options, lock_wait, on_event).await?;
    let result = undo(&mut connection, migrations, target, on_event).await;
    connection.close().await;
    result
}

async fn undo(
    connection: &mut Connection,
    migrations: &Migrations,
    target: UndoTarget,
    on_event: &mut (dyn FnMut(Event) + Send),
) -> Result<Vec<MigrationName>, Error> {
    let applied = history::read(&mut connection.client).await?;
    let steps = steps_down(migrations, &applied, target)?;
    let applied = applied.into_iter().map(|row| row.name).collect();
    run_all(connection, &steps, applied, on_event).await
}

/// Runs one step after the other, each in a transaction of its own; the first that fails is the
/// last. `applied` is what the history says before. Returns what was done.
async fn run_all(
    connection: &mut Connection,
    steps: &[Step<'_>],
    mut applied: Vec<MigrationName>,
    on_event: &mut (dyn FnMut(Event) + Send),
) -> Result<Vec<MigrationName>, Error> {
    refuse_objectionable(steps, applied.last())?;
    if steps.iter().any(|step| step.direction == Direction::Apply) {
        history::create_table(&mut connection.client).await?;
    }
    let mut done: Vec<MigrationName> = Vec::new();
    for (index, step) in steps.iter().enumerate() {
        let name = step.script.name.clone();
        on_event(match step.direction {
            Direction::Apply => Event::Applying(name.clone()),
            Direction::Undo => Event::Undoing(name.clone()),
        });
        let start = Instant::now();
        let progress = || Progress {
            done: done.clone(),
            current: applied.last().cloned(),
            outcome: Outcome::RolledBack,
            not_started: steps[index + 1..].iter().map(|step| step.script.name.clone()).collect(),
        };
        let result = step.run(&mut connection.client, &progress).await;
        connection.notices().into_iter().for_each(|notice| on_event(Event::Notice(notice)));
        result?;
        let elapsed = start.elapsed();
        match step.direction {
            Direction::Apply => {
                applied.push(name.clone());
                on_event(Event::Applied { name: name.clone(), elapsed });
            }
            Direction::Undo => {
                applied.pop();
                on_event(Event::Undone { name: name.clone(), elapsed });
            }
        }
        done.push(name);
    }
    Ok(done)
}

/// What to undo, newest first. Only these must agree with their files: a divergence elsewhere is
/// often what undoing is for.
fn steps_down<'a>(
    migrations: &'a Migrations,
    applied: &[AppliedMigration],
    target: UndoTarget,
) -> Result<Vec<Step<'a>>, Error> {
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
    let entries = history::compare(migrations, undone);
    let problems: Vec<Divergence> = entries
        .iter()
        .filter(|entry| entry.applied_on.is_some() && entry.state != State::Applied)
        .filter_map(|entry| entry.problem.clone())
        .collect();
    if !problems.is_empty() {
        return Err(Error::Diverged { problems });
    }
    let scripts: Vec<&Script> =
        undone.iter().rev().filter_map(|row| migrations.find(row.name.version)).collect();
    step::undo_all(&scripts)
}
