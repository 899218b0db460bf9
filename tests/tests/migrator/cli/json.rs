//! `--json`: one document on standard output, also on failure.

use insta::assert_json_snapshot;
use serde_json::{Value, json};
use tests::TestDatabase;

use crate::support::folder::Folder;
use crate::support::program::{run, run_with};

/// The document with the members at these pointers, which differ from run to run, replaced. Each must
/// exist.
#[track_caller]
fn without(mut document: Value, pointers: &[&str]) -> Value {
    for pointer in pointers {
        let value = document.pointer_mut(pointer).unwrap_or_else(|| panic!("no {pointer}"));
        assert!(value.is_string() || value.is_number(), "{pointer}: {value}");
        *value = json!("…");
    }
    document
}

#[tokio::test]
async fn up_lists_what_it_applied() {
    let database = TestDatabase::create().await;
    let document = run(&database, &["up", "--json"]).await.exits(0).json();
    let times = [
        "/applied/0/elapsed_ms",
        "/applied/1/elapsed_ms",
        "/applied/2/elapsed_ms",
        "/applied/3/elapsed_ms",
        "/applied/4/elapsed_ms",
    ];
    assert_json_snapshot!(without(document, &times), @r#"
    {
      "applied": [
        {
          "elapsed_ms": "…",
          "name": "initial_schema",
          "retries": 0,
          "version": 1
        },
        {
          "elapsed_ms": "…",
          "name": "page_tasks_by_key",
          "retries": 0,
          "version": 2
        },
        {
          "elapsed_ms": "…",
          "name": "idempotency_keys",
          "retries": 0,
          "version": 3
        },
        {
          "elapsed_ms": "…",
          "name": "task_priority",
          "retries": 0,
          "version": 4
        },
        {
          "elapsed_ms": "…",
          "name": "insert_task",
          "retries": 0,
          "version": 5
        }
      ],
      "command": "up"
    }
    "#);
}

#[tokio::test]
async fn up_with_nothing_to_do_is_a_document_too() {
    let database = TestDatabase::migrated().await;
    let document = run(&database, &["up", "--json"]).await.exits(0).json();
    assert_json_snapshot!(document, @r#"
    {
      "applied": [],
      "command": "up"
    }
    "#);
}

#[tokio::test]
async fn down_lists_what_it_undid() {
    let database = TestDatabase::migrated().await;
    let document = run(&database, &["down", "--yes", "--json"]).await.exits(0).json();
    assert_json_snapshot!(without(document, &["/undone/0/elapsed_ms"]), @r#"
    {
      "command": "down",
      "undone": [
        {
          "elapsed_ms": "…",
          "name": "insert_task",
          "retries": 0,
          "version": 5
        }
      ]
    }
    "#);
}

#[tokio::test]
async fn status_lists_every_migration_and_counts_states() {
    let database = TestDatabase::create().await;
    let folder = Folder::with_three_migrations();
    run(&database, &["up", "--to", "2", "--dir", folder.path()]).await.exits(0);
    folder.write("V2__two.sql", "-- edited");
    let arguments = ["status", "--json", "--dir", folder.path()];
    let document = run(&database, &arguments).await.exits(0).json();
    let times = ["/migrations/0/applied_on", "/migrations/1/applied_on"];
    assert_json_snapshot!(without(document, &times), @r#"
    {
      "applied": 1,
      "command": "status",
      "current": 2,
      "diverged": 1,
      "incomplete": 0,
      "migrations": [
        {
          "applied_on": "…",
          "name": "one",
          "problem": null,
          "state": "applied",
          "version": 1
        },
        {
          "applied_on": "…",
          "name": "two",
          "problem": "V2__two was edited after it was applied",
          "state": "diverged",
          "version": 2
        },
        {
          "applied_on": null,
          "name": "three",
          "problem": null,
          "state": "pending",
          "version": 3
        }
      ],
      "missing": 0,
      "pending": 1
    }
    "#);
}

#[tokio::test]
async fn current_is_the_newest_migration() {
    let database = TestDatabase::migrated().await;
    let document = run(&database, &["current", "--json"]).await.exits(0).json();
    assert_json_snapshot!(without(document, &["/applied_on"]), @r#"
    {
      "applied_on": "…",
      "command": "current",
      "name": "insert_task",
      "version": 5
    }
    "#);
}

#[tokio::test]
async fn current_is_null_on_a_fresh_database() {
    let database = TestDatabase::create().await;
    let document = run(&database, &["current", "--json"]).await.exits(0).json();
    assert_json_snapshot!(document, @r#"
    {
      "applied_on": null,
      "command": "current",
      "name": null,
      "version": null
    }
    "#);
}

#[tokio::test]
async fn new_lists_its_files() {
    let arguments = ["new", "one", "--json", "--dir", "m"];
    let document = run_with(&[], &arguments).await.exits(0).json();
    assert_json_snapshot!(document, @r#"
    {
      "command": "new",
      "files": [
        "m/V1__one.sql",
        "m/V1__one.down.sql"
      ],
      "name": "one",
      "version": 1
    }
    "#);
}

#[tokio::test]
async fn a_failed_migration_is_described() {
    let database = TestDatabase::create().await;
    let folder = Folder::new(&[
        ("V1__good.sql", "select 1;"),
        ("V2__bad.sql", "select 1;\nselect nothing;"),
        ("V3__later.sql", ""),
    ]);
    let arguments = ["up", "--json", "--dir", folder.path()];
    let document = run(&database, &arguments).await.exits(5).json().to_string();
    let document: Value =
        serde_json::from_str(&document.replace(folder.path(), "migrations")).expect("JSON");
    assert_json_snapshot!(document, @r#"
    {
      "command": "up",
      "error": {
        "column": 8,
        "details": [
          " --> migrations/V2__bad.sql:2:8",
          "  |",
          "2 | select nothing;",
          "  |        ^",
          "V1 and earlier are applied; V2 was rolled back; V3 was not started"
        ],
        "done": [
          "V1__good"
        ],
        "exit_code": 5,
        "file": "V2__bad.sql",
        "hint": "fix V2 and run `migrator up` again; `migrator status` shows the history",
        "kind": "failed_migration",
        "line": 2,
        "message": "failed to apply V2__bad.sql: line 2, column 8: column \"nothing\" does not exist (42703)",
        "migration": "V2__bad",
        "not_started": [
          "V3__later"
        ],
        "sqlstate": "42703"
      }
    }
    "#);
}

#[tokio::test]
async fn diverged_migrations_are_described() {
    let database = TestDatabase::migrated().await;
    let folder = Folder::with_three_migrations();
    let arguments = ["up", "--json", "--dir", folder.path()];
    let document = run(&database, &arguments).await.exits(4).json();
    assert_json_snapshot!(document, @r#"
    {
      "command": "up",
      "error": {
        "details": [
          "V1__initial_schema was edited after it was applied",
          "V2__page_tasks_by_key was edited after it was applied",
          "V3__idempotency_keys was edited after it was applied",
          "V4__task_priority is applied, but missing from the migrations",
          "V5__insert_task is applied, but missing from the migrations",
          "nothing was run"
        ],
        "exit_code": 4,
        "hint": "an applied migration never changes: restore the file and write a new migration",
        "kind": "diverged",
        "message": "the history of the database and the migrations have diverged: 5 problems"
      }
    }
    "#);
}

#[tokio::test]
async fn an_unreachable_database_is_described() {
    let variables = [("DATABASE_URL", "postgresql://ann:hunter2@127.0.0.1:1/shop")];
    let arguments = ["status", "--json", "--connect-timeout", "0"];
    let document = run_with(&variables, &arguments).await.exits(3).json();
    assert_json_snapshot!(document, @r#"
    {
      "command": "status",
      "error": {
        "details": [],
        "exit_code": 3,
        "hint": "is it running, and are host and port right? `--connect-timeout` sets for how long to try",
        "kind": "unreachable",
        "message": "cannot reach the database at `127.0.0.1:1`: connection refused"
      }
    }
    "#);
}

#[tokio::test]
async fn wrong_usage_is_described() {
    let document = run_with(&[], &["up", "--json", "--no-such-option"]).await.exits(2).json();
    assert_json_snapshot!(document, @r#"
    {
      "command": null,
      "error": {
        "details": [],
        "exit_code": 2,
        "hint": "`migrator --help` lists commands and options",
        "kind": "usage",
        "message": "unexpected argument '--no-such-option' found"
      }
    }
    "#);
}

#[tokio::test]
async fn a_missing_connection_string_is_described() {
    let document = run_with(&[], &["current", "--json"]).await.exits(2).json();
    assert_json_snapshot!(document, @r#"
    {
      "command": "current",
      "error": {
        "details": [],
        "exit_code": 2,
        "hint": "set `DATABASE_URL`, in the environment or in a `.env` file, or pass `--database-url`",
        "kind": "database_url",
        "message": "no database URL given"
      }
    }
    "#);
}

#[tokio::test]
async fn refusing_to_undo_is_described() {
    let database = TestDatabase::migrated().await;
    let document = run(&database, &["down", "--json"]).await.exits(2).json();
    assert_json_snapshot!(document, @r#"
    {
      "command": "down",
      "error": {
        "details": [],
        "exit_code": 2,
        "hint": "add `--yes` to undo without being asked; nothing was changed",
        "kind": "confirmation_needed",
        "message": "undoing migrations destroys data, and there is no terminal to confirm it"
      }
    }
    "#);
}
