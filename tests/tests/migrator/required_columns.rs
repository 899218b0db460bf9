//! Columns that make the API's inserts fail, in `check`, `baseline` and `health`.

use serde_json::{Value, json};
use tests::TestDatabase;

use crate::support::program::run;

/// What makes inserts fail, and the columns.
const FAILING: [(&str, &[&str]); 6] = [
    ("alter table users add password_hash varchar not null", &["users.password_hash"]),
    ("alter table tasks add \"Due\" date not null", &["tasks.\"Due\""]),
    ("alter table idempotency_keys add origin text not null", &["idempotency_keys.origin"]),
    ("create domain code as text not null; alter table tasks add code code", &["tasks.code"]),
    (
        "alter table tasks alter created_at drop default, alter updated_at drop default",
        &["tasks.created_at", "tasks.updated_at"],
    ),
    ("alter table tasks alter id drop default", &["tasks.id"]),
];

/// What does not.
const HARMLESS: &str = "\
alter table users add name varchar, add level int not null default 1;
create domain filled as text not null default 'x';
alter table tasks add note filled, add number bigint generated always as identity,
  add size int not null generated always as (length(title)) stored;
create table other (id int not null)";

async fn changed(sql: &str) -> TestDatabase {
    let database = TestDatabase::migrated().await;
    database.client().await.batch_execute(sql).await.expect(sql);
    database
}

fn kinds(report: &Value) -> Vec<&str> {
    let warnings = report["warning_details"].as_array().expect("warnings").iter();
    warnings.filter_map(|warning| warning["kind"].as_str()).collect()
}

#[tokio::test]
async fn are_found_by_all_three() {
    // Where a default is lost, `baseline` may refuse instead.
    for (sql, columns) in FAILING {
        let database = changed(sql).await;
        let output = run(&database, &["check", "--allow", "undo", "--json"]).await.exits(18);
        let findings = output.json()["findings"].clone();
        assert_eq!(findings.as_array().map(Vec::len), Some(columns.len()), "{sql}: {findings:#}");
        let report = run(&database, &["health", "--json"]).await.exits(0).json();
        assert_eq!(report["required_columns"], json!(columns), "{sql}");
        let found = kinds(&report).into_iter().filter(|kind| *kind == "required_column");
        assert_eq!(found.count(), columns.len(), "{sql}: {report:#}");
        let client = database.client().await;
        client.batch_execute("drop table refinery_schema_history").await.expect(sql);
        let output = run(&database, &["baseline", "4", "--dry-run", "--json"]).await;
        if output.has_exited_with(0) {
            let warnings = output.json()["warnings"].to_string().matches("has no default").count();
            assert_eq!(warnings, columns.len(), "{sql}: {output:#?}");
        }
    }
}

#[tokio::test]
async fn are_none_where_each_has_a_value() {
    let database = changed(HARMLESS).await;
    run(&database, &["check", "--allow", "undo"]).await.exits(0);
    let report = run(&database, &["health", "--json"]).await.exits(0).json();
    assert_eq!(report["required_columns"], json!([]));
}

#[tokio::test]
async fn of_accounts_are_none_for_a_role_that_creates_none() {
    let database = changed("alter table users add password_hash varchar not null").await;
    let role = database.role("reader").await;
    let arguments = ["health", "--json", "--role", role.name.as_str()];
    let report = run(&database, &arguments).await.exits(0).json();
    assert_eq!(report["required_columns"], json!([]));
    let grant = format!("grant insert on users to {}", role.quoted());
    database.client().await.batch_execute(&grant).await.expect("grant");
    let report = run(&database, &arguments).await.exits(0).json();
    assert_eq!(report["required_columns"], json!(["users.password_hash"]));
}

#[tokio::test]
async fn are_said_with_what_to_do() {
    let database = changed("alter table users add password_hash varchar not null").await;
    let output = run(&database, &["check", "--allow", "undo"]).await.exits(18);
    assert_eq!(
        output.stdout,
        "required_column: the API cannot create accounts: `users.password_hash` must have a value, has no default, and the API does not write it
  give it a default, or allow null: alter table users alter column password_hash drop not null;

"
    );
    run(&database, &["check", "--allow", "undo", "--allow", "required_column"]).await.exits(0);
    let advice = "alter table users alter column password_hash drop not null;";
    let _ = run(&database, &["health"]).await.exits(0).says(advice);
    let statement = "drop table refinery_schema_history";
    database.client().await.batch_execute(statement).await.expect(statement);
    let output = run(&database, &["baseline", "4", "--yes"]).await.exits(0);
    let _ = output.says("warning: the API cannot create accounts").says(advice);
}
