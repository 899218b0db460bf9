//! Applying migrations: `migrator up`, and `--to`.

use chrono::DateTime;
use tests::TestDatabase;

use crate::support::catalog::{objects, tables, versions};
use crate::support::folder::Folder;
use crate::support::program::{run, run_with};

#[tokio::test]
async fn the_schema_is_applied_and_recorded() {
    let database = TestDatabase::create().await;
    run(&database, &["up"])
        .await
        .exits(0)
        .says("Applying V1__initial_schema ... done")
        .says("Applying V2__page_tasks_by_key ... done")
        .says("Applying V3__idempotency_keys ... done")
        .says("Applying V5__insert_task ... done")
        .says("5 migrations applied, the database is at V5__insert_task");
    assert_eq!(
        tables(&database).await,
        ["idempotency_keys", "refinery_schema_history", "tasks", "users"]
    );
    assert_eq!(versions(&database).await, [1, 2, 3, 4, 5]);
}

#[tokio::test]
async fn results_and_messages_are_separate() {
    let database = TestDatabase::create().await;
    let output = run(&database, &["up"]).await.exits(0);
    assert_eq!(output.stdout, "");
}

#[tokio::test]
async fn applying_twice_changes_nothing_and_says_so() {
    let database = TestDatabase::create().await;
    run(&database, &["up"]).await.exits(0);
    let before = objects(&database).await;
    run(&database, &["up"]).await.exits(0).says("Nothing to do: no migration is pending");
    assert_eq!(objects(&database).await, before);
    assert_eq!(versions(&database).await, [1, 2, 3, 4, 5]);
}

#[tokio::test]
async fn the_history_is_as_refinery_writes_it() {
    let database = TestDatabase::create().await;
    run(&database, &["up"]).await.exits(0);
    let query =
        "select version, name, applied_on, checksum from refinery_schema_history order by 1";
    let rows = database.client().await.query(query, &[]).await.expect("read the history");
    let names: Vec<(i32, &str)> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    let expected = [
        (1, "initial_schema"),
        (2, "page_tasks_by_key"),
        (3, "idempotency_keys"),
        (4, "task_priority"),
        (5, "insert_task"),
    ];
    assert_eq!(names, expected);
    for row in rows {
        DateTime::parse_from_rfc3339(row.get(2)).expect("RFC 3339");
        row.get::<_, &str>(3).parse::<u64>().expect("64 bits in decimal digits");
    }
}

#[tokio::test]
async fn migrations_are_applied_by_number() {
    let database = TestDatabase::create().await;
    let folder = Folder::new(&[
        ("V10__c.sql", "alter table a add column c int;"),
        ("V2__b.sql", "alter table a add column b int;"),
        ("V1__a.sql", "create table a ();"),
    ]);
    run(&database, &["up", "--dir", folder.path()]).await.exits(0);
    assert_eq!(versions(&database).await, [1, 2, 10]);
}

#[tokio::test]
async fn up_to_a_version_stops_there() {
    let database = TestDatabase::create().await;
    let folder = Folder::with_three_migrations();
    run(&database, &["up", "--to", "2", "--dir", folder.path()]).await.exits(0);
    assert_eq!(versions(&database).await, [1, 2]);
}

#[tokio::test]
async fn up_to_an_unknown_version_is_a_usage_error() {
    let database = TestDatabase::create().await;
    run(&database, &["up", "--to", "9"])
        .await
        .exits(2)
        .says("there is no migration with version 9");
    assert_eq!(objects(&database).await, [""; 0]);
}

#[tokio::test]
async fn up_to_a_version_that_is_applied_does_nothing() {
    let database = TestDatabase::create().await;
    let folder = Folder::with_three_migrations();
    run(&database, &["up", "--dir", folder.path()]).await.exits(0);
    run(&database, &["up", "--to", "1", "--dir", folder.path()])
        .await
        .exits(0)
        .says("Nothing to do");
    assert_eq!(versions(&database).await, [1, 2, 3]);
}

#[tokio::test]
async fn settings_of_a_migration_do_not_reach_the_next() {
    let database = TestDatabase::create().await;
    let folder = Folder::new(&[
        (
            "V1__dump.sql",
            "select pg_catalog.set_config('search_path', '', false); set role pg_monitor;",
        ),
        ("V2__next.sql", "create table next ();"),
    ]);
    run(&database, &["up", "--dir", folder.path()]).await.exits(0);
    assert_eq!(tables(&database).await, ["next", "refinery_schema_history"]);
}

#[tokio::test]
async fn notices_of_the_server_are_shown() {
    let database = TestDatabase::create().await;
    let folder = Folder::new(&[("V1__a.sql", "do $$ begin raise notice 'by the way'; end $$;")]);
    run(&database, &["up", "--dir", folder.path()]).await.exits(0).says("notice: by the way");
}

#[tokio::test]
async fn whatever_the_server_says_has_its_severity() {
    let database = TestDatabase::create().await;
    let folder = Folder::new(&[(
        "V1__a.sql",
        "set client_min_messages = debug1;
         do $$ begin
           raise warning 'one'; raise notice 'two'; raise info 'three'; raise log 'four'; raise debug 'five';
         end $$;",
    )]);
    run(&database, &["up", "--dir", folder.path()])
        .await
        .exits(0)
        .says("\nwarning: one\n")
        .says("  notice: two\n")
        .says("  info: three\n")
        .says("  log: four\n")
        .says("  debug: five\n")
        .does_not_print("notice: one");
    run(&database, &["down", "--yes", "--dir", folder.path()]).await.exits(2);
}

/// A warning is not progress.
#[tokio::test]
async fn warnings_of_the_server_are_shown_with_quiet() {
    let database = TestDatabase::create().await;
    let script = "do $$ begin raise warning 'look'; raise notice 'by the way'; end $$;";
    let folder = Folder::new(&[("V1__a.sql", script)]);
    run(&database, &["up", "--quiet", "--dir", folder.path()])
        .await
        .exits(0)
        .says("warning: look")
        .does_not_print("by the way");
}

#[tokio::test]
async fn quiet_prints_nothing_on_success() {
    let database = TestDatabase::create().await;
    let output = run(&database, &["up", "--quiet"]).await.exits(0);
    assert_eq!((output.stdout.as_str(), output.stderr.as_str()), ("", ""));
}

#[tokio::test]
async fn a_schema_in_the_connection_options_is_used() {
    let database = TestDatabase::create().await;
    database.client().await.batch_execute("create schema apart").await.expect("create a schema");
    let url = format!("{}&options=-c%20search_path%3Dapart", database.url().to_connection_string());
    let variables = [("DATABASE_URL", url.as_str())];
    run_with(&variables, &["up"]).await.exits(0);
    run_with(&variables, &["status", "--check"]).await.exits(0);
    assert_eq!(tables(&database).await, [""; 0]);
}
