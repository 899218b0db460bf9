//! Warnings. (Those that need time, such as about a transaction of five minutes, are in the unit tests.)

use serde_json::json;
use tests::{TestDatabase, until};

use super::{number, warning_kinds};
use crate::support::folder::Folder;
use crate::support::program::{run, run_with};

#[tokio::test]
async fn pending_migrations() {
    let database = TestDatabase::create().await;
    run(&database, &["health"])
        .await
        .exits(0)
        .says("warning: pending migrations: 5\nhint: apply them with `migrator up`\n");
    run(&database, &["up", "--to", "2"]).await.exits(0);
    run(&database, &["health"]).await.exits(0).says("warning: pending migrations: 3\n");
}

#[tokio::test]
async fn diverged_migrations() {
    let database = TestDatabase::migrated().await;
    let folder = Folder::with_three_migrations();
    run(&database, &["health", "--dir", folder.path()])
        .await
        .exits(0)
        .says("warning: history and migrations have diverged\nhint: see `migrator status`\n");
}

#[tokio::test]
async fn the_json_has_each_as_a_text_and_in_parts() {
    let database = TestDatabase::create().await;
    let report = run(&database, &["health", "--json"]).await.exits(0).json();
    let pending = json!({
        "kind": "pending_migrations",
        "what": "pending migrations: 5",
        "advice": "apply them with `migrator up`",
    });
    let (texts, parts) = (&report["warnings"], &report["warning_details"]);
    assert!(parts.as_array().is_some_and(|parts| parts.contains(&pending)), "{report:#}");
    let text = json!("pending migrations: 5; apply them with `migrator up`");
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
        .expect("insert duplicates");
    let failed =
        client.batch_execute("create unique index concurrently twins_name on twins (name)");
    failed.await.expect_err("a duplicate");
    let output = run(&database, &["health"]).await.exits(0);
    output
        .says("warning: the index is invalid: twins_name\n")
        .says("`drop index concurrently`, and rebuild it\n");
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

#[tokio::test]
async fn a_sequence_that_comes_to_its_end() {
    let database = TestDatabase::migrated().await;
    let client = database.client().await;
    let set = async |last: i64| {
        let statement = format!("select setval('tasks_id_seq', {last})");
        client.batch_execute(&statement).await.expect("set the sequence");
    };
    // 80 % of 2,147,483,647, rounded up, and one less.
    set(1_717_986_917).await;
    let report = run(&database, &["health", "--json"]).await.exits(0).json();
    assert!(!warning_kinds(&report).contains(&"sequence"), "{report:#}");
    set(1_717_986_918).await;
    let report = run(&database, &["health", "--json"]).await.exits(0).json();
    assert!(warning_kinds(&report).contains(&"sequence"), "{report:#}");
    let expected = json!({
        "name": "tasks_id_seq",
        "column": "tasks.id",
        "last_value": 1_717_986_918,
        "max_value": 2_147_483_647,
        "used_pct": 80.0,
    });
    assert_eq!(report["fullest_sequence"], expected);
    assert_eq!(report["healthy"], true);
    run(&database, &["health"])
        .await
        .exits(0)
        .says("warning: 80.0 % of the numbers for tasks.id are used up: 1717986918 of 2147483647\n")
        .says("hint: make the column `bigint`, and what refers to it, with its sequence `tasks_id_seq`");
}

#[tokio::test]
async fn a_sequence_is_measured_by_its_column_and_by_its_own_end() {
    let database = TestDatabase::migrated().await;
    let client = database.client().await;
    let fullest = async || {
        let report = run(&database, &["health", "--json"]).await.exits(0).json();
        let sequence = &report["fullest_sequence"];
        (sequence["column"].clone(), sequence["max_value"].clone(), sequence["used_pct"].clone())
    };
    let create = "
        create table small (a smallint generated always as identity);
        create table \"Odd\" (\"B\" bigint generated always as identity (minvalue -50 maxvalue 49));
        create table round (c int generated always as identity (maxvalue 10 cycle));
        create table down (d int generated always as identity (increment -1));
        create sequence outgrown owned by small.a;
        create sequence free maxvalue 10;
        select setval('small_a_seq', 100), setval('round_c_seq', 10), setval('down_d_seq', -2147483648),
               setval('free', 10)";
    client.batch_execute(create).await.expect("create sequences");
    assert_eq!(fullest().await, (json!("small.a"), json!(32_767), json!(0.3)));
    // The sequence's type is larger than the column's.
    client.batch_execute("select setval('outgrown', 30000)").await.expect("set");
    assert_eq!(fullest().await, (json!("small.a"), json!(32_767), json!(91.5)));
    client.batch_execute("select setval('\"Odd_B_seq\"', 48)").await.expect("set");
    assert_eq!(fullest().await, (json!("\"Odd\".\"B\""), json!(49), json!(99.0)));
}

#[tokio::test]
async fn a_role_without_privileges_on_sequences_gets_no_warning_about_them() {
    let database = TestDatabase::migrated().await;
    let role = database.api_role();
    let client = database.client().await;
    client.batch_execute("select setval('tasks_id_seq', 2147483647)").await.expect("set");
    let url = database.url_as(role).to_connection_string();
    let health = async || run_with(&[("DATABASE_URL", &url)], &["health", "--json"]).await;
    let report = health().await.exits(0).json();
    assert!(warning_kinds(&report).contains(&"sequence"), "{report:#}");
    let revoke = format!("revoke all on sequence tasks_id_seq from {}", role.quoted());
    client.batch_execute(&revoke).await.expect("revoke");
    let report = health().await.exits(0).json();
    assert_eq!(report["fullest_sequence"], json!(null));
    assert!(!warning_kinds(&report).contains(&"sequence"), "{report:#}");
}
