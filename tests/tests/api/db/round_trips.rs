//! The statements and round trips of every kind of request, counted on the wire: exactly one statement, and what
//! the host adds to it.

use std::collections::BTreeSet;
use std::time::Duration;

use futures::future::join_all;
use reqwest::Method;
use serde_json::json;
use tests::{App, FaultProxy, Request, Sent, TestDatabase, Token, until};

use super::behind_proxy;
use crate::path_of;

/// What the host asks before it uses a connection again: it resets the session, and sees that the server is there.
const RESET: &str = "Q";
/// Parse, Describe, Sync: the host prepares every statement each time.
const PREPARE: &str = "PDS";
/// Bind, Execute, Sync.
const EXECUTE: &str = "BES";
/// Close, Sync: the statement's end. Nobody waits for the answer.
const CLOSE: &str = "CS";

/// A statement on a connection that was in use before: three round trips.
const ON_A_CONNECTION_IN_USE: [&str; 4] = [RESET, PREPARE, EXECUTE, CLOSE];
/// A statement on a new connection: its first message, the two of the authentication by password (SCRAM), and no
/// reset, so five round trips.
const ON_A_NEW_CONNECTION: [&str; 6] = ["^", "p", "p", PREPARE, EXECUTE, CLOSE];

/// Connections that the host has before the requests that are counted.
const CONNECTIONS: usize = 3;

/// A service that has had requests, none of them counted.
async fn in_use() -> (App, FaultProxy) {
    let (app, proxy) = behind_proxy(Duration::from_secs(30), |_| {}).await;
    let reader = app.user("reader").await;
    // A request may come before the host has taken back the connection of the one before.
    until("the host has connections", async || {
        join_all((0..8).map(|_| reader.get("/tasks").into_future())).await;
        (proxy.accepted() >= CONNECTIONS).then_some(())
    })
    .await;
    sent(&proxy).await;
    (app, proxy)
}

/// What was sent since the last call.
async fn sent(proxy: &FaultProxy) -> Vec<Sent> {
    until("every statement is closed", async || {
        (proxy.count_sent(PREPARE) == proxy.count_sent(CLOSE)).then_some(())
    })
    .await;
    let mut sent = proxy.take_sent();
    // The end of one statement may come after the beginning of the next one on another connection.
    sent.sort_by_key(|one| one.connection);
    // Where a busy machine takes more than a second for a connection, the API tries others meanwhile.
    let prepares = sent.iter().filter(|one| one.messages == PREPARE);
    let used: BTreeSet<usize> = prepares.map(|one| one.connection).collect();
    sent.retain(|one| used.contains(&one.connection));
    sent
}

fn messages(sent: &[Sent]) -> Vec<&str> {
    sent.iter().map(|one| one.messages.as_str()).collect()
}

/// Asserts that these are complete statements on connections that were in use before.
#[track_caller]
fn assert_statements(label: &str, sent: &[Sent], statements: usize) {
    assert_eq!(messages(sent), ON_A_CONNECTION_IN_USE.repeat(statements), "{label}: {sent:#?}");
    for one in sent.chunks(ON_A_CONNECTION_IN_USE.len()) {
        assert!(one[0].sql.as_ref().is_some_and(|sql| sql.contains("RESET ALL")), "{one:#?}");
        assert!(one[1].sql.as_ref().is_some_and(|sql| !sql.trim().is_empty()), "{one:#?}");
        assert_eq!(one[1].sql, one[2].sql, "{label}");
        assert!(one.iter().all(|message| message.connection == one[0].connection), "{one:#?}");
    }
}

/// Sends requests one after the other: a label, the request, the response's status, the number of statements.
async fn assert_each(proxy: &FaultProxy, requests: Vec<(&str, Request, u16, usize)>) {
    for (label, request, status, statements) in requests {
        let response = request.await;
        assert_eq!(response.status, status, "{label}: {response}");
        assert_statements(label, &sent(proxy).await, statements);
    }
}

#[tokio::test]
async fn a_read_is_one_statement_in_three_round_trips() {
    let (app, proxy) = in_use().await;
    let alice = app.user("alice").await;
    let task = alice.task("Buy milk").await;
    alice.task("Buy tea").await;
    let path = path_of(&task);
    let etag = alice.get(&path).await.header("etag").to_owned();
    let page = alice.get("/tasks?limit=1").await;
    let cursor = page.header("link").split(['<', '>']).nth(1).expect("a link").to_owned();
    let next = alice.get(&format!("/tasks{cursor}"));
    sent(&proxy).await;
    let get = || alice.get(&path);
    assert_each(
        &proxy,
        vec![
            ("get", get(), 200, 1),
            ("HEAD", alice.request(Method::HEAD, &alice.path(&path)), 200, 1),
            ("known", get().header("If-None-Match", &etag), 304, 1),
            ("stale", get().header("If-Match", "\"1-1\""), 412, 1),
            ("absent", alice.get("/tasks/2147483647"), 404, 1),
            ("another user's", app.user("bob").await.get(&path), 404, 1),
            ("list", alice.get("/tasks"), 200, 1),
            ("page", alice.get("/tasks?limit=1"), 200, 1),
            ("next page", next, 200, 1),
            ("filtered", alice.get("/tasks?status=incomplete"), 200, 1),
            ("by priority", alice.get("/tasks?sort=priority"), 200, 1),
            ("both", alice.get("/tasks?status=incomplete&sort=priority"), 200, 1),
            ("empty", alice.get("/tasks?status=complete"), 200, 1),
            ("health", app.get("/health/db"), 200, 1),
            ("pool", app.get("/health/pool"), 200, 1),
        ],
    )
    .await;
}

#[tokio::test]
async fn a_write_is_one_statement_in_three_round_trips() {
    let (app, proxy) = in_use().await;
    let alice = app.user("alice").await;
    let path = path_of(&alice.task("Buy milk").await);
    let doomed = path_of(&alice.task("Buy tea").await);
    sent(&proxy).await;
    let create = || alice.create(json!({ "title": "Buy bread" }));
    let with_key =
        |title: &str| alice.create(json!({ "title": title })).header("Idempotency-Key", "a");
    let put = || alice.put(&path).json(json!({ "title": "Buy oats" }));
    let (absent, stale) = ("/tasks/2147483647", "\"1-1\"");
    assert_each(
        &proxy,
        vec![
            ("create", create(), 201, 1),
            ("create again", create(), 201, 1),
            (
                "first of a new user",
                app.unregistered_user("new").create(json!({ "title": "x" })),
                201,
                1,
            ),
            ("with a key", with_key("Buy rice"), 201, 1),
            ("replayed", with_key("Buy rice"), 201, 1),
            ("another body", with_key("Buy salt"), 422, 1),
            ("put", put(), 200, 1),
            ("put, nothing changes", put(), 200, 1),
            ("put, stale", put().header("If-Match", stale), 412, 1),
            ("put, absent", alice.put(absent).json(json!({ "title": "x" })), 404, 1),
            ("patch", alice.patch(&path).json(json!({ "priority": "high" })), 200, 1),
            ("complete", alice.patch(&format!("{path}/complete")), 200, 1),
            ("complete again", alice.patch(&format!("{path}/complete")), 200, 1),
            ("reopen", alice.patch(&format!("{path}/incomplete")), 200, 1),
            (
                "status",
                alice.patch(&format!("{path}/status")).json(json!({ "status": "complete" })),
                200,
                1,
            ),
            ("complete, absent", alice.patch(&format!("{absent}/complete")), 404, 1),
            ("delete, stale", alice.delete(&doomed).header("If-Match", stale), 412, 1),
            ("delete", alice.delete(&doomed), 204, 1),
            ("delete again", alice.delete(&doomed), 404, 1),
        ],
    )
    .await;
}

#[tokio::test]
async fn what_needs_no_database_asks_it_nothing() {
    let (app, proxy) = in_use().await;
    let alice = app.user("alice").await;
    let path = path_of(&alice.task("Buy milk").await);
    let whole = alice.path(&path);
    sent(&proxy).await;
    assert_each(
        &proxy,
        vec![
            ("health", app.get("/health"), 200, 0),
            ("root", app.get("/"), 200, 0),
            ("no token", app.get(&whole), 401, 0),
            ("bad token", app.get(&whole).token("x.y.z"), 401, 0),
            ("another user's path", app.user("bob").await.request(Method::GET, &whole), 404, 0),
            ("no title", alice.create(json!({})), 400, 0),
            ("no change", alice.put(&path).json(json!({})), 400, 0),
            ("bad id", alice.get("/tasks/x"), 400, 0),
            ("bad filter", alice.get("/tasks?status=done"), 400, 0),
            ("media type", alice.post("/tasks").body("text/plain", "x"), 415, 0),
            ("too large", alice.create(json!({ "title": "x".repeat(200_000) })), 413, 0),
            ("no route", app.get("/nowhere"), 404, 0),
            ("method", alice.post(&path), 405, 0),
            ("preflight", app.request(Method::OPTIONS, &whole), 204, 0),
        ],
    )
    .await;
}

#[tokio::test]
async fn only_an_account_that_differs_costs_a_second_statement() {
    let (app, proxy) = in_use().await;
    let alice = app.user("alice").await;
    let body = || json!({ "title": "Buy milk" });
    let taken = Token::new("other").claim("email", alice.email()).signed(app.jwt_secret());
    let taken = app.unregistered_user_with_id("other").with_token(taken);
    let nameless = app.unregistered_user_with_id("nameless");
    let nameless = nameless.with_token(Token::new("nameless").signed(app.jwt_secret()));
    assert_each(
        &proxy,
        vec![
            ("another account's address", taken.create(body()), 409, 2),
            ("neither account nor address", nameless.create(body()), 403, 1),
            ("create", alice.create(body()), 201, 1),
        ],
    )
    .await;

    let rename = "update users set email = 'another@example.com' where id = $1";
    app.client().await.execute(rename, &[&alice.id]).await.expect("change the address");
    assert_each(&proxy, vec![("a changed account", alice.create(body()), 201, 1)]).await;

    // An instance that remembers the account with its old address asks for that first; another one does not.
    app.client().await.execute(rename, &[&alice.id]).await.expect("change the address");
    alice.create(body()).header("Idempotency-Key", "a").await.good(201);
    let sent = sent(&proxy).await;
    let statements = sent.len() / ON_A_CONNECTION_IN_USE.len();
    assert!((1..=2).contains(&statements), "{sent:#?}");
    assert_statements("a changed account, with a key", &sent, statements);
}

#[tokio::test]
async fn no_request_waits_for_the_end_of_its_statement() {
    let (app, proxy) = in_use().await;
    let alice = app.user("alice").await;
    proxy.silence_after(CLOSE);
    alice.get("/tasks").await.good(200);
    until("the statement is closed", async || (proxy.count_sent(CLOSE) == 1).then_some(())).await;
}

#[tokio::test]
async fn a_new_connection_costs_three_round_trips_more_and_no_reset() {
    let database = TestDatabase::migrated().await;
    let url = database.api_url();
    let proxy = FaultProxy::to(&url).await;
    let app = App::start_on(database, |options| {
        options.database(&proxy.through(&url));
    })
    .await;
    let alice = app.user("alice").await;
    alice.get("/tasks").await.good(200);
    let sent = sent(&proxy).await;
    assert_eq!(messages(&sent), ON_A_NEW_CONNECTION, "{sent:#?}");
}
