//! Runs scripts one after the other, and reports their progress.

mod diagnostics;
pub(crate) mod invalid_index;
pub(crate) mod migrator;
mod non_transactional;
pub(crate) mod options;
pub(crate) mod plan;
mod retry;
mod server_progress;
pub(crate) mod shared_catalogs;
mod statement_run;
pub(crate) mod step;
pub(crate) mod timeouts;
mod transactional;

use std::pin::pin;
use std::time::Instant;

use futures::future::OptionFuture;
use tokio::sync::mpsc;
use tokio_postgres::Client;

use crate::connect::Connection;
use crate::error::Error;
use crate::history;
use crate::model::{Direction, Event, MigrationName, Outcome, Progress, TransactionMode};
use crate::run::migrator::Migrator;
use crate::run::plan::Plan;
use crate::run::step::{Run, Step};
use crate::sql;

impl Migrator<'_> {
    /// Runs one step after the other; the first that fails is the last. Call it with the lock held
    /// since the history was read. Returns what was done.
    pub(crate) async fn run_plan(
        &mut self,
        connection: &mut Connection,
        plan: Plan<'_>,
    ) -> Result<Vec<MigrationName>, Error> {
        let Plan { steps, mut applied } = plan;
        let Some(first) = steps.first() else { return Ok(Vec::new()) };
        let names = |steps: &[Step<'_>]| -> Vec<MigrationName> {
            steps.iter().map(|step| step.script.name.clone()).collect()
        };
        (self.on_event)(Event::Planned { direction: first.direction, names: names(&steps) });
        if steps.iter().any(|step| step.direction == Direction::Apply) {
            history::create_table(&mut connection.client).await?;
        }
        let watched = connection.lock_process.filter(|_| self.options.watch);
        let mut done: Vec<MigrationName> = Vec::new();
        for (index, step) in steps.iter().enumerate() {
            let name = step.script.name.clone();
            (self.on_event)(beginning(step));
            let before = Progress {
                done: done.clone(),
                current: applied.last().cloned(),
                outcome: Outcome::RolledBack,
                not_started: names(&steps[index + 1..]),
            };
            let start = Instant::now();
            let retries = self.run_watched(connection, step, before, watched).await?;
            let elapsed = start.elapsed();
            match step.direction {
                Direction::Apply => {
                    applied.push(name.clone());
                    (self.on_event)(Event::Applied { name: name.clone(), elapsed, retries });
                }
                Direction::Undo => {
                    applied.retain(|applied| *applied != name);
                    (self.on_event)(Event::Undone { name: name.clone(), elapsed, retries });
                }
            }
            done.push(name);
        }
        Ok(done)
    }

    /// Runs one step, and passes on what happens meanwhile, in order and at once. `watched` is the
    /// server process, where its progress is to be reported.
    async fn run_watched(
        &mut self,
        connection: &mut Connection,
        step: &Step<'_>,
        before: Progress,
        watched: Option<i32>,
    ) -> Result<u32, Error> {
        let (sender, mut events) = mpsc::unbounded_channel();
        let run = Run {
            options: &self.options,
            confinement: &self.confinement,
            events: sender,
            before,
            lock_process: connection.lock_process,
        };
        let notices = &mut connection.notices;
        let result = {
            let mut work = pin!(run_step(step, &mut connection.client, &run));
            let watch = watched.map(|pid| server_progress::follow(&self.database, pid, &run));
            let mut watch = pin!(OptionFuture::from(watch));
            loop {
                tokio::select! {
                    biased;
                    Some(event) = events.recv() => (self.on_event)(event),
                    Some(notice) = notices.recv() => (self.on_event)(Event::Notice(notice)),
                    result = &mut work => break result,
                    Some(()) = &mut watch => {}
                }
            }
        };
        while let Ok(event) = events.try_recv() {
            (self.on_event)(event);
        }
        connection.notices().into_iter().for_each(|notice| (self.on_event)(Event::Notice(notice)));
        result
    }
}

fn beginning(step: &Step<'_>) -> Event {
    let name = step.script.name.clone();
    let resumed = step.record.as_ref().filter(|record| record.direction == step.direction);
    match (resumed, step.direction) {
        (Some(record), direction) => {
            let statements = sql::statements(&step.file.sql).len();
            let statement = (record.done + 1).min(statements);
            Event::Resuming { name, direction, statement, statements }
        }
        (None, Direction::Apply) => Event::Applying(name),
        (None, Direction::Undo) => Event::Undoing(name),
    }
}

/// Runs the script and notes it in the history. Returns how often something was tried again.
async fn run_step(step: &Step<'_>, client: &mut Client, run: &Run<'_>) -> Result<u32, Error> {
    match step.file.mode {
        TransactionMode::One => transactional::run(step, client, run).await,
        TransactionMode::None => non_transactional::run(step, client, run).await,
    }
}
