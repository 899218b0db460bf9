//! The `Authorization` header: one bearer token, and no other place for it.

use reqwest::Method;
use serde_json::json;
use tests::{App, Token};

#[tokio::test]
async fn every_task_route_asks_for_a_token() {
    let app = App::start().await;
    for (label, method, path) in [
        ("list", Method::GET, "/api/alice/tasks"),
        ("create", Method::POST, "/api/alice/tasks"),
        ("get", Method::GET, "/api/alice/tasks/1"),
        ("put", Method::PUT, "/api/alice/tasks/1"),
        ("patch", Method::PATCH, "/api/alice/tasks/1"),
        ("delete", Method::DELETE, "/api/alice/tasks/1"),
        ("complete", Method::PATCH, "/api/alice/tasks/1/complete"),
    ] {
        let response = app.request(method, path).json(json!({ "title": "x" })).await;
        assert_eq!(response.status, 401, "{label}: {response}");
        response.problem(401);
        let challenge = response.header("www-authenticate");
        assert!(challenge.starts_with("Bearer"), "{label}: {challenge}");
        // RFC 6750, section 3.1: without a token there is no error to name.
        assert!(!challenge.contains("error="), "{label}: {challenge}");
    }
}

#[tokio::test]
async fn the_other_routes_need_no_token() {
    let app = App::start().await;
    for path in ["/", "/health", "/health/db", "/health/pool"] {
        let response = app.get(path).await;
        assert_eq!(response.status, 200, "{response}");
    }
}

#[tokio::test]
async fn an_authorization_that_is_no_bearer_token_is_refused() {
    let app = App::start().await;
    let alice = app.user("alice").await;
    for (label, value) in [
        ("another scheme", "Basic YWxpY2U6cHc=".to_owned()),
        ("no scheme", alice.token.clone()),
        ("scheme alone", "Bearer".to_owned()),
        ("scheme and a space", "Bearer ".to_owned()),
        ("two tokens", format!("Bearer {0} {0}", alice.token)),
        ("a list", format!("Bearer {0}, Bearer {0}", alice.token)),
        ("another separator", format!("Bearer:{}", alice.token)),
    ] {
        let response = app.get(&alice.path("/tasks")).header("Authorization", &value).await;
        assert_eq!(response.status, 401, "{label}: {response}");
        assert!(response.header("www-authenticate").starts_with("Bearer"), "{label}");
    }
}

#[tokio::test]
async fn two_authorizations_are_refused() {
    let app = App::start().await;
    let alice = app.user("alice").await;
    let response = alice.get("/tasks").header("Authorization", "Bearer another").await;
    response.problem(401);
}

#[tokio::test]
async fn a_token_elsewhere_than_in_the_header_does_not_count() {
    let app = App::start().await;
    let alice = app.user("alice").await;
    let path = alice.path(&format!("/tasks?access_token={}", alice.token));
    app.get(&path).await.problem(401);
    let cookie = format!("token={}", alice.token);
    app.get(&alice.path("/tasks")).header("Cookie", &cookie).await.problem(401);
}

#[tokio::test]
async fn the_scheme_is_not_case_sensitive() {
    let app = App::start().await;
    let alice = app.user("alice").await;
    for scheme in ["bearer", "BEARER", "BeArEr"] {
        let value = format!("{scheme} {}", alice.token);
        app.get(&alice.path("/tasks")).header("Authorization", &value).await.good(200);
    }
}

#[tokio::test]
async fn other_claims_do_not_matter() {
    let app = App::start().await;
    let alice = app.user("alice").await;
    let token = Token::new(&alice.id)
        .header("kid", "2026-11")
        .claim("iss", "https://issuer.example")
        .claim("aud", json!(["a", "b"]))
        .claim("name", "Alice")
        .claim("email", json!({ "not": "text" }))
        .claim("roles", json!(["admin"]))
        .signed(app.jwt_secret());
    alice.with_token(token).get("/tasks").await.good(200);
}

#[tokio::test]
async fn a_token_may_say_that_it_is_one() {
    let app = App::start().await;
    let alice = app.user("alice").await;
    for typ in [
        json!(null),
        json!("JWT"),
        json!("jwt"),
        json!("application/jwt"),
        json!("at+jwt"),
        json!("AT+JWT"),
        json!("application/at+jwt"),
    ] {
        let token = Token::new(&alice.id).header("typ", typ.clone()).signed(app.jwt_secret());
        let response = alice.with_token(token).get("/tasks").await;
        assert_eq!(response.status, 200, "{typ}: {response}");
    }
}

#[tokio::test]
async fn an_answer_to_a_bad_token_does_not_repeat_it() {
    let app = App::start().await;
    let alice = app.user("alice").await;
    let token = Token::new(&alice.id).claim_in("exp", -3_600).signed(app.jwt_secret());
    let response = alice.with_token(token.clone()).get("/tasks").await;
    let parts = token.split('.').collect::<Vec<_>>();
    for part in parts {
        assert!(!format!("{response:#}").contains(part), "{response:#}");
    }
}

#[tokio::test]
async fn the_issuer_is_checked_where_one_is_configured() {
    let app = App::start_with(|options| {
        options.set("jwt_issuer", "https://issuer.example");
    })
    .await;
    let alice = app.user("alice").await;
    let with = |issuer: &str| Token::new(&alice.id).claim("iss", issuer).signed(app.jwt_secret());

    alice.with_token(with("https://issuer.example")).get("/tasks").await.good(200);
    alice.with_token(with("https://other.example")).get("/tasks").await.problem(401);
    alice.with_token(with("https://issuer.example/")).get("/tasks").await.problem(401);
    let without = Token::new(&alice.id).signed(app.jwt_secret());
    alice.with_token(without).get("/tasks").await.problem(401);
}

#[tokio::test]
async fn the_audience_is_checked_where_one_is_configured() {
    let app = App::start_with(|options| {
        options.set("jwt_audience", "taskie");
    })
    .await;
    let alice = app.user("alice").await;
    for (label, audience, status) in [
        ("it", json!("taskie"), 200),
        ("it among others", json!(["other", "taskie"]), 200),
        ("another", json!("other"), 401),
        ("others", json!(["other", "another"]), 401),
        ("none of an empty list", json!([]), 401),
        ("null", json!(null), 401),
    ] {
        let token = Token::new(&alice.id).claim("aud", audience).signed(app.jwt_secret());
        let response = alice.with_token(token).get("/tasks").await;
        assert_eq!(response.status, status, "{label}: {response}");
    }
    let without = Token::new(&alice.id).signed(app.jwt_secret());
    alice.with_token(without).get("/tasks").await.problem(401);
}

#[tokio::test]
async fn insecure_none_trusts_the_path() {
    let app = App::start_with(|options| {
        options.directly().set("auth", "insecure-none").unset("jwt_secret");
    })
    .await;
    let alice = app.user("alice").await;
    let path = alice.path("/tasks");
    let task =
        app.request(Method::POST, &path).json(json!({ "title": "Buy milk" })).await.good(201);
    assert_eq!(app.get(&path).await.good(200), json!([task]));
    assert_eq!(app.get("/api/nobody/tasks").await.good(200), json!([]));
    app.get("/api//tasks").await.problem(404);
    app.get("/api/%00/tasks").await.problem(400).mentions("user_id");
    // The first task creates an account even though there is no token to take the email address from.
    app.request(Method::POST, "/api/newcomer/tasks").json(json!({ "title": "x" })).await.good(201);
}

#[tokio::test]
async fn insecure_none_is_rejected_for_a_remote_database() {
    let elsewhere = "postgresql://u:pw@db.example.com/taskie".parse().expect("a connection string");
    let app = App::start_with(|options| {
        options.database(&elsewhere).set("auth", "insecure-none");
    })
    .await;
    let response = app.get("/api/alice/tasks").await;
    response.problem(500).kind("misconfigured").mentions("auth").mentions("loopback");
    app.get("/health/db").await.problem(503).mentions("auth");
}
