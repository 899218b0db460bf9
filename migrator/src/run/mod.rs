//! Runs scripts one after the other, and reports their progress.

mod diagnostics;
pub(crate) mod invalid_index;
pub(crate) mod migrate;
mod non_transactional;
pub(crate) mod options;
pub(crate) mod retry;
pub(crate) mod server_progress;
pub(crate) mod step;
pub(crate) mod timeouts;
mod transactional;

use std::pin::pin;
use std::time::Instant;

use neon_url::DatabaseUrl;
use tokio::sync::mpsc;
use tokio::time::{self, MissedTickBehavior};
use tokio_postgres::Client;

use crate::connect::{ConnectOptions, Connection};
use crate::error::Error;
use crate::history;
use crate::model::{Direction, Event, MigrationName, Outcome, Progress, TransactionMode};
use crate::run::options::RunOptions;
use crate::run::server_progress::{PERIOD, Watch};
use crate::run::step::{Run, Step, refuse_unsupported};
use crate::sql;

/// Runs one step after the other; the first that fails is the last. `way` is how the connection was
/// made, `applied` what the history says before. Returns what was done.
pub(crate) async fn run_all(
    connection: &mut Connection,
    way: (&DatabaseUrl, &ConnectOptions),
    options: &RunOptions,
    steps: &[Step<'_>],
    mut applied: Vec<MigrationName>,
    on_event: &mut (dyn FnMut(Event) + Send),
) -> Result<Vec<MigrationName>, Error> {
    refuse_unsupported(steps, applied.last())?;
    let Some(first) = steps.first() else { return Ok(Vec::new()) };
    let names = |steps: &[Step<'_>]| -> Vec<MigrationName> {
        steps.iter().map(|step| step.script.name.clone()).collect()
    };
    on_event(Event::Planned { direction: first.direction, names: names(steps) });
    if steps.iter().any(|step| step.direction == Direction::Apply) {
        history::create_table(&mut connection.client).await?;
    }
    let mut watch = None;
    if options.watch {
        watch = Some(Watch::over(connection, way.0, way.1).await?);
    }
    let mut done: Vec<MigrationName> = Vec::new();
    for (index, step) in steps.iter().enumerate() {
        let name = step.script.name.clone();
        on_event(beginning(step));
        let before = Progress {
            done: done.clone(),
            current: applied.last().cloned(),
            outcome: Outcome::RolledBack,
            not_started: names(&steps[index + 1..]),
        };
        let start = Instant::now();
        let retries =
            run_watched(connection, step, options, before, watch.as_mut(), on_event).await?;
        let elapsed = start.elapsed();
        match step.direction {
            Direction::Apply => {
                applied.push(name.clone());
                on_event(Event::Applied { name: name.clone(), elapsed, retries });
            }
            Direction::Undo => {
                applied.retain(|applied| *applied != name);
                on_event(Event::Undone { name: name.clone(), elapsed, retries });
            }
        }
        done.push(name);
    }
    Ok(done)
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

/// Runs one step, and passes on what happens meanwhile, in order and at once.
async fn run_watched(
    connection: &mut Connection,
    step: &Step<'_>,
    options: &RunOptions,
    before: Progress,
    mut watch: Option<&mut Watch>,
    on_event: &mut (dyn FnMut(Event) + Send),
) -> Result<u32, Error> {
    let (sender, mut events) = mpsc::unbounded_channel();
    let run = Run { options, events: sender, before };
    let mut ticks = time::interval_at(time::Instant::now() + PERIOD, PERIOD);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    if let Some(watch) = &mut watch {
        watch.restart();
    }
    let notices = &mut connection.notices;
    let result = {
        let mut work = pin!(run_step(step, &mut connection.client, &run));
        loop {
            tokio::select! {
                biased;
                Some(event) = events.recv() => on_event(event),
                Some(notice) = notices.recv() => on_event(Event::Notice(notice)),
                result = &mut work => break result,
                _ = ticks.tick() => {
                    if let Some(watch) = &mut watch {
                        let (elapsed, server) = watch.poll();
                        on_event(Event::Running { elapsed, server });
                    }
                }
            }
        }
    };
    while let Ok(event) = events.try_recv() {
        on_event(event);
    }
    connection.notices().into_iter().for_each(|notice| on_event(Event::Notice(notice)));
    result
}
