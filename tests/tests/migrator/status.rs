//! `migrator status` and `migrator current`

use tests::TestDatabase;

use crate::support::catalog::objects;
use crate::support::folder::Folder;
use crate::support::program::{run, run_with};

#[tokio::test]
async fn a_fresh_database_has_everything_pending() {
    let database = TestDatabase::create().await;
    let output = run(&database, &["status"]).await.exits(0);
    insta::assert_snapshot!(output.stdout, @r"
    VERSION  NAME               STATE    APPLIED
    1        initial_schema     pending  -
    2        page_tasks_by_key  pending  -
    3        idempotency_keys   pending  -
    4        task_priority      pending  -
    5        insert_task        pending  -
    ");
}

#[tokio::test]
async fn reading_a_fresh_database_writes_nothing() {
    let database = TestDatabase::create().await;
    run(&database, &["status"]).await.exits(0);
    run(&database, &["status", "--check"]).await.exits(1);
    run(&database, &["current"]).await.exits(0);
    run(&database, &["health"]).await.exits(0);
    assert_eq!(objects(&database).await, [""; 0]);
}

#[tokio::test]
async fn an_applied_migration_shows_when() {
    let database = TestDatabase::migrated().await;
    let output = run(&database, &["status"]).await.exits(0);
    let year = chrono::Utc::now().format("%Y-").to_string();
    let times = output.stdout.matches(&format!("applied  {year}")).count();
    assert_eq!(times, 5, "{}", output.stdout);
}

#[tokio::test]
async fn check_succeeds_when_everything_is_applied() {
    let database = TestDatabase::migrated().await;
    run(&database, &["status", "--check"]).await.exits(0);
}

#[tokio::test]
async fn check_fails_when_a_migration_is_pending() {
    let database = TestDatabase::create().await;
    let folder = Folder::with_three_migrations();
    run(&database, &["up", "--to", "2", "--dir", folder.path()]).await.exits(0);
    run(&database, &["status", "--check", "--dir", folder.path()]).await.exits(1);
}

#[tokio::test]
async fn current_is_the_newest_applied_migration() {
    let database = TestDatabase::create().await;
    let folder = Folder::with_three_migrations();
    run(&database, &["up", "--to", "2", "--dir", folder.path()]).await.exits(0);
    let output = run(&database, &["current"]).await.exits(0);
    assert_eq!(output.stdout, "V2__two\n");
}

#[tokio::test]
async fn current_is_none_on_a_fresh_database() {
    let database = TestDatabase::create().await;
    let output = run(&database, &["current"]).await.exits(0);
    assert_eq!(output.stdout, "none\n");
}

#[tokio::test]
async fn a_read_only_session_is_enough() {
    let database = TestDatabase::migrated().await;
    let url = format!(
        "{}&options=-c%20default_transaction_read_only%3Don",
        database.url().to_connection_string()
    );
    run_with(&[("DATABASE_URL", &url)], &["status", "--check"]).await.exits(0);
}

#[tokio::test]
async fn a_history_that_refinery_would_not_write_is_reported() {
    let database = TestDatabase::migrated().await;
    let spoil = "update refinery_schema_history set checksum = 'none'";
    database.client().await.batch_execute(spoil).await.expect("spoil the history");
    run(&database, &["status"])
        .await
        .exits(4)
        .says("cannot understand the history table `refinery_schema_history`");
}
