//! What works but should be looked at. (What only time brings about, such as a transaction of five
//! minutes, is in the unit tests.)

use serde_json::json;
use tests::{TestDatabase, until};

use super::{number, warning_kinds};
use crate::folder::Folder;
use crate::program::{run, run_with};

#[tokio::test]
async fn pending_migrations() {
    let database = TestDatabase::create().await;
    run(&database, &["health"])
        .await
        .exits(0)
        .says("warning: pending migrations: 3\nhint: apply them with `migrator up`\n");
    run(&database, &["up", "--to", "2"]).await.exits(0);
    run(&database, &["health"]).await.exits(0).says("warning: pending migrations: 1\n");
}

#[tokio::test]
async fn diverged_migrations() {
    let database = TestDatabase::migrated().await;
    let folder = Folder::of_three();
    run(&database, &["health", "--dir", folder.path()])
        .await
        .exits(0)
        .says("warning: history and migrations have diverged\nhint: see `migrator status`\n");
}

#[tokio::test]
async fn for_a_machine_they_are_one_text_and_in_parts() {
    let database = TestDatabase::create().await;
    let report = run(&database, &["health", "--json"]).await.exits(0).json();
    let pending = json!({
        "kind": "pending_migrations",
        "what": "pending migrations: 3",
        "advice": "apply them with `migrator up`",
    });
    let (texts, parts) = (&report["warnings"], &report["warning_details"]);
    assert!(parts.as_array().is_some_and(|parts| parts.contains(&pending)), "{report:#}");
    let text = json!("pending migrations: 3; apply them with `migrator up`");
    assert!(texts.as_array().is_some_and(|texts| texts.contains(&text)), "{report:#}");
    assert_eq!(texts.as_array().map(Vec::len), parts.as_array().map(Vec::len));
    assert_eq!(report["healthy"], true);
}

#[tokio::test]
async fn an_invalid_index() {
    let database = TestDatabase::migrated().await;
    let client = database.client().await;
    client
        .batch_execute("create table twins (name text); insert into twins values ('a'), ('a')")
        .await
        .expect("make duplicates");
    let failed =
        client.batch_execute("create unique index concurrently twins_name on twins (name)");
    failed.await.expect_err("a duplicate");
    let outcome = run(&database, &["health"]).await.exits(0);
    outcome
        .says("warning: the index is invalid: twins_name\n")
        .says("`drop index concurrently`, then make it again\n");
    let report = run(&database, &["health", "--json"]).await.exits(0).json();
    assert_eq!(report["invalid_indexes"], json!(["twins_name"]));
}

#[tokio::test]
async fn the_index_of_a_partitioned_table_is_none() {
    let database = TestDatabase::migrated().await;
    let client = database.client().await;
    client
        .batch_execute(
            "create table parted (id int) partition by range (id);
             create table part partition of parted for values from (0) to (9);
             create index parted_id on only parted (id)",
        )
        .await
        .expect("an index that waits for its partition's");
    let report = run(&database, &["health", "--json"]).await.exits(0).json();
    assert_eq!(report["invalid_indexes"], json!([]));
}

#[tokio::test]
async fn a_database_that_cannot_be_written_to() {
    let database = TestDatabase::migrated().await;
    let read_only =
        format!("alter database {} set default_transaction_read_only = on", database.name());
    database.admin().await.batch_execute(&read_only).await.expect("set");
    let report = run(&database, &["health", "--json"]).await.exits(0).json();
    assert_eq!(report["read_only"], true);
    assert!(warning_kinds(&report).contains(&"read_only"), "{report:#}");
    run(&database, &["health"]).await.says("hint: use the connection string of the primary");
}

#[tokio::test]
async fn the_transaction_that_is_open_for_longest_is_found() {
    let database = TestDatabase::migrated().await;
    let report = run(&database, &["health", "--json"]).await.exits(0).json();
    assert_eq!(report["oldest_transaction"], json!(null));

    let (mut first, mut second) = (database.client().await, database.client().await);
    let (first, second) =
        (first.transaction().await.expect("begin"), second.transaction().await.expect("begin"));
    let pid: i32 = first.query_one("select pg_backend_pid()", &[]).await.expect("a row").get(0);
    second.batch_execute("select 1").await.expect("ask");
    let admin = database.admin().await;
    until("the transaction is idle", async || {
        let sql = "select state from pg_stat_activity where pid = $1";
        let row = admin.query_one(sql, &[&pid]).await.expect("a row");
        (row.get::<_, &str>(0) == "idle in transaction").then_some(())
    })
    .await;
    let report = run(&database, &["health", "--json"]).await.exits(0).json();
    assert_eq!(report["oldest_transaction"]["pid"], pid);
    assert_eq!(report["oldest_transaction"]["state"], "idle in transaction");
    assert!(number(&report, "/oldest_transaction/age_s") < 300.0);
    assert!(!warning_kinds(&report).contains(&"long_transaction"), "{report:#}");
}

#[tokio::test]
async fn parameters_without_a_meaning() {
    let database = TestDatabase::migrated().await;
    let url = format!("{}&pool_max_conns=4", database.url().to_connection_string());
    run_with(&[("DATABASE_URL", &url)], &["health"])
        .await
        .exits(0)
        .says("warning: parameters without a meaning here: pool_max_conns\n")
        .says("hint: leave them out of the connection string\n");
}
