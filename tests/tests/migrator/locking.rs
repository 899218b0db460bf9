//! The advisory lock: one migrator at a time.

use std::process::Stdio;

use tests::{TestDatabase, until};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio_postgres::Client;

use crate::support::catalog::{objects, tables, versions};
use crate::support::folder::Folder;
use crate::support::program::{command, run, run_with};

/// The documented key: `TASKIE` in ASCII, then 1.
const LOCK: &str = "select pg_advisory_lock(x'5441534b49450001'::int8)";

/// A session that holds the lock until it is dropped.
pub(crate) async fn lock_holder(database: &TestDatabase) -> Client {
    let client = database.client().await;
    client.batch_execute("set application_name = 'somebody'").await.expect("say who");
    client.batch_execute(LOCK).await.expect("lock");
    client
}

#[tokio::test]
async fn two_started_together_apply_everything_once() {
    let database = TestDatabase::create().await;
    let (one, other) = tokio::join!(run(&database, &["up"]), run(&database, &["up"]));
    let (one, other) = (one.exits(0), other.exits(0));
    let applied = [&one, &other].map(|output| output.stderr.contains("Applying"));
    assert_eq!(applied.iter().filter(|applied| **applied).count(), 1, "{one:?} {other:?}");
    assert_eq!(versions(&database).await, [1, 2, 3, 4, 5]);
}

#[tokio::test]
async fn a_waiting_migrator_names_the_lock_holder_and_continues_when_the_lock_is_free() {
    let database = TestDatabase::create().await;
    let holder = lock_holder(&database).await;
    let mut waiting = command(&["up"]).await;
    waiting.env("DATABASE_URL", database.url().to_connection_string());
    let mut waiting = waiting.stdout(Stdio::null()).spawn().expect("start the migrator");
    let mut lines = BufReader::new(waiting.stderr.take().expect("a pipe")).lines();
    let line = lines.next_line().await.expect("read").expect("a line");
    assert!(line.contains("Another migrator is at work (`somebody`, server process "), "{line}");
    drop(holder);
    let status = waiting.wait().await.expect("wait for the migrator");
    assert!(status.success(), "{status}");
    assert_eq!(versions(&database).await, [1, 2, 3, 4, 5]);
}

#[tokio::test]
async fn waiting_ends_with_the_time_limit_and_changes_nothing() {
    let database = TestDatabase::create().await;
    let _holder = lock_holder(&database).await;
    run(&database, &["up", "--wait", "100ms"])
        .await
        .exits(3)
        .says("error: another migrator is at work: `somebody`, server process ")
        .says("nothing was run");
    assert_eq!(tables(&database).await, [""; 0]);
}

#[tokio::test]
async fn undoing_takes_the_same_lock() {
    let database = TestDatabase::migrated().await;
    let _holder = lock_holder(&database).await;
    run(&database, &["down", "--yes", "--wait", "0"]).await.exits(3);
    assert_eq!(versions(&database).await, [1, 2, 3, 4, 5]);
}

#[tokio::test]
async fn reading_does_not_wait_for_the_lock() {
    let database = TestDatabase::migrated().await;
    let _holder = lock_holder(&database).await;
    run(&database, &["status", "--check"]).await.exits(0);
}

#[tokio::test]
async fn the_lock_of_another_database_does_not_matter() {
    let one = TestDatabase::create().await;
    let other = TestDatabase::create().await;
    let _holder = lock_holder(&one).await;
    run(&other, &["up", "--wait", "0"]).await.exits(0);
}

#[tokio::test]
async fn a_killed_migrator_leaves_neither_a_lock_nor_half_a_migration() {
    let database = TestDatabase::create().await;
    let folder = Folder::new(&[("V1__slow.sql", "create table half (); select pg_sleep(600);")]);
    let mut slow = command(&["up", "--dir", folder.path()]).await;
    slow.env("DATABASE_URL", database.url().to_connection_string());
    let mut slow = slow.spawn().expect("start the migrator");
    let client = database.client().await;
    let sleeping = "select from pg_stat_activity
        where datname = current_database() and application_name = 'taskie-migrator'
          and wait_event = 'PgSleep'";
    until("the migration runs", async || {
        client.query_opt(sleeping, &[]).await.expect("query").map(|_| ())
    })
    .await;

    slow.kill().await.expect("kill the migrator");
    folder.write("V1__slow.sql", "create table whole ();");
    run(&database, &["up", "--dir", folder.path()]).await.exits(0);
    assert_eq!(tables(&database).await, ["refinery_schema_history", "whole"]);
}

#[tokio::test]
async fn a_migrator_whose_session_is_ended_reports_the_state() {
    let database = TestDatabase::create().await;
    let folder = Folder::new(&[(
        "V1__ends.sql",
        "create table half (); select pg_terminate_backend(pg_backend_pid());",
    )]);
    run(&database, &["up", "--dir", folder.path()])
        .await
        .exits(3)
        .says("lost the connection to the database during V1__ends")
        .says("V1__ends is not applied");
    assert_eq!(tables(&database).await, ["refinery_schema_history"]);
}

#[tokio::test]
async fn a_lost_lock_stops_the_run() {
    let database = TestDatabase::create().await;
    // As behind a pooler, where the next transaction may use another session.
    let folder = Folder::with_three_migrations();
    folder.write("V1__one.sql", "create table one (); select pg_advisory_unlock_all();");
    run(&database, &["up", "--dir", folder.path()])
        .await
        .exits(3)
        .says("error: the migration lock was lost");
    assert_eq!(versions(&database).await, [1]);
}

/// Later readers and writers would have to wait behind a waiting migration.
#[tokio::test]
async fn a_table_that_others_use_is_not_waited_for_long() {
    let write_task = "insert into tasks (user_id, title) values ('u1', 'x')";
    let write_user = "insert into users values ('u2', 'c@d')";
    let read_both = "select from tasks, users";
    for (applied, use_tables, arguments) in [
        ("1", write_task, &["up", "--to", "2"][..]),
        ("2", write_user, &["up"]),
        ("3", read_both, &["down", "--yes"]),
        ("2", read_both, &["down", "--yes"]),
    ] {
        let label = format!("{} from V{applied}", arguments[0]);
        let database = TestDatabase::create().await;
        run(&database, &["up", "--to", applied]).await.exits(0);
        let other = database.client().await;
        let begin = format!("insert into users values ('u1', 'a@b'); begin; {use_tables}");
        other.batch_execute(&begin).await.expect(&label);
        let before = (objects(&database).await, versions(&database).await);
        run(&database, &[arguments, &["--lock-retries", "0", "--lock-timeout", "1"]].concat())
            .await
            .exits(5)
            .says("canceling statement due to lock timeout (55P03)")
            .says("was rolled back")
            .says(&format!(
                "hint: another session holds the lock on a table: run `migrator {}` again",
                arguments[0]
            ));
        assert_eq!((objects(&database).await, versions(&database).await), before, "{label}");
        other.batch_execute("commit").await.expect(&label);
        run(&database, arguments).await.exits(0);
    }
}

#[tokio::test]
async fn a_pooled_neon_host_is_replaced_by_the_direct_one_with_a_message() {
    let url = "postgresql://ann:hunter2@ep-no-such-123456-pooler.us-east-2.aws.neon.tech/shop";
    let arguments = ["up", "--connect-timeout", "200ms"];
    run_with(&[("DATABASE_URL", url)], &arguments)
        .await
        .exits(3)
        .says("Using the direct host `ep-no-such-123456.us-east-2.aws.neon.tech`")
        .does_not_print("hunter2");
}
