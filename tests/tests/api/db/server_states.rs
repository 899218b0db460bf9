//! Each state of a server that keeps statements from running: its status, and its line in the log.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;
use tests::{App, Response, TestDatabase, User, until};
use tokio_postgres::Client;

use super::cause;
use crate::path_of;

/// The code is all that counts, so each is raised by a trigger; those that can be brought about follow.
#[tokio::test]
async fn have_their_status_and_their_line() {
    let database = TestDatabase::migrated().await;
    // Some of them are waited for.
    let brief = database.api_url().with_connect_timeout(Duration::from_secs(1));
    let app = App::start_on(database, |options| {
        options.database(&brief);
    })
    .await;
    let alice = app.user("alice").await;
    let task = alice.task("x").await;
    let client = app.client().await;
    for (label, code, status, kind) in [
        ("a replica", "25006", 503, "database-unavailable"),
        ("out of disk", "53100", 503, "database-unavailable"),
        ("out of memory", "53200", 503, "database-unavailable"),
        ("out of connections", "53300", 503, "database-unavailable"),
        ("cancelled", "57014", 504, "database-too-slow"),
        ("shut down", "57P01", 503, "database-unavailable"),
        ("another session crashed", "57P02", 503, "database-unavailable"),
        ("starting up", "57P03", 503, "database-unavailable"),
        ("the database is dropped", "57P04", 503, "database-unavailable"),
        ("a deadlock", "40P01", 503, "database-unavailable"),
        ("not serializable", "40001", 503, "database-unavailable"),
        ("input or output", "58030", 500, "internal"),
    ] {
        let raise = format!(
            "create or replace function fail() returns trigger language plpgsql as
             $$ begin raise exception 'no' using errcode = '{code}'; end $$;
             create or replace trigger fail before insert or update or delete on tasks
               for each row execute function fail()"
        );
        client.batch_execute(&raise).await.expect("create a trigger");
        let response = alice.patch(&path_of(&task)).json(json!({ "title": "y" })).await;
        response.problem(status).kind(kind);
        assert_eq!(response.headers.contains_key("retry-after"), status == 503, "{label}");
        let cause = cause(&app, &response).await;
        assert_eq!(cause, format!("database error {code}: no"), "{label}");
        let line = app.log_line(response.header("x-request-id")).await;
        assert_eq!(line["sqlstate"], code, "{label}");
        let is_repeated = ["53300", "57P03", "40P01", "40001"].contains(&code);
        assert_eq!(line.get("retries").is_some(), is_repeated, "{label}: {line}");
        alice.get(&path_of(&task)).await.good(200);
    }
}

#[tokio::test]
async fn a_server_that_becomes_read_only_still_serves_reads() {
    let app = App::start_with(|_| {}).await;
    let alice = app.user("alice").await;
    let task = alice.task("x").await;
    set_read_only(&app, true).await;
    for (method, path) in [
        (Method::POST, "/tasks".to_owned()),
        (Method::PATCH, path_of(&task)),
        (Method::PATCH, path_of(&task) + "/complete"),
        (Method::DELETE, path_of(&task)),
    ] {
        let request = alice.request(method, &alice.path(&path));
        let response = request.json(json!({ "title": "y" })).await;
        response.problem(503).kind("database-unavailable");
        assert!(cause(&app, &response).await.starts_with("database error 25006: "), "{path}");
    }
    assert_eq!(alice.tasks().await, [task]);
    app.get("/health/db").await.problem(503).kind("database-read-only");
    set_read_only(&app, false).await;
    alice.task("y").await;
}

/// As a failover does: for all sessions, which it ends.
async fn set_read_only(app: &App, read_only: bool) {
    let name = app.database().name();
    let set = format!(
        "alter database {name} set default_transaction_read_only = {read_only};
         select pg_terminate_backend(pid) from pg_stat_activity where datname = '{name}'"
    );
    app.database().admin().await.batch_execute(&set).await.expect("set");
}

/// Sends a request that waits for the table, ends its wait with a function of PostgreSQL's, and unlocks.
async fn interrupted(alice: &User, method: Method, function: &str) -> Response {
    let client = alice.app().client().await;
    client.batch_execute("begin; lock table tasks").await.expect("lock");
    let request = alice.request(method, &alice.path("/tasks")).json(json!({ "title": "x" }));
    let request = tokio::spawn(request.into_future());
    interrupt(&client, function).await;
    client.batch_execute("rollback").await.expect("unlock");
    request.await.expect("a request that was made")
}

async fn interrupt(client: &Client, function: &str) {
    let interrupt = format!(
        "select {function}(pid)
           from pg_locks
          where relation = 'tasks'::regclass
            and not granted
            and database = (select oid from pg_database where datname = current_database())"
    );
    until("a statement waits for the table", async || {
        client.query_opt(&interrupt, &[]).await.expect("interrupt").map(|_| ())
    })
    .await;
}

#[tokio::test]
async fn a_statement_that_is_cancelled_is_a_504() {
    let app = App::start_with(|_| {}).await;
    let alice = app.user("alice").await;
    for method in [Method::GET, Method::POST] {
        let response = interrupted(&alice, method, "pg_cancel_backend").await;
        response.problem(504).kind("database-too-slow");
        assert!(cause(&app, &response).await.starts_with("database error 57014: "));
    }
    assert!(alice.tasks().await.is_empty());
}

#[tokio::test]
async fn a_session_that_is_ended_costs_a_read_nothing_and_a_write_its_answer() {
    let app = App::start_with(|_| {}).await;
    let alice = app.user("alice").await;
    let read = interrupted(&alice, Method::GET, "pg_terminate_backend").await;
    assert_eq!(read.good(200), json!([]));
    let write = interrupted(&alice, Method::POST, "pg_terminate_backend").await;
    write.problem(503).kind("database-unavailable");
    assert!(cause(&app, &write).await.starts_with("database error 57P01: "));
    assert!(alice.tasks().await.is_empty());
}
