//! Random commands, killed at random moments: `status` is accurate after each, and `up` can finish.

use std::process::Stdio;
use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::Value;
use tests::{TestDatabase, until};

use crate::support::catalog::versions;
use crate::support::folder::Folder;
use crate::support::program::{command, run};

/// The relations that each migration creates, one for each statement, in order.
const RELATIONS: [&[&str]; 4] =
    [&["one"], &["one_by_a", "two", "two_by_a"], &["three", "three_more"], &["four", "four_by_a"]];

const NEWEST: u32 = 4;

/// Migrations of both kinds. Each statement takes long enough to be interrupted.
fn folder() -> Folder {
    Folder::new(&[
        ("V1__one.sql", "create table one as select a from generate_series(1, 20000) as a;"),
        ("V1__one.down.sql", "drop table one;"),
        (
            "V2__two.sql",
            "-- migrator: no-transaction
create index concurrently one_by_a on one (a);
create table two as select a, pg_sleep(0.00001)::text from generate_series(1, 500) as a;
create index concurrently two_by_a on two (a);",
        ),
        (
            "V2__two.down.sql",
            "-- migrator: no-transaction
drop index concurrently if exists two_by_a;
drop table if exists two;
drop index concurrently if exists one_by_a;",
        ),
        (
            "V3__three.sql",
            "create table three (a int); select pg_sleep(0.02); create table three_more (a int);",
        ),
        ("V3__three.down.sql", "drop table three_more; select pg_sleep(0.02); drop table three;"),
        (
            "V4__four.sql",
            "-- migrator: no-transaction
create table four (a int);
create unique index concurrently four_by_a on four (a);",
        ),
        ("V4__four.down.sql", "drop table four;"),
    ])
}

/// A command on the database.
#[derive(Clone, Debug)]
enum Step {
    Up(u32),
    Down(u32),
    /// Killed after this many milliseconds, unless it has ended.
    KilledUp(u64),
    KilledDown(u64),
    Repair,
    /// Drops the history and adopts the schema with `baseline`.
    Adopt,
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => (1..=NEWEST).prop_map(Step::Up),
        2 => (1..=NEWEST).prop_map(Step::Down),
        4 => (1_u64..400).prop_map(Step::KilledUp),
        2 => (1_u64..300).prop_map(Step::KilledDown),
        1 => Just(Step::Repair),
        1 => Just(Step::Adopt),
    ]
}

#[test]
fn every_sequence_ends_in_a_state_that_status_describes_and_up_can_finish() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("start a runtime");
    // No file of failed cases: a failure depends on the moment, not on the sequence.
    let config =
        Config { cases: 12, max_shrink_iters: 0, failure_persistence: None, ..Config::default() };
    let tried = TestRunner::new(config).run(&vec(any_step(), 1..7), |steps| {
        runtime.block_on(check(&steps));
        Ok(())
    });
    tried.unwrap_or_else(|error| panic!("{error}"));
}

async fn check(steps: &[Step]) {
    let database = TestDatabase::create().await;
    let folder = folder();
    for step in steps {
        run_step(&database, &folder, step).await;
        compare(&database, &folder, &format!("after {step:?} of {steps:?}")).await;
    }

    let label = format!("after {steps:?}");
    // Follows the advice for an incomplete migration, once or twice.
    for _ in 0..2 {
        match advice(&status(&database, &folder).await) {
            None => {}
            Some(Advice::Repair) => {
                run(&database, &["repair", "--dir", folder.path()]).await.exits(0);
            }
            Some(Advice::Up) => {
                run(&database, &["up", "--dir", folder.path()]).await.exits(0);
            }
            Some(Advice::Down) => {
                run(&database, &["down", "--yes", "--dir", folder.path()]).await.exits(0);
            }
        }
    }
    run(&database, &["up", "--dir", folder.path()]).await.exits(0);
    let status = status(&database, &folder).await;
    assert_eq!(states(&status), ["applied"; 4], "{label}");
    compare(&database, &folder, &label).await;
}

async fn run_step(database: &TestDatabase, folder: &Folder, step: &Step) {
    let path = folder.path();
    let advice = advice(&status(database, folder).await);
    // No command continues before the repair; then only the incomplete migration, in its direction.
    let refused_unless = |direction| if advice.is_none_or(|it| it == direction) { 0 } else { 6 };
    match step {
        Step::Up(to) => {
            let before = versions(database).await;
            let to = to.to_string();
            let target = if advice.is_none() { &["up", "--to", &to][..] } else { &["up"] };
            let arguments = [target, &["--dir", path]].concat();
            run(database, &arguments).await.exits(refused_unless(Advice::Up));
            assert!(versions(database).await.starts_with(&before));
        }
        Step::Down(steps) => {
            let steps = steps.to_string();
            run(database, &["down", "--steps", &steps, "--yes", "--dir", path])
                .await
                .exits(refused_unless(Advice::Down));
        }
        Step::KilledUp(after) => kill(database, &["up", "--dir", path], *after).await,
        Step::KilledDown(after) => {
            kill(database, &["down", "--to", "0", "--yes", "--dir", path], *after).await;
        }
        Step::Repair => {
            run(database, &["repair", "--dir", path]).await.exits(0);
        }
        Step::Adopt if advice.is_some() => {
            run(database, &["baseline", "1", "--yes", "--dir", path]).await.exits(6);
        }
        Step::Adopt => {
            let Some(newest) = versions(database).await.last().copied() else { return };
            let client = database.client().await;
            client.batch_execute("drop table refinery_schema_history").await.expect("forget");
            run(database, &["baseline", &newest.to_string(), "--yes", "--dir", path])
                .await
                .exits(0);
        }
    }
}

/// Runs the migrator, kills it after this many milliseconds, and waits until its sessions have ended.
async fn kill(database: &TestDatabase, arguments: &[&str], after: u64) {
    let mut command = command(arguments).await;
    command.env("DATABASE_URL", database.url().to_connection_string());
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let mut migrator = command.spawn().expect("start the migrator");
    // Not a wait for a condition: the moment is random.
    let ended = tokio::time::timeout(Duration::from_millis(after), migrator.wait()).await;
    if ended.is_err() {
        migrator.kill().await.expect("kill the migrator");
    }
    let client = database.client().await;
    let sessions = "select from pg_stat_activity
        where datname = current_database() and application_name like 'taskie-migrator%'";
    until("the sessions of the migrator end", async || {
        client.query(sessions, &[]).await.expect("query").is_empty().then_some(())
    })
    .await;
}

async fn status(database: &TestDatabase, folder: &Folder) -> Value {
    run(database, &["status", "--json", "--dir", folder.path()]).await.exits(0).json()
}

fn states(status: &Value) -> Vec<&str> {
    let migrations = status["migrations"].as_array().expect("a list").iter();
    migrations.map(|migration| migration["state"].as_str().expect("a text")).collect()
}

/// The next command for an incomplete migration.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Advice {
    Repair,
    Up,
    Down,
}

/// The advice of `status`, if a migration is incomplete.
fn advice(status: &Value) -> Option<Advice> {
    let migrations = status["migrations"].as_array().expect("a list").iter();
    let incomplete = migrations.clone().find(|migration| migration["state"] == "incomplete")?;
    let problem = incomplete["problem"].as_str().expect("a text");
    let known = [
        ("run `migrator repair`", Advice::Repair),
        ("`migrator up` resumes it", Advice::Up),
        ("`migrator down` resumes it", Advice::Down),
    ];
    let found = known.into_iter().find(|(text, _)| problem.ends_with(text));
    Some(found.unwrap_or_else(|| panic!("no advice: {problem}")).1)
}

/// Asserts that `status` matches the database.
async fn compare(database: &TestDatabase, folder: &Folder, label: &str) {
    let status = status(database, folder).await;
    let client = database.client().await;
    let query = "select relname::text from pg_class where relnamespace = 'public'::regnamespace";
    let rows = client.query(query, &[]).await.expect("list the relations");
    let present: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    let has = |name: &&&str| present.iter().any(|present| present == **name);

    for (relations, state) in RELATIONS.iter().zip(states(&status)) {
        let number = relations.iter().filter(has).count();
        match state {
            "applied" => assert_eq!(number, relations.len(), "{relations:?} {label}: {status}"),
            "pending" => assert_eq!(number, 0, "{relations:?} {label}: {status}"),
            "incomplete" => {}
            other => panic!("{other} {label}: {status}"),
        }
    }
}
