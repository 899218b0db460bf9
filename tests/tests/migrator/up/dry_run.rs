//! `migrator up --dry-run`

use insta::{assert_json_snapshot, assert_snapshot};
use tests::TestDatabase;

use crate::locking::lock_holder;
use crate::support::catalog::{objects, versions};
use crate::support::folder::Folder;
use crate::support::program::{run, run_with};

#[tokio::test]
async fn what_would_run_is_listed_in_order_and_nothing_is_written() {
    let database = TestDatabase::create().await;
    let folder = Folder::with_three_migrations();
    let output = run(&database, &["up", "--dry-run", "--dir", folder.path()])
        .await
        .exits(0)
        .says("3 migrations would be applied; nothing was changed");
    assert_snapshot!(output.stdout, @r"
    VERSION  NAME   CHECKSUM              TRANSACTION  LOCK TIMEOUT  STATEMENT TIMEOUT
    1        one    4635529105600635218   one          3 s           none
    2        two    14354898571640259682  one          3 s           none
    3        three  9607355604218267649   one          3 s           none
    ");
    assert_eq!(objects(&database).await, [""; 0]);
}

#[tokio::test]
async fn only_what_is_pending_up_to_the_target_is_listed() {
    let database = TestDatabase::create().await;
    let folder = Folder::with_three_migrations();
    run(&database, &["up", "--to", "1", "--dir", folder.path()]).await.exits(0);
    let arguments = ["up", "--dry-run", "--to", "2", "--json", "--dir", folder.path()];
    let document = run(&database, &arguments).await.exits(0).json();
    assert_json_snapshot!(document, @r#"
    {
      "command": "up",
      "dry_run": true,
      "would_apply": [
        {
          "checksum": "14354898571640259682",
          "concurrent_statements": 0,
          "lock_retries": 5,
          "lock_timeout_ms": 3000,
          "name": "two",
          "resumes_at": null,
          "statement_timeout_ms": 0,
          "transactional": true,
          "version": 2
        }
      ]
    }
    "#);
    assert_eq!(versions(&database).await, [1]);
}

#[tokio::test]
async fn the_checksums_are_those_that_the_history_gets() {
    let database = TestDatabase::create().await;
    let plan = run(&database, &["up", "--dry-run", "--json"]).await.exits(0).json();
    run(&database, &["up"]).await.exits(0);
    let query = "select checksum from refinery_schema_history order by version";
    let rows = database.client().await.query(query, &[]).await.expect("read the history");
    let written: Vec<&str> = rows.iter().map(|row| row.get(0)).collect();
    let planned = plan["would_apply"].as_array().expect("a list").iter();
    let planned: Vec<&str> = planned.map(|one| one["checksum"].as_str().expect("a text")).collect();
    assert_eq!(planned, written);
}

#[tokio::test]
async fn a_script_that_sets_its_own_limit_is_shown_with_it() {
    let database = TestDatabase::create().await;
    let folder = Folder::new(&[(
        "V1__patient.sql",
        "set local lock_timeout = '1min'; create table one ();",
    )]);
    let output = run(&database, &["up", "--dry-run", "--dir", folder.path()]).await.exits(0).stdout;
    assert!(output.ends_with("  one          its own       none\n"), "{output}");
}

#[tokio::test]
async fn the_limits_are_those_that_the_scripts_will_have() {
    let database = TestDatabase::create().await;
    let folder = Folder::new(&[
        ("V1__one.sql", "create table one (id int);"),
        (
            "V2__index.sql",
            "-- migrator: no-transaction\ncreate index concurrently i on one (id);\nvacuum one;",
        ),
        ("V3__own.sql", "set local statement_timeout = '1min'; create table three ();"),
    ]);
    let arguments =
        ["up", "--dry-run", "--lock-timeout", "500ms", "--statement-timeout", "2m", "--dir"];
    let output = run(&database, &[&arguments[..], &[folder.path()]].concat()).await.exits(0);
    assert_snapshot!(output.stdout, @r"
    VERSION  NAME   CHECKSUM              TRANSACTION  LOCK TIMEOUT                     STATEMENT TIMEOUT
    1        one    4635529105600635218   one          500 ms                           120 s
    2        index  12606049114702709781  none         500 ms, none for 1 concurrently  120 s
    3        own    12413550099859687966  one          500 ms                           its own
    ");
    let url =
        format!("{}&options=-c%20statement_timeout%3D5s", database.url().to_connection_string());
    let arguments = ["up", "--dry-run", "--lock-timeout", "0", "--json", "--dir", folder.path()];
    let output = run_with(&[("DATABASE_URL", &url)], &arguments).await.exits(0);
    assert_json_snapshot!(output.json()["would_apply"][1], @r#"
    {
      "checksum": "12606049114702709781",
      "concurrent_statements": 1,
      "lock_retries": 5,
      "lock_timeout_ms": 0,
      "name": "index",
      "resumes_at": null,
      "statement_timeout_ms": 5000,
      "transactional": false,
      "version": 2
    }
    "#);
    assert_eq!(output.json()["would_apply"][2]["statement_timeout_ms"], serde_json::Value::Null);
}

#[tokio::test]
async fn undoing_has_a_plan_too() {
    let database = TestDatabase::create().await;
    let folder = Folder::with_three_migrations();
    let plan = ["down", "--dry-run", "--to", "1", "--dir", folder.path()];
    run(&database, &["down", "--dry-run", "--dir", folder.path()]).await.exits(0).says("Nothing");
    run(&database, &["up", "--dir", folder.path()]).await.exits(0);
    let output = run(&database, &plan)
        .await
        .exits(0)
        .says("2 migrations would be undone; nothing was changed");
    assert_snapshot!(output.stdout, @r"
    VERSION  NAME   CHECKSUM              TRANSACTION  LOCK TIMEOUT  STATEMENT TIMEOUT
    3        three  9607355604218267649   one          3 s           none
    2        two    14354898571640259682  one          3 s           none
    ");
    let document = run(&database, &[&plan[..], &["--json"]].concat()).await.exits(0).json();
    assert_eq!(document["would_undo"][0]["version"], 3);
    assert_eq!(versions(&database).await, [1, 2, 3]);
}

#[tokio::test]
async fn with_nothing_pending_there_is_nothing_to_list() {
    let database = TestDatabase::migrated().await;
    let output = run(&database, &["up", "--dry-run"]).await.exits(0).says("Nothing to do");
    assert_eq!(output.stdout, "");
    let document = run(&database, &["up", "--dry-run", "--json"]).await.exits(0).json();
    assert_json_snapshot!(document, @r#"
    {
      "command": "up",
      "dry_run": true,
      "would_apply": []
    }
    "#);
}

#[tokio::test]
async fn what_up_would_refuse_is_refused() {
    let database = TestDatabase::create().await;
    let folder = Folder::with_three_migrations();
    let plan = ["up", "--dry-run", "--dir", folder.path()];
    run(&database, &["up", "--dry-run", "--to", "9"])
        .await
        .exits(2)
        .says("no migration with version 9");
    folder.write("V2__two.sql", "create table two ();\ncommit;");
    run(&database, &plan).await.exits(5).says("failed to apply V2__two.sql: line 2, column 1");
    folder.write("V2__two.sql", "create table two ();");
    run(&database, &["up", "--to", "1", "--dir", folder.path()]).await.exits(0);
    folder.write("V1__one.sql", "-- edited");
    run(&database, &plan).await.exits(4).says("V1__one was edited after it was applied");
    assert_eq!(versions(&database).await, [1]);
}

#[tokio::test]
async fn it_does_not_wait_for_another_migrator() {
    let database = TestDatabase::create().await;
    let _holder = lock_holder(&database).await;
    run(&database, &["up", "--dry-run"]).await.exits(0).says("5 migrations would be applied");
}

#[tokio::test]
async fn a_read_only_session_is_enough() {
    let database = TestDatabase::create().await;
    let url = format!(
        "{}&options=-c%20default_transaction_read_only%3Don",
        database.url().to_connection_string()
    );
    run_with(&[("DATABASE_URL", &url)], &["up", "--dry-run"]).await.exits(0);
}
