//! Cross-origin requests: pages of the configured origins may use the API, and no others.

use reqwest::Method;
use serde_json::json;
use tests::{App, Request, Response};

const APP: &str = "https://app.example";
const DEVELOPMENT: &str = "http://localhost:5173";

async fn app() -> App {
    App::start_with(|options| {
        options.set("cors_origins", &format!("{APP}, {DEVELOPMENT}"));
    })
    .await
}

fn preflight(app: &App, path: &str, origin: &str, method: &str) -> Request {
    app.request(Method::OPTIONS, path)
        .header("Origin", origin)
        .header("Access-Control-Request-Method", method)
        .header("Access-Control-Request-Headers", "authorization,content-type")
}

fn words(response: &Response, name: &str) -> Vec<String> {
    let mut words: Vec<_> = response
        .headers
        .get_all(name)
        .iter()
        .flat_map(|value| value.to_str().expect("text").split(','))
        .map(|word| word.trim().to_lowercase())
        .collect();
    words.sort();
    words
}

#[tokio::test]
async fn a_preflight_says_what_a_page_may_do() {
    let app = app().await;
    for origin in [APP, DEVELOPMENT] {
        for (path, methods) in [
            ("/api/alice/tasks", &["get", "head", "options", "post"][..]),
            ("/api/alice/tasks/1", &["delete", "get", "head", "options", "patch", "put"]),
            ("/api/alice/tasks/1/complete", &["options", "patch"]),
            ("/health", &["get", "head", "options"]),
            ("/", &["get", "head", "options"]),
        ] {
            let response = preflight(&app, path, origin, "GET").await;
            assert_eq!(response.status, 204, "{path}: {response}");
            assert!(response.body.is_empty(), "{path}");
            assert_eq!(response.header("access-control-allow-origin"), origin, "{path}");
            assert_eq!(response.header("access-control-allow-credentials"), "true", "{path}");
            assert_eq!(words(&response, "access-control-allow-methods"), methods, "{path}");
            for header in
                ["authorization", "content-type", "if-match", "if-none-match", "idempotency-key"]
            {
                let allowed = words(&response, "access-control-allow-headers");
                assert!(allowed.iter().any(|name| name == header), "{path}: {header}");
            }
            let seconds: u32 = response.header("access-control-max-age").parse().expect("seconds");
            assert!(seconds >= 600, "{path}: {seconds}");
            assert!(words(&response, "vary").contains(&"origin".to_owned()), "{path}");
            assert!(response.header("server-timing").starts_with("db;dur=0.000,"), "{path}");
        }
    }
}

#[tokio::test]
async fn a_page_of_a_configured_origin_can_read_the_answer() {
    let app = app().await;
    let alice = app.user("alice").await;
    let task = alice.task("Buy milk").await;
    let path = crate::path_of(&task);
    for (label, request, status) in [
        ("list", alice.get("/tasks"), 200),
        ("get", alice.get(&path), 200),
        ("create", alice.create(json!({ "title": "x" })), 201),
        ("invalid", alice.create(json!({})), 400),
        ("no token", app.get("/api/alice/tasks"), 401),
        ("absent", alice.get("/tasks/2147483647"), 404),
        ("unknown route", app.get("/nowhere"), 404),
        ("wrong method", app.request(Method::PUT, "/health"), 405),
        ("health", app.get("/health/db"), 200),
    ] {
        let response = request.header("Origin", APP).await;
        assert_eq!(response.status, status, "{label}: {response}");
        assert_eq!(response.header("access-control-allow-origin"), APP, "{label}");
        assert_eq!(response.header("access-control-allow-credentials"), "true", "{label}");
        let exposed = words(&response, "access-control-expose-headers");
        for header in ["etag", "link", "location", "x-request-id", "idempotency-replayed"] {
            assert!(exposed.iter().any(|name| name == header), "{label}: {header}");
        }
        assert!(words(&response, "vary").contains(&"origin".to_owned()), "{label}");
    }
}

#[tokio::test]
async fn other_origins_are_not_let_in() {
    let app = app().await;
    let alice = app.user("alice").await;
    for origin in [
        "https://evil.example",
        "http://app.example",
        "https://app.example:8443",
        "https://app.example.evil.example",
        "https://sub.app.example",
        "https://app.exampl",
        "HTTPS://APP.EXAMPLE",
        "null",
        "*",
        "",
    ] {
        let answers = [
            preflight(&app, "/api/alice/tasks", origin, "POST").await,
            alice.get("/tasks").header("Origin", origin).await,
        ];
        for response in answers {
            let named: Vec<_> = response
                .headers
                .keys()
                .filter(|name| name.as_str().starts_with("access-control-"))
                .collect();
            assert_eq!(named, [] as [&reqwest::header::HeaderName; 0], "{origin}: {response:#}");
            assert!(words(&response, "vary").contains(&"origin".to_owned()), "{origin}");
        }
    }
}

#[tokio::test]
async fn without_configured_origins_there_is_nothing_about_them() {
    let app = App::start_with(|_| {}).await;
    let alice = app.user("alice").await;
    let answers = [
        preflight(&app, "/api/alice/tasks", APP, "POST").await,
        alice.get("/tasks").header("Origin", APP).await,
    ];
    for response in answers {
        let named =
            response.headers.keys().any(|name| name.as_str().starts_with("access-control-"));
        assert!(!named, "{response:#}");
    }
}

#[tokio::test]
async fn preflights_do_not_need_the_database() {
    let closed = "postgresql://u:pw@127.0.0.1:1/x".parse().expect("a connection string");
    let app = App::start_with(|options| {
        options.database(&closed).set("cors_origins", APP);
    })
    .await;
    let response = preflight(&app, "/api/alice/tasks", APP, "POST").await;
    assert_eq!(response.status, 204, "{response}");
    assert_eq!(response.header("access-control-allow-origin"), APP);
    // And a page can read that the database is unavailable.
    let response = app.unregistered_user("alice").get("/tasks").header("Origin", APP).await;
    response.problem(503);
    assert_eq!(response.header("access-control-allow-origin"), APP);
}

#[tokio::test]
async fn a_pattern_is_no_origin() {
    for origins in ["*", "https://*.example", "null", "app.example", "https://app.example/path"] {
        let app = App::start_with(|options| {
            options.set("cors_origins", origins);
        })
        .await;
        app.get("/health/db").await.problem(503).mentions("cors_origins");
    }
}
