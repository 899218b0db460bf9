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
            ("/api/alice/tasks/1/incomplete", &["options", "patch"]),
            ("/api/alice/tasks/1/status", &["options", "patch"]),
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

/// Otherwise the page would see a failed request, and not the 404 or the 405.
#[tokio::test]
async fn a_preflight_of_any_path_and_method_is_answered() {
    let app = app().await;
    for (path, method, known) in [
        ("/nowhere", "GET", &[][..]),
        ("/nowhere", "PUT", &[]),
        ("/api/alice/tasks/1/nope", "DELETE", &[]),
        ("/api/alice/tasks", "DELETE", &["get", "head", "options", "post"]),
        ("/api/alice/tasks/1/complete", "PUT", &["options", "patch"]),
        ("/health", "QUERY", &["get", "head", "options"]),
        // Methods have a case of their own.
        ("/api/alice/tasks/1", "patch", &["delete", "get", "head", "options", "patch", "put"]),
    ] {
        let response = preflight(&app, path, APP, method).await;
        assert_eq!(response.status, 204, "{method} {path}: {response}");
        assert_eq!(response.header("access-control-allow-origin"), APP, "{method} {path}");
        let allowed = response.header("access-control-allow-methods");
        assert!(allowed.split(',').any(|allowed| allowed == method), "{method} {path}: {allowed}");
        let mut expected: Vec<String> =
            known.iter().map(|known| (*known).to_owned()).chain([method.to_lowercase()]).collect();
        expected.sort();
        assert_eq!(words(&response, "access-control-allow-methods"), expected, "{method} {path}");
        let headers = words(&response, "access-control-allow-headers");
        assert!(headers.contains(&"authorization".to_owned()), "{method} {path}: {headers:?}");
        // And then the page reads the answer.
        let wrong = Method::from_bytes(method.as_bytes()).expect("a method");
        let response = app.request(wrong, path).header("Origin", APP).await;
        assert!([401, 404, 405].contains(&response.status), "{response}");
        assert_eq!(response.header("access-control-allow-origin"), APP, "{method} {path}");
    }
    // Without a page behind it, the path is asked for its methods.
    app.request(Method::OPTIONS, "/nowhere").header("Origin", APP).await.problem(404);
}

/// Libraries for tracing add headers to the requests of a page; they are let through.
#[tokio::test]
async fn a_preflight_allows_the_headers_that_it_asks_for() {
    let app = app().await;
    let asked = async |names: &str| {
        let request = app
            .request(Method::OPTIONS, "/api/alice/tasks")
            .header("Origin", APP)
            .header("Access-Control-Request-Method", "POST")
            .header("Access-Control-Request-Headers", names);
        let response = request.await;
        assert_eq!(response.status, 204, "{names}: {response}");
        for name in ["access-control-request-headers", "access-control-request-method", "origin"] {
            assert!(words(&response, "vary").contains(&name.to_owned()), "{names}: {response:#}");
        }
        words(&response, "access-control-allow-headers")
    };
    let known = asked("").await;
    assert_eq!(known.len(), 6, "{known:?}");
    let with = |more: &[&str]| {
        let more = more.iter().map(|name| (*name).to_owned());
        let mut names: Vec<String> = known.iter().cloned().chain(more).collect();
        names.sort();
        names
    };
    let tracing = ["baggage", "sentry-trace", "traceparent", "tracestate", "x-requested-with"];
    assert_eq!(asked(&tracing.join(",")).await, with(&tracing));
    assert_eq!(asked("authorization, content-type,authorization").await, known);
    // Neither a malformed name nor a list that is too long is repeated.
    assert_eq!(asked("x-a, x b, \"x-c\", x:d, <x>, ,x-e").await, with(&["x-a", "x-e"]));
    let long: Vec<String> = (0..200).map(|number| format!("x-header-{number}")).collect();
    assert_eq!(asked(&long.join(",")).await, known);
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
        ("stale", alice.get(&path).header("If-Match", "\"other\""), 412),
        ("wrong method", app.request(Method::PUT, "/health"), 405),
        ("health", app.get("/health/db"), 200),
    ] {
        let response = request.header("Origin", APP).await;
        assert_eq!(response.status, status, "{label}: {response}");
        assert_eq!(response.header("access-control-allow-origin"), APP, "{label}");
        assert_eq!(response.header("access-control-allow-credentials"), "true", "{label}");
        let exposed = words(&response, "access-control-expose-headers");
        for header in ["allow", "etag", "link", "location", "x-request-id", "idempotency-replayed"]
        {
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
            preflight(&app, "/nowhere", origin, "PUT").await,
            alice.get("/tasks").header("Origin", origin).await,
            app.get("/nowhere").header("Origin", origin).await,
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
    let app = App::start_with(|options| {
        options.database(&crate::closed_database()).set("cors_origins", APP);
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
