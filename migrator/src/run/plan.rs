//! Which scripts to run, in which order: a plan is computed from the history and a target. `up` and
//! `down` run it, `--dry-run` shows it, `sql` prints it.

use std::time::Duration;

use crate::error::{Divergence, Error, IncompleteError};
use crate::history::{self, Recorded, State};
use crate::migrations::{Migrations, Script};
use crate::model::{Direction, MigrationName, Outcome, Position, Progress, TransactionMode};
use crate::run::options::RunOptions;
use crate::run::step::Step;
use crate::run::timeouts::{Limit, Limits};
use crate::sql::{self, Statement};

/// To where a database is migrated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// Apply what is pending, up to and including this version, or all of it.
    Up(Option<i64>),
    /// Undo what is applied.
    Down(UndoTarget),
}

/// Target of undoing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UndoTarget {
    /// The newest so many, or all where there are fewer.
    Steps(u32),
    /// Everything after this version, which stays; 0 is everything.
    Version(i64),
    /// This version and everything after it, as far as it is applied.
    From(i64),
}

/// A script that [`Migrator::run`](crate::Migrator::run) would run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedMigration {
    /// Which.
    pub name: MigrationName,
    /// Its checksum in the history: refinery's, of version, name and content.
    pub checksum: u64,
    /// Transaction mode of the script.
    pub mode: TransactionMode,
    /// For how long its statements wait for a lock: zero is without end, none that the script sets a
    /// limit of its own.
    pub lock_timeout: Option<Duration>,
    /// Number of statements with `concurrently`. They wait for locks without a limit, because they block no
    /// other session.
    pub concurrent_statements: usize,
    /// For how long its statements may take: zero is without end, none that the script sets a limit
    /// of its own.
    pub statement_timeout: Option<Duration>,
    /// Number, from 1, of the first statement to run of a resumed script without a transaction.
    pub resumes_at: Option<usize>,
}

/// The scripts to run, in order, all of which can be run.
pub(crate) struct Plan<'a> {
    pub(crate) steps: Vec<Step<'a>>,
    /// The migrations that are applied before, oldest first.
    pub(crate) applied: Vec<MigrationName>,
}

impl<'a> Plan<'a> {
    /// The plan for a database with this history; refuses where the history does not allow it.
    pub(crate) fn new(
        migrations: &'a Migrations,
        recorded: Recorded,
        target: Target,
    ) -> Result<Self, Error> {
        let steps: Vec<Step<'a>> = match target {
            Target::Up(to) => to_apply(migrations, &recorded, to)?.map(Step::apply).collect(),
            Target::Down(target) => undo_all(&to_undo(migrations, &recorded, target)?)?,
        };
        let resumed = |step: Step<'a>| match &recorded.incomplete {
            Some(record) if record.name.version == step.script.name.version => step.resume(record),
            Some(_) | None => Ok(step),
        };
        let steps = steps.into_iter().map(resumed).collect::<Result<_, _>>()?;
        Self::from_steps(steps, recorded.applied.into_iter().map(|row| row.name).collect())
    }

    /// Refuses scripts which cannot be run as they should be, before any of them runs.
    pub(crate) fn from_steps(
        steps: Vec<Step<'a>>,
        applied: Vec<MigrationName>,
    ) -> Result<Self, Error> {
        for step in &steps {
            let script = &step.file.sql;
            let unsupported = |statement: &Statement| step.unsupported(statement);
            let Some((start, cause)) = sql::statements(script).iter().find_map(unsupported) else {
                continue;
            };
            let position = Position::of_byte(script, start);
            let names = steps.iter().map(|step| step.script.name.clone());
            let progress = Progress {
                done: Vec::new(),
                current: applied.last().cloned(),
                outcome: Outcome::NotStarted,
                not_started: names.filter(|name| *name != step.script.name).collect(),
            };
            return Err(step.failed(cause, Some(position), Vec::new(), progress));
        }
        Ok(Self { steps, applied })
    }

    /// The plan as `--dry-run` shows it. `server` is the server's own limit for statements.
    pub(crate) fn describe(&self, options: &RunOptions, server: Duration) -> Vec<PlannedMigration> {
        let describe = |step: &Step<'_>| {
            let limits = Limits::of(step.file, options);
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
        };
        self.steps.iter().map(describe).collect()
    }
}

/// Steps to apply, oldest first.
fn to_apply<'a>(
    migrations: &'a Migrations,
    recorded: &Recorded,
    to: Option<i64>,
) -> Result<impl Iterator<Item = &'a Script>, Error> {
    let pending = history::pending(migrations, recorded)?;
    Ok(migrations.scripts().iter().filter(move |script| {
        pending.contains(&script.name) && to.is_none_or(|to| script.name.version <= to)
    }))
}

/// Steps to undo, newest first. Only these must match their files: a divergence of others is often the
/// reason to undo.
fn to_undo<'a>(
    migrations: &'a Migrations,
    recorded: &Recorded,
    target: UndoTarget,
) -> Result<Vec<&'a Script>, Error> {
    recorded.refuse_unrepaired()?;
    // Of one that was given up before it was applied, undoing is not for `down` to finish.
    let is_applied = |version| recorded.applied.iter().any(|row| row.name.version == version);
    if let Some(record) = &recorded.incomplete
        && (record.direction == Direction::Apply || !is_applied(record.name.version))
    {
        return Err(IncompleteError::Unfinished(Box::new(record.clone())).into());
    }
    let applied = &recorded.applied;
    let kept = match target {
        UndoTarget::Steps(steps) => {
            applied.len().saturating_sub(usize::try_from(steps).unwrap_or(usize::MAX))
        }
        UndoTarget::Version(0) => 0,
        UndoTarget::Version(version) => {
            match applied.iter().position(|row| row.name.version == version) {
                Some(kept) => kept + 1,
                None => return Err(Error::TargetNotApplied { version }),
            }
        }
        UndoTarget::From(version) => applied.partition_point(|row| row.name.version < version),
    };
    let undone = &applied[kept..];
    let problems: Vec<Divergence> = history::compare_rows(migrations, undone)
        .into_iter()
        .filter(|entry| entry.applied_on.is_some() && entry.state != State::Applied)
        .filter_map(|entry| entry.problem)
        .collect();
    if !problems.is_empty() {
        return Err(Error::Diverged { problems });
    }
    Ok(undone.iter().rev().filter_map(|row| migrations.find(row.name.version)).collect())
}

/// The steps that undo migrations, in the order of the list; refuses unless each has its script.
pub(crate) fn undo_all<'a>(scripts: &[&'a Script]) -> Result<Vec<Step<'a>>, Error> {
    let without = scripts.iter().filter(|script| script.undo.is_none());
    let missing: Vec<MigrationName> = without.map(|script| script.name.clone()).collect();
    if !missing.is_empty() {
        return Err(Error::NoUndoScript { missing });
    }
    Ok(scripts.iter().filter_map(|script| Step::undo(script)).collect())
}
