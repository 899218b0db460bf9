//! The headers of every response, on every path through the service.

use reqwest::Method;
use serde_json::json;
use tests::{App, Request, Response, TestDatabase, raw_request};

use crate::{NO_TASK, path_of};

/// One response of every kind from a working service, with a label.
async fn every_kind_of_response() -> Vec<(&'static str, Response)> {
    let app = App::start().await;
    let (alice, bob) = (app.user("alice").await, app.user("bob").await);
    let (task, gone) = (alice.task("Buy milk").await, alice.task("gone").await);
    let path = path_of(&task);
    let his = bob.path(&path_of(&bob.task("his").await));
    let without_token = || app.get("/api/nobody/tasks");
    let head = |path: &str| alice.request(Method::HEAD, path);
    let requests: Vec<(&'static str, Request)> = vec![
        ("index", app.get("/")),
        ("health", app.get("/health")),
        ("health of the database", app.get("/health/db")),
        ("health of the pool", app.get("/health/pool")),
        ("create", alice.create(json!({ "title": "x" }))),
        ("list", alice.get("/tasks")),
        ("list of one status", alice.get("/tasks?status=complete")),
        ("get", alice.get(&path)),
        ("put", alice.put(&path).json(json!({ "title": "y" }))),
        ("patch", alice.patch(&path).json(json!({ "title": "z" }))),
        ("complete", alice.patch(&format!("{path}/complete"))),
        ("HEAD index", head("/")),
        ("HEAD health", head("/health")),
        ("HEAD list", head(&alice.path("/tasks"))),
        ("HEAD get", head(&alice.path(&path))),
        ("HEAD absent task", head(&alice.path(&format!("/tasks/{NO_TASK}")))),
        ("HEAD unknown route", head("/nope")),
        ("HEAD wrong method", head(&alice.path(&format!("{path}/complete")))),
        ("OPTIONS", alice.request(Method::OPTIONS, &alice.path("/tasks"))),
        ("invalid", alice.create(json!({}))),
        ("malformed", alice.post("/tasks").json_bytes("{")),
        ("bad id", alice.get("/tasks/0")),
        ("bad filter", alice.get("/tasks?status=x")),
        ("no token", without_token()),
        ("bad token", without_token().token("x")),
        ("absent task", alice.get(&format!("/tasks/{NO_TASK}"))),
        ("foreign path", alice.request(Method::GET, &his)),
        ("unknown route", app.get("/nope")),
        ("wrong method", app.request(Method::POST, "/health")),
        ("wrong method of a task route", alice.delete("/tasks")),
        ("too large", alice.post("/tasks").json_bytes(vec![b' '; 200_000])),
        ("not JSON", alice.post("/tasks").body("text/plain", "x")),
        ("delete", alice.delete(&path_of(&gone))),
    ];
    let mut responses = Vec::new();
    for (label, request) in requests {
        responses.push((label, request.await));
    }
    responses.extend(unhealthy_responses().await);
    responses
}

/// The responses of services that are misconfigured or have no database.
async fn unhealthy_responses() -> Vec<(&'static str, Response)> {
    let misconfigured = App::start_with(|options| {
        options.unset("jwt_secret");
    })
    .await;
    let empty = App::start_on(TestDatabase::create().await, |_| {}).await;
    let unreachable = App::start_with(|options| {
        options.database(&crate::closed_database());
    })
    .await;
    vec![
        ("misconfigured", misconfigured.unregistered_user("alice").get("/tasks").await),
        ("misconfigured health", misconfigured.get("/health/db").await),
        ("no schema", empty.unregistered_user("alice").get("/tasks").await),
        ("no schema, health", empty.get("/health/db").await),
        ("unreachable", unreachable.unregistered_user("alice").get("/tasks").await),
        ("unreachable, health", unreachable.get("/health/db").await),
        ("unreachable, pool", unreachable.get("/health/pool").await),
    ]
}

#[tokio::test]
async fn every_response_has_the_headers_that_all_have() {
    for (label, response) in every_kind_of_response().await {
        assert_eq!(response.header("x-content-type-options"), "nosniff", "{label}");
        // A response with an `ETag` may be cached, but must be revalidated each time.
        let cache = if response.has_header("etag") { "private, no-cache" } else { "no-store" };
        assert_eq!(response.header("cache-control"), cache, "{label}");
        let id = response.header("x-request-id");
        assert!((8..=128).contains(&id.len()), "{label}: {id}");
        let timing = parse_server_timing(response.header("server-timing"));
        let (database, total) = timing.unwrap_or_else(|| panic!("{label}: {response:#}"));
        assert!(0.0 <= database && database <= total, "{label}: {database} of {total} ms");
    }
}

#[tokio::test]
async fn every_response_has_its_length() {
    for (label, response) in every_kind_of_response().await {
        assert!(!response.has_header("transfer-encoding"), "{label}: {response:#}");
        assert_length(label, &response);
    }
}

/// Asserts that `Content-Length` is the length of the body; for HEAD, of GET's body. A 204 must not have
/// one (RFC 9110, section 8.6).
#[track_caller]
fn assert_length(label: &str, response: &Response) {
    let is_head = label.starts_with("HEAD ");
    if response.status == 204 {
        assert!(response.body.is_empty(), "{label}: {response:#}");
        assert!(!response.has_header("content-length"), "{label}: {response:#}");
    } else {
        let length: usize = response.header("content-length").parse().expect("a number");
        assert!(is_head || length == response.body.len(), "{label}: {response:#}");
        assert!(length > 0, "{label}: {response:#}");
    }
}

#[tokio::test]
async fn head_has_the_headers_of_get_and_no_body() {
    let alice = App::start().await.user("alice").await;
    let task = alice.task("Buy milk").await;
    for path in
        ["/".to_owned(), "/health".to_owned(), alice.path("/tasks"), alice.path(&path_of(&task))]
    {
        let get = alice.request(Method::GET, &path).await;
        let head = alice.request(Method::HEAD, &path).await;
        head.empty(200);
        for name in ["content-type", "content-length", "cache-control"] {
            assert_eq!(head.header(name), get.header(name), "{path}: {name}");
        }
    }
}

/// Over HTTP/2 a wrong length breaks the stream.
#[tokio::test]
async fn over_http2_responses_without_a_body_end_well() {
    let app = App::start_with(|_| {}).await;
    let alice = app.user("alice").await;
    let path = alice.path(&path_of(&alice.task("gone").await));
    for _ in 0..20 {
        let head = app.request_http2(Method::HEAD, "/health").await;
        head.empty(200);
        assert_eq!(head.header("content-length"), "20");
    }
    app.request_http2(Method::HEAD, "/nope").await.empty(404);
    app.request_http2(Method::HEAD, &path).token(&alice.token).await.empty(200);
    app.request_http2(Method::DELETE, &path).token(&alice.token).await.empty(204);
}

/// Checked in the raw bytes: HTTP libraries hide a length of 0.
#[tokio::test]
async fn a_204_is_the_end_of_its_response() {
    let app = App::start_with(|_| {}).await;
    let alice = app.user("alice").await;
    let task = alice.path(&path_of(&alice.task("gone").await));
    for (method, path) in [
        ("DELETE", task.as_str()),
        ("OPTIONS", &task),
        ("OPTIONS", "/health"),
        ("OPTIONS", "/docs"),
        ("OPTIONS", "/openapi.json"),
    ] {
        let headers = [&alice.authorization(), "Connection: close"];
        let response = app.send_raw(raw_request(method, path, &headers, "")).await;
        assert_eq!(response.status(), Some(204), "{method} {path}: {response:?}");
        assert_eq!(response.header("transfer-encoding"), None, "{method} {path}: {response:?}");
        assert_eq!(response.header("content-length"), None, "{method} {path}: {response:?}");
        assert_eq!(response.body(), "", "{method} {path}");
    }
}

#[tokio::test]
async fn a_sane_request_id_comes_back() {
    let app = App::start().await;
    for id in [
        "a",
        "5c4f8f0e-6d0b-4a54-8d3f-0b8a7f1f3a55",
        "01JD7Z9V3Q8K6W5X4Y2T1R0PNM",
        "Root=1-67891233-abcdef012345678912345678",
        "a.b_c:d/e",
    ] {
        for path in ["/health", "/nope", "/api/alice/tasks"] {
            let response = app.get(path).header("X-Request-Id", id).await;
            assert_eq!(response.header("x-request-id"), id, "{path}");
        }
    }
}

#[tokio::test]
async fn another_request_id_is_replaced() {
    let app = App::start().await;
    for (label, id) in [
        ("empty", &b""[..]),
        ("space inside", b"a b"),
        ("quote", b"a\"b"),
        ("markup", b"<script>"),
        ("tab", b"a\tb"),
        ("not ASCII", "é".as_bytes()),
        ("far too long", &[b'x'; 5_000]),
    ] {
        let response = app.get("/nope").header_bytes("X-Request-Id", id).await;
        let new = response.header("x-request-id");
        assert_ne!(new.as_bytes(), id, "{label}");
        assert!((8..=128).contains(&new.len()), "{label}: {new}");
        response.problem(404);
    }
}

#[tokio::test]
async fn new_request_ids_differ() {
    let app = App::start().await;
    let (one, two) = (app.get("/health").await, app.get("/health").await);
    assert_ne!(one.header("x-request-id"), two.header("x-request-id"));
}

#[tokio::test]
async fn server_timing_counts_the_database_where_there_was_one() {
    let app = App::start().await;
    let alice = app.user("alice").await;
    let with = alice.get("/tasks").await;
    let without = app.get("/health").await;
    let (database, _) = parse_server_timing(with.header("server-timing")).expect("the format");
    assert!(database > 0.0, "{with:#}");
    let (database, _) = parse_server_timing(without.header("server-timing")).expect("the format");
    assert!(database == 0.0, "{without:#}");
}

#[tokio::test]
async fn the_log_has_the_request_id_and_nothing_private() {
    let app = App::start_with(|_| {}).await;
    let alice = app.user("alice").await;
    let request =
        alice.create(json!({ "title": "a private matter" })).header("X-Request-Id", "find-me");
    request.await.good(201);
    tests::until("the request is in the log", async || app.log().contains("find-me").then_some(()))
        .await;
    let log = app.log();
    for private in ["a private matter", alice.id.as_str(), alice.token.as_str(), app.jwt_secret()] {
        assert!(!log.contains(private), "{log}");
    }
}

#[tokio::test]
async fn what_a_client_chooses_is_short_in_the_log() {
    let app = App::start_with(|_| {}).await;
    let long = "X".repeat(50_000);
    for (id, method, logged) in
        [("long-method", long.as_str(), &long[..32]), ("long-path", "PROPFIND", "PROPFIND")]
    {
        let method = Method::from_bytes(method.as_bytes()).expect("a method");
        let path = format!("/api/{}/tasks?{}", &long[..4_000], &long[..4_000]);
        let request = app.request(method, &path).header("X-Request-Id", id);
        request.header("User-Agent", &long[..4_000]).await.problem(405);
        let line = app.log_line(id).await;
        assert!(line.to_string().len() < 400, "{line}");
        assert_eq!(line["method"], logged);
    }
}

/// `db;dur=1.2, total;dur=3.4` → 1.2 and 3.4.
fn parse_server_timing(value: &str) -> Option<(f64, f64)> {
    let (database, total) = value.split_once(", ")?;
    let number =
        |part: &str, name: &str| part.strip_prefix(name)?.strip_prefix(";dur=")?.parse().ok();
    Some((number(database, "db")?, number(total, "total")?))
}
