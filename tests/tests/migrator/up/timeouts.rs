//! Time limits and retries: a migration never blocks other sessions for long.

use tests::{TestDatabase, until};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio_postgres::Client;

use crate::support::catalog::{tables, versions};
use crate::support::folder::Folder;
use crate::support::program::{run, start, wait};

/// A table in use, and a migration that changes it.
async fn busy_table(database: &TestDatabase) -> (Folder, Client) {
    let folder = Folder::new(&[
        ("V1__t.sql", "create table t (id int);"),
        ("V1__t.down.sql", "drop table t;"),
        ("V2__note.sql", "alter table t add column note text;"),
        ("V2__note.down.sql", "alter table t drop column note;"),
    ]);
    run(database, &["up", "--to", "1", "--dir", folder.path()]).await.exits(0);
    let other = database.client().await;
    other.batch_execute("begin; select from t").await.expect("use the table");
    (folder, other)
}

#[tokio::test]
async fn a_migration_retries_until_the_table_is_free() {
    let database = TestDatabase::create().await;
    let (folder, other) = busy_table(&database).await;
    let arguments = ["up", "--lock-timeout", "100ms", "--lock-retries", "30", "--dir"];
    let mut program = start(&database, &[&arguments[..], &[folder.path()]].concat()).await;
    let mut lines = BufReader::new(program.stderr.take().expect("a pipe")).lines();
    let mut line = String::new();
    while !line.contains("V2__note timed out waiting for a table lock; retrying in ") {
        line = lines.next_line().await.expect("read").expect("a retry");
    }
    assert!(line.ends_with("(1 of 30)"), "{line}");

    // Meanwhile other sessions can write.
    let writer = database.client().await;
    let write = "set lock_timeout = '5s'; insert into t values (1);";
    writer.batch_execute(write).await.expect("write, although a migration wants the table");

    other.batch_execute("commit").await.expect("let go of the table");
    let mut rest = String::new();
    while let Some(line) = lines.next_line().await.expect("read") {
        rest += &line;
    }
    assert!(wait(program).await.exits(0).stdout.is_empty());
    assert!(rest.contains("RETRIES"), "{rest}");
    assert!(rest.contains("1 migration applied, the database is at V2__note"), "{rest}");
    assert_eq!(versions(&database).await, [1, 2]);
}

#[tokio::test]
async fn after_the_last_retry_the_error_has_the_number_of_attempts() {
    let database = TestDatabase::create().await;
    let (folder, other) = busy_table(&database).await;
    let limits = ["--lock-timeout", "50ms", "--lock-retries", "1", "--dir", folder.path()];
    let document = run(&database, &[&["up", "--json"], &limits[..]].concat()).await.exits(5).json();
    let details = document["error"]["details"].to_string();
    assert!(details.contains("\"tried 2 times in "), "{details}");
    assert!(details.contains("V1 and earlier are applied; V2 was rolled back"), "{details}");
    assert_eq!(document["error"]["sqlstate"], "55P03");
    other.batch_execute("commit").await.expect("let go of the table");
    let document = run(&database, &[&["up", "--json"], &limits[..]].concat()).await.exits(0).json();
    assert_eq!(document["applied"][0]["retries"], 0);
    other.batch_execute("begin; select from t").await.expect("use the table");
    run(&database, &[&["down", "--yes"], &limits[..]].concat())
        .await
        .exits(5)
        .says("V2__note timed out waiting for a table lock; retrying in ")
        .says("the undoing of V2 was rolled back");
    assert_eq!(versions(&database).await, [1, 2]);
}

#[tokio::test]
async fn a_script_with_nowait_is_not_retried() {
    let database = TestDatabase::create().await;
    let (folder, other) = busy_table(&database).await;
    folder.write("V2__note.sql", "lock table t nowait;");
    let output = run(&database, &["up", "--dir", folder.path()]).await.exits(5).says("(55P03)");
    assert!(!output.stderr.contains("retrying"), "{output:?}");
    other.batch_execute("commit").await.expect("let go of the table");
}

#[tokio::test]
async fn a_deadlock_victim_is_retried() {
    let database = TestDatabase::create().await;
    database.client().await.batch_execute("create sequence tries").await.expect("a counter");
    let folder = Folder::new(&[(
        "V1__victim.sql",
        "create table one ();
         do $$ begin
           if nextval('tries') < 2 then
             raise exception 'deadlock' using errcode = 'deadlock_detected';
           end if;
         end $$;",
    )]);
    run(&database, &["up", "--dir", folder.path()])
        .await
        .exits(0)
        .says("V1__victim was chosen as the deadlock victim; retrying in ");
    assert_eq!(tables(&database).await, ["one", "refinery_schema_history"]);
}

#[tokio::test]
async fn a_statement_that_takes_too_long_is_ended() {
    let database = TestDatabase::create().await;
    let folder = Folder::new(&[
        ("V1__slow.sql", "create table one ();\nselect pg_sleep(600);"),
        ("V2__own.sql", "set local statement_timeout = 0; select pg_sleep(0.3);"),
    ]);
    let up = ["up", "--statement-timeout", "200ms", "--dir", folder.path()];
    run(&database, &up)
        .await
        .exits(5)
        .says("V1__slow.sql:2:1")
        .says("canceling statement due to statement timeout (57014)")
        .says("nothing is applied; V1 was rolled back");
    folder.write("V1__slow.sql", "create table one ();");
    run(&database, &up).await.exits(0);
}

#[tokio::test]
async fn without_a_limit_it_waits_indefinitely() {
    let database = TestDatabase::create().await;
    let (folder, other) = busy_table(&database).await;
    let program = start(&database, &["up", "--lock-timeout", "0", "--dir", folder.path()]).await;
    let client = database.client().await;
    let waiting = "select from pg_stat_activity where wait_event_type = 'Lock'
        and datname = current_database() and query_start < clock_timestamp() - interval '1 s'";
    until("the migration waits", async || {
        client.query_opt(waiting, &[]).await.expect("query").map(|_| ())
    })
    .await;
    other.batch_execute("commit").await.expect("let go of the table");
    let output = wait(program).await.exits(0);
    assert!(!output.stderr.contains("retrying"), "{output:?}");
}
