//! A server with far fewer connections than there are requests: successes and 503s, nothing else, and all is
//! well when the load is over.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use futures::future::join_all;
use serde_json::json;
use tests::{App, TestServer, User};

/// Three of them are the superuser's.
const FEW: &[(&str, &str)] = &[("max_connections", "12"), ("superuser_reserved_connections", "3")];

/// What is left for the API's role.
const LEFT: i64 = 9;

const CLIENTS: usize = 60;

/// Requests of each client.
const REQUESTS: usize = 3;

/// Time limit of a request: longer than all of its waits together, and far from a hang.
const ANSWERED: Duration = Duration::from_mins(1);

#[tokio::test]
async fn of_connections_costs_some_requests_a_503_and_nothing_else() {
    let database = TestServer::with_settings(FEW).await.migrated_database().await;
    // The service waits for a connection as long as in production.
    let url = database.api_url();
    let app = App::start_on(database, |options| {
        options.database(&url);
    })
    .await;
    let alice = app.user("alice").await;
    let succeeded = Arc::new(AtomicUsize::new(0));
    let clients = (0..CLIENTS).map(|number| {
        let (alice, succeeded) = (alice.clone(), Arc::clone(&succeeded));
        tokio::spawn(async move { work(&alice, number, &succeeded).await })
    });
    let over = Arc::new(AtomicBool::new(false));
    let watch = tokio::spawn(watch_health(app.clone(), Arc::clone(&over)));
    for client in join_all(clients).await {
        client.expect("a client's work");
    }
    over.store(true, Ordering::SeqCst);
    let reports = watch.await.expect("the health was watched");

    let succeeded = succeeded.load(Ordering::SeqCst);
    assert!(succeeded > 0, "nothing succeeded");
    assert!(reports > 0, "no health was reported");
    // Every success is there, and the load's end is the end of its consequences.
    let stored = alice.tasks().await.len();
    assert!(stored >= succeeded, "{stored} tasks of {succeeded}");
    alice.task("afterwards").await;
    app.get("/health").await.good(200);
}

/// Creates and lists tasks: each is done, or a 503 that says when to come again.
async fn work(alice: &User, number: usize, succeeded: &AtomicUsize) {
    for request in 0..REQUESTS {
        let title = format!("{request} of {number}");
        for (status, request) in
            [(201, alice.create(json!({ "title": title }))), (200, alice.get("/tasks?limit=1"))]
        {
            let response = tokio::time::timeout(ANSWERED, request.into_future()).await;
            let response = response.expect("a request hangs");
            if response.status == 503 {
                response.problem(503).kind("database-unavailable");
                assert_eq!(response.header("retry-after"), "2");
            } else {
                response.good(status);
                succeeded.fetch_add(usize::from(status == 201), Ordering::SeqCst);
            }
        }
    }
}

/// Asks for the health until the load is over: it is either 503 or true. The number of true reports.
async fn watch_health(app: App, over: Arc<AtomicBool>) -> usize {
    let mut reports = 0;
    while !over.load(Ordering::SeqCst) {
        let response = app.get("/health/db").await;
        match response.status {
            503 => drop(response.problem(503).kind("database-unavailable")),
            _ => assert_eq!(response.good(200)["status"], "healthy"),
        }
        let response = app.get("/health/pool").await;
        if response.status == 503 {
            response.problem(503).kind("database-unavailable");
            continue;
        }
        let pool = response.good(200);
        let figure = |name: &str| pool[name].as_i64().expect("a figure");
        assert!((1..=LEFT).contains(&figure("total")), "{pool}");
        assert_eq!(figure("checked_in") + figure("checked_out"), figure("total"), "{pool}");
        reports += 1;
    }
    reports
}
