//! A server that becomes a standby and is promoted again, as in a failover: a real one, in recovery.

use reqwest::Method;
use serde_json::json;
use tests::{App, TestServer, User, until};

use super::cause;
use crate::path_of;

/// A standby needs the details in the log that the tests' servers leave out, and what is acknowledged has to
/// survive the end of the processes.
const SETTINGS: &[(&str, &str)] = &[("wal_level", "replica"), ("synchronous_commit", "on")];

#[tokio::test]
async fn a_standby_serves_reads_and_a_promotion_brings_writes_back() {
    let server = TestServer::with_settings(SETTINGS).await;
    let database = server.migrated_database().await;
    database.checkpoint().await;
    let app = App::start_on(database, |options| {
        options.directly();
    })
    .await;
    let alice = app.user("alice").await;
    let task = alice.task("before").await;

    server.crash().await;
    server.start_as_standby().await;
    assert_eq!(alice.get(&path_of(&task)).await.good(200), task);
    assert_eq!(alice.tasks().await, std::slice::from_ref(&task));
    for (method, path) in [
        (Method::POST, "/tasks".to_owned()),
        (Method::PUT, path_of(&task)),
        (Method::PATCH, path_of(&task)),
        (Method::PATCH, path_of(&task) + "/complete"),
        (Method::DELETE, path_of(&task)),
    ] {
        assert_read_only(&app, &alice, method, &path).await;
    }
    // An answer from before is kept for a second.
    until("the health check sees the standby", async || {
        let response = app.get("/health/db").await;
        (response.status == 503).then(|| response.problem(503).kind("database-read-only"))
    })
    .await;
    app.get("/health/pool").await.good(200);

    server.promote().await;
    // The same sessions as before: a promotion ends none.
    let after = alice.task("after").await;
    assert_eq!(alice.tasks().await, [after, task]);
    until("the health check sees the promotion", async || {
        (app.get("/health/db").await.status == 200).then_some(())
    })
    .await;
}

async fn assert_read_only(app: &App, alice: &User, method: Method, path: &str) {
    let request = alice.request(method, &alice.path(path));
    let response = request.json(json!({ "title": "x" })).await;
    response.problem(503).kind("database-unavailable");
    assert_eq!(response.header("retry-after"), "2");
    let line = app.log_line(response.header("x-request-id")).await;
    assert_eq!(line["sqlstate"], "25006", "{line}");
    assert!(line.get("retries").is_none(), "{line}");
    assert!(cause(app, &response).await.starts_with("database error 25006: "), "{line}");
}
