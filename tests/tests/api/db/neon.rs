//! A compute of Neon's behind its proxy: suspended, moved, and refused with Neon's messages.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures::future::join_all;
use neon_url::DatabaseUrl;
use reqwest::Method;
use serde_json::{Value, json};
use tests::{
    AUTHORITY, App, Difference, NeonMessage, NeonProxy, Response, TestServer, User, until,
};

use super::cause;
use crate::path_of;

/// What the server acknowledges survives the end of its processes.
const SAFE: &[(&str, &str)] = &[("synchronous_commit", "on")];

/// A service whose database on this server is behind a proxy; `None` where a component cannot name the proxy's
/// authority.
async fn behind_neon(
    server: &'static TestServer,
    url: impl FnOnce(&NeonProxy, &DatabaseUrl) -> DatabaseUrl,
) -> Option<(App, NeonProxy)> {
    if Difference::NoPrivateCa.applies() {
        return None;
    }
    let proxy = NeonProxy::before(server).await;
    let database = server.migrated_database().await;
    database.checkpoint().await;
    let url = url(&proxy, &database.api_url());
    let app = App::start_on(database, |options| {
        options.database(&url);
        options.set("database_ca", AUTHORITY);
        options.reuse = crate::large_instances();
    })
    .await;
    Some((app, proxy))
}

async fn log_line(app: &App, response: &Response) -> Value {
    app.log_line(response.header("x-request-id")).await
}

#[tokio::test]
async fn a_suspended_compute_is_a_slow_first_request() {
    const WAKING: Duration = Duration::from_secs(3);
    let server = TestServer::with_settings(SAFE).await;
    let Some((app, proxy)) = behind_neon(server, NeonProxy::through).await else { return };
    let alice = app.user("alice").await;
    let task = alice.task("before").await;

    proxy.suspend(WAKING).await;
    let begin = Instant::now();
    let created = ["one", "two", "three"]
        .map(|title| tokio::spawn(alice.create(json!({ "title": title })).into_future()));
    let read = tokio::spawn(alice.get(&path_of(&task)).into_future());
    for response in join_all(created).await {
        response.expect("a request that was made").good(201);
    }
    assert_eq!(read.await.expect("a request that was made").good(200), task);
    assert!(begin.elapsed() >= WAKING, "{:?}", begin.elapsed());
    assert_eq!(proxy.starts(), 1);

    assert_eq!(alice.tasks().await.len(), 4, "once each");
    app.get("/health/db").await.good(200);
}

#[tokio::test]
async fn a_compute_that_moves_loses_nothing_and_doubles_nothing() {
    const CLIENTS: usize = 8;
    const MOVES: usize = 3;
    const BETWEEN: usize = 40;
    let server = TestServer::with_settings(SAFE).await;
    let Some((app, proxy)) = behind_neon(server, NeonProxy::through).await else { return };
    let users = join_all((0..CLIENTS).map(|_| app.user("alice"))).await;
    let acknowledged = Arc::new(AtomicUsize::new(0));
    let enough = MOVES * BETWEEN + BETWEEN;
    let clients: Vec<_> = users
        .into_iter()
        .map(|user| tokio::spawn(create_tasks(user, Arc::clone(&acknowledged), enough)))
        .collect();
    for number in 1..=MOVES {
        until("the clients go on", async || {
            (acknowledged.load(Ordering::SeqCst) >= number * BETWEEN).then_some(())
        })
        .await;
        proxy.move_compute().await;
    }
    assert_eq!(proxy.starts(), MOVES);
    for client in join_all(clients).await {
        let (user, titles) = client.expect("a client that ends");
        let mut found: Vec<String> = user
            .tasks()
            .await
            .iter()
            .map(|task| task["title"].as_str().expect("a title").to_owned())
            .collect();
        found.reverse();
        assert_eq!(found, titles);
    }
}

/// Creates tasks one after the other, each until it is acknowledged. The titles, in this order.
async fn create_tasks(
    user: User,
    acknowledged: Arc<AtomicUsize>,
    enough: usize,
) -> (User, Vec<String>) {
    let mut titles = Vec::new();
    while acknowledged.load(Ordering::SeqCst) < enough {
        let title = format!("task {}", titles.len());
        loop {
            let request = user.create(json!({ "title": title }));
            let response = request.header("Idempotency-Key", &title.replace(' ', "-")).await;
            match response.status {
                201 => break,
                // Under a statement that may have run.
                503 => response.problem(503).kind("database-unavailable"),
                _ => panic!("{response}"),
            };
        }
        titles.push(title);
        acknowledged.fetch_add(1, Ordering::SeqCst);
    }
    (user, titles)
}

#[tokio::test]
async fn what_no_time_changes_is_a_503_at_once_with_its_cause_in_the_log() {
    let server = TestServer::throwaway().await;
    let Some((app, proxy)) = behind_neon(server, NeonProxy::through).await else { return };
    let alice = app.user("alice").await;
    for message in NeonMessage::PERMANENT {
        proxy.refuse(message, usize::MAX).await;
        for method in [Method::GET, Method::POST] {
            let request = alice.request(method, &alice.path("/tasks"));
            let response = request.json(json!({ "title": "x" })).await;
            assert_refused(&app, &response, message.text).await;
        }
    }
    app.get("/health/db").await.problem(503).kind("database-unavailable");
    proxy.accept().await;
    alice.task("x").await;
    assert_eq!(alice.tasks().await.len(), 1);
}

/// Asserts that the database was tried once, and that the log has the reason and the response has not.
async fn assert_refused(app: &App, response: &Response, text: &str) {
    response.problem(503).kind("database-unavailable");
    assert_eq!(response.header("retry-after"), "2");
    let line = log_line(app, response).await;
    assert!(line.get("retries").is_none(), "{line}");
    let cause = cause(app, response).await;
    // A cause is cut after 300 characters.
    assert!(cause.contains(&text[..text.len().min(150)]), "{cause}");
    let password = app.database().api_url();
    let password = password.password().expect("a password");
    for (what, forbidden) in [("password", password), ("connection string", "postgresql://")] {
        assert!(!line.to_string().contains(forbidden), "{what}: {line}");
    }
    assert!(!response.text().contains(&text[..20]), "{response}");
}

#[tokio::test]
async fn a_busy_control_plane_is_waited_for() {
    const REFUSED: usize = 3;
    let server = TestServer::throwaway().await;
    let Some((app, proxy)) = behind_neon(server, NeonProxy::through).await else { return };
    let alice = app.user("alice").await;
    for (number, message) in NeonMessage::TEMPORARY.into_iter().enumerate() {
        proxy.refuse(message, REFUSED).await;
        let response = alice.create(json!({ "title": "x" })).await;
        response.good(201);
        let line = log_line(&app, &response).await;
        assert_eq!(line["retries"], REFUSED, "{}: {line}", message.text);
        assert_eq!(alice.tasks().await.len(), number + 1);
    }
}

#[tokio::test]
async fn an_endpoint_that_does_not_exist_is_refused() {
    let url = |proxy: &NeonProxy, url: &DatabaseUrl| proxy.through_endpoint(url, "ep-other");
    let server = TestServer::throwaway().await;
    let Some((app, _proxy)) = behind_neon(server, url).await else { return };
    let response = app.unregistered_user("alice").get("/tasks").await;
    assert_refused(&app, &response, "The requested endpoint could not be found").await;
}

#[tokio::test]
async fn a_connection_that_names_no_endpoint_is_refused() {
    let server = TestServer::throwaway().await;
    let Some((app, _proxy)) = behind_neon(server, NeonProxy::without_endpoint).await else {
        return;
    };
    let response = app.unregistered_user("alice").get("/tasks").await;
    assert_refused(&app, &response, "Endpoint ID is not specified").await;
}
