//! The database of the API's predecessor, as that service itself creates it, with rows.

use serde_json::{Value, json};
use tests::{TestDatabase, workspace};

use super::{perform, value};
use crate::support::catalog::versions;
use crate::support::program::run;

/// Every task as the predecessor had it, in an order that does not depend on names.
const TASKS: &str = "select md5(string_agg(concat_ws('|', id, user_id, title, description, status, priority, created_at at time zone 'UTC', updated_at at time zone 'UTC'), E'\\n' order by id)) from tasks";

const TASKS_BEFORE: &str = "select md5(string_agg(concat_ws('|', id, user_id, title, description, status, priority, created_at, updated_at), E'\\n' order by id)) from tasks";

const USERS: &str = "select md5(string_agg(concat_ws('|', id, email, password_hash, name), E'\\n' order by id)) from users";

async fn predecessor() -> TestDatabase {
    let sql = std::fs::read_to_string(workspace().join("tests/data/predecessor.sql"));
    let database = TestDatabase::create().await;
    let client = database.client().await;
    client.batch_execute(&sql.expect("read the schema")).await.expect("load it");
    database
}

/// Writes the script and runs it, with more arguments.
async fn adopt(database: &TestDatabase, more: &[&str]) -> Value {
    let mut arguments = vec!["drift", "--script", "--json", "--assume-timezone", "UTC"];
    arguments.extend(more);
    let document = run(database, &arguments).await.exits(0).json();
    perform(database, &document).await;
    document
}

async fn differences(database: &TestDatabase) -> Value {
    let document = run(database, &["drift", "--json"]).await.exits(1).json();
    let all = document["differences"].as_array().expect("differences").iter();
    all.map(|difference| difference["object"].clone()).collect()
}

#[tokio::test]
async fn is_adopted_with_every_row_and_moment() {
    let database = predecessor().await;
    let (tasks, users) = (value(&database, TASKS_BEFORE).await, value(&database, USERS).await);
    let document = adopt(&database, &[]).await;
    assert_eq!(document["made_optional"], json!(["column users.password_hash"]));
    assert_eq!(value(&database, TASKS).await, tasks);
    assert_eq!(value(&database, USERS).await, users);

    let newest = document["leads_to"].to_string();
    run(&database, &["baseline", &newest, "--yes"]).await.exits(0);
    let _ = run(&database, &["up"]).await.exits(0).says("Nothing to do");
    assert_eq!(
        differences(&database).await,
        json!([
            "table users",
            "column tasks.priority",
            "column users.name",
            "column users.password_hash",
            "index ix_tasks_user_id on tasks"
        ])
    );
    // Its accounts were there before: undoing the migrations does not take them away.
    run(&database, &["down", "--to", "0", "--yes"]).await.exits(0);
    assert_eq!(value(&database, USERS).await, users);
}

#[tokio::test]
async fn is_adopted_as_the_first_version_and_migrated_from_there() {
    let database = predecessor().await;
    let tasks = value(&database, TASKS_BEFORE).await;
    adopt(&database, &["--to", "1"]).await;
    run(&database, &["baseline", "1", "--yes"]).await.exits(0);
    run(&database, &["up"]).await.exits(0);
    assert!(versions(&database).await.len() > 1);
    assert_eq!(value(&database, TASKS).await, tasks);
    let required = "select attnotnull from pg_attribute
                     where attrelid = 'tasks'::regclass and attname = 'priority'";
    assert_eq!(value(&database, required).await.as_deref(), Some("true"));
}

#[tokio::test]
async fn rows_that_it_allowed_are_found() {
    let database = predecessor().await;
    super::execute(
        &database,
        "update tasks set title = repeat('é', 256) where id in (1, 2);
         update tasks set priority = 'High' where id = 3; update tasks set status = 'done' where id = 4;
         update tasks set title = '' where id = 5",
    )
    .await;
    let arguments = ["drift", "--script", "--json", "--assume-timezone", "UTC"];
    let document = run(&database, &arguments).await.exits(1).json();
    let rows = document["rows"].as_array().expect("a list").iter();
    let found: Value = rows.map(|rows| json!([rows["object"], rows["count"]])).collect();
    assert_eq!(
        found,
        json!([
            ["column tasks.title", 2],
            ["constraint tasks_priority_check on tasks", 1],
            ["constraint tasks_status_check on tasks", 1],
            ["constraint tasks_title_length on tasks", 3],
        ])
    );
}
