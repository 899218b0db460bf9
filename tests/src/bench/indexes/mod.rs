//! What each index, constraint and the trigger of `tasks` costs a write: PostgreSQL's CPU time for a statement
//! where all are there, divided by that where this one is not.
//!
//! Each has a copy of the same database, from which it was dropped. All copies take turns with the same writes, as the API
//! sends them: prepared each time, and committed each by itself.

mod write;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anyhow::{Context, ensure};
use rand::seq::SliceRandom;
use serde::Serialize;

use self::write::{Copy, Write};
use super::environment::Environment;
use super::native;
use super::options::Options;
use super::output::{Table, figure, progress};
use super::{report, scale};
use crate::TestServer;

/// Tasks of each copy by default.
const TASKS: u32 = 100_000;

const SETTINGS: [(&str, &str); 2] = [("shared_buffers", "1GB"), ("max_wal_size", "2GB")];

/// Turns of all copies in a round.
const TURNS: usize = 5;

/// Something that a write has to keep up.
#[derive(Clone, Copy, Debug, Serialize)]
struct Part {
    name: &'static str,
    purpose: &'static str,
    #[serde(skip)]
    drop: &'static str,
    /// Whether an update finds its row by it: then its cost is not found by leaving it out.
    finds_row: bool,
}

const PARTS: [Part; 9] = [
    Part {
        name: "tasks_pkey",
        purpose: "finds a task by its id",
        drop: "alter table tasks drop constraint tasks_pkey",
        finds_row: true,
    },
    Part {
        name: "idx_tasks_user_created",
        purpose: "promised to other readers of the schema",
        drop: "drop index idx_tasks_user_created",
        finds_row: false,
    },
    Part {
        name: "idx_tasks_user_created_id",
        purpose: "lists tasks, newest first",
        drop: "drop index idx_tasks_user_created_id",
        finds_row: false,
    },
    Part {
        name: "idx_tasks_user_status",
        purpose: "promised to other readers; deletes the tasks of a deleted user",
        drop: "drop index idx_tasks_user_status",
        finds_row: false,
    },
    Part {
        name: "idx_tasks_user_status_created_id",
        purpose: "lists tasks of one status, newest first",
        drop: "drop index idx_tasks_user_status_created_id",
        finds_row: false,
    },
    Part {
        name: "idx_tasks_user_status_priority",
        purpose: "lists tasks by priority",
        drop: "drop index idx_tasks_user_status_priority",
        finds_row: false,
    },
    Part {
        name: "tasks_user_id_fkey",
        purpose: "a task has a user",
        drop: "alter table tasks drop constraint tasks_user_id_fkey",
        finds_row: false,
    },
    Part {
        name: "the four checks",
        purpose: "lengths, status and priority",
        drop: "alter table tasks drop constraint tasks_title_length, drop constraint tasks_description_length,
               drop constraint tasks_status_check, drop constraint tasks_priority_check",
        finds_row: false,
    },
    Part {
        name: "trigger_tasks_updated_at",
        purpose: "owns both timestamps",
        drop: "drop trigger trigger_tasks_updated_at on tasks",
        finds_row: false,
    },
];

/// What one of them costs each kind of write.
#[derive(Serialize)]
struct Cost {
    #[serde(flatten)]
    part: Part,
    /// CPU time with everything divided by that without this one.
    ratios: BTreeMap<&'static str, Option<f64>>,
    /// Milliseconds more.
    milliseconds: BTreeMap<&'static str, Option<f64>>,
}

/// What `--json` prints.
#[derive(Serialize)]
struct Document {
    environment: Environment,
    tasks: u32,
    turns: usize,
    /// CPU milliseconds of PostgreSQL for a statement where everything is there.
    with_everything: BTreeMap<&'static str, Option<f64>>,
    /// Updates that PostgreSQL could do without a change of the indexes, 0 to 1.
    heap_only_updates: BTreeMap<&'static str, f64>,
    costs: Vec<Cost>,
}

/// Measures, and prints a table.
pub(crate) async fn run(options: &Options) -> anyhow::Result<()> {
    let size = options.scale.size_or(TASKS);
    progress("starting PostgreSQL and filling a database");
    let server = TestServer::with_settings(&SETTINGS).await;
    let original = server.migrated_database().await;
    let client = original.client().await;
    let environment = Environment::read(options, &client).await?;
    report(options, &environment.describe());
    scale::fill::fill(&client, size).await?;
    // A database to which somebody is connected cannot be copied.
    drop(client);
    let statements = native::statements()?;
    let mut copies = vec![Copy::of(server, &original, None).await?];
    for part in &PARTS {
        progress(&format!("a copy without {}", part.name));
        copies.push(Copy::of(server, &original, Some(part.drop)).await?);
    }

    // Of each kind of write and each copy, the CPU milliseconds of each turn.
    let mut found: BTreeMap<Write, Vec<Vec<f64>>> = BTreeMap::new();
    let mut heap_only_updates = BTreeMap::new();
    let writes = Write::selected(options);
    ensure!(
        !writes.is_empty(),
        "no `--workload` of create, update and complete: nothing to measure"
    );
    for write in writes.iter().copied() {
        let statement = &statements[write.statement()];
        for round in 0..options.rounds {
            progress(&format!("round {} of {}: {}", round + 1, options.rounds, write.name()));
            let times = found.entry(write).or_insert_with(|| vec![Vec::new(); copies.len()]);
            for copy in &copies {
                copy.vacuum().await?;
            }
            let mut order: Vec<usize> = (0..copies.len()).collect();
            for _ in 0..TURNS {
                order.shuffle(&mut rand::rng());
                for place in &order {
                    let spent = copies[*place].run(write, statement).await?;
                    times[*place].push(spent.context("the CPU time of a process, from `/proc`")?);
                }
            }
        }
        let part = copies[0].heap_only_updates().await?;
        if write != Write::Create {
            heap_only_updates.insert(write.name(), part);
        }
    }
    let with_everything = found.iter().map(|(write, times)| (write.name(), undisturbed(&times[0])));
    let costs = PARTS.iter().enumerate().map(|(place, part)| Cost {
        part: *part,
        ratios: compare(&found, place + 1, |with, without| with / without),
        milliseconds: compare(&found, place + 1, |with, without| with - without),
    });
    let document = Document {
        environment,
        tasks: size.tasks,
        turns: usize::try_from(options.rounds)? * TURNS,
        with_everything: with_everything.collect(),
        heap_only_updates,
        costs: costs.collect(),
    };
    report(options, &document.table(&writes));
    if options.json {
        super::output::print(&serde_json::to_string_pretty(&document)?);
    }
    Ok(())
}

/// Compares the CPU times of the copy with everything and of another one.
fn compare(
    found: &BTreeMap<Write, Vec<Vec<f64>>>,
    without: usize,
    figure: impl Fn(f64, f64) -> f64,
) -> BTreeMap<&'static str, Option<f64>> {
    let of = |times: &Vec<Vec<f64>>| {
        Some(figure(undisturbed(&times[0])?, undisturbed(&times[without])?))
    };
    found.iter().map(|(write, times)| (write.name(), of(times))).collect()
}

/// The CPU time that a fifth of the turns stayed below: whatever else the machine does at the same time makes a
/// statement's CPU time longer, never shorter.
fn undisturbed(times: &[f64]) -> Option<f64> {
    let mut times = times.to_vec();
    times.sort_by(f64::total_cmp);
    times.get(times.len() / 5).copied()
}

impl Document {
    fn table(&self, writes: &[Write]) -> String {
        let mut headings = vec!["without"];
        headings.extend(writes.iter().map(|one| one.name()));
        headings.push("what it is for");
        let mut table = Table::new(&headings);
        let mut row = vec!["nothing: ms".to_owned()];
        row.extend(writes.iter().map(|one| figure(self.with_everything[one.name()], 3)));
        table.row(row);
        for cost in &self.costs {
            let shown = |write: &Write| {
                if cost.part.finds_row && *write != Write::Create {
                    return "-".to_owned();
                }
                let (ratio, more) = (cost.ratios[write.name()], cost.milliseconds[write.name()]);
                format!("{} ({})", figure(ratio, 2), figure(more, 3))
            };
            let mut row = vec![cost.part.name.to_owned()];
            row.extend(writes.iter().map(shown));
            row.push(cost.part.purpose.to_owned());
            table.row(row);
        }
        let mut text = format!(
            "CPU time of PostgreSQL for a write with everything, divided by that without one part (milliseconds more):\n\
             the undisturbed ones of {} turns, {} tasks in each copy\n{}",
            self.turns,
            self.tasks,
            table.render()
        );
        for (write, part) in &self.heap_only_updates {
            let percent = part * 100.0;
            let _ = writeln!(text, "{write}: {percent:.0} % of the updates changed no index");
        }
        text
    }
}
