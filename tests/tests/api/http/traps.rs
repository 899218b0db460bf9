//! No input traps the component or gets a bare 500.

use reqwest::Method;
use serde_json::json;
use tests::{App, Token};

/// Asserts that the service still works, and that none of its instances has trapped.
async fn assert_unharmed(app: &App) {
    let alice = app.user("alice").await;
    let task = alice.task("Buy milk").await;
    assert_eq!(alice.tasks().await, [task]);
    let log = app.log();
    for sign in ["panicked", "trap", "unreachable"] {
        assert!(!log.contains(sign), "{log}");
    }
}

#[tokio::test]
async fn odd_paths_and_queries_are_client_errors() {
    let app = App::start_with(|_| {}).await;
    let alice = app.user("alice").await;
    let long = "x".repeat(8_000);
    let deep = "/a".repeat(2_000);
    let id = alice.id.as_str();
    for (label, path) in [
        ("empty user", "/api//tasks".to_owned()),
        ("user U+0000", "/api/%00/tasks".to_owned()),
        ("user not UTF-8", "/api/%FF%FE/tasks".to_owned()),
        ("user half encoded", "/api/%F0%9F/tasks".to_owned()),
        ("user with slash", "/api/a%2Fb/tasks".to_owned()),
        ("bad escape", "/api/%zz/tasks".to_owned()),
        ("escape cut off", "/api/a%/tasks".to_owned()),
        ("escape cut off at the end", "/api/a/tasks/%4".to_owned()),
        ("braces", "/api/{user_id}/tasks/{id}".to_owned()),
        ("colon and star", "/api/:user/tasks/*rest".to_owned()),
        ("backslash", "/api\\a\\tasks".to_owned()),
        ("double slashes", "//api//a//tasks//".to_owned()),
        ("dots", "/api/%2e%2e/%2e%2e/tasks".to_owned()),
        ("long user", format!("/api/{long}/tasks")),
        ("long id", format!("/api/{id}/tasks/{long}")),
        ("digits", format!("/api/{id}/tasks/{}", "9".repeat(5_000))),
        ("deep", format!("/api{deep}")),
        ("long query", format!("/api/{id}/tasks?status={long}")),
        ("many parameters", format!("/api/{id}/tasks?status=x{}", "&status=x".repeat(800))),
        ("query not UTF-8", format!("/api/{id}/tasks?status=%FF%00%zz%")),
        ("semicolons", format!("/api/{id}/tasks;a=b?status=x")),
    ] {
        let response = alice.request(Method::GET, &path).await;
        assert!((400..500).contains(&response.status), "{label}: {response}");
        response.problem(response.status);
    }
    assert_unharmed(&app).await;
}

#[tokio::test]
async fn odd_queries_beside_the_filter_are_ignored() {
    let app = App::start_with(|_| {}).await;
    let alice = app.user("alice").await;
    for query in
        ["", "&", "&&&=", "=", "x", "x=%FF", "%", "%zz=1", "a[]=1&a[]=2", "status=complete&", "+"]
    {
        let response = alice.get(&format!("/tasks?{query}")).await;
        assert_eq!(response.status, 200, "{query}: {response}");
    }
    assert_unharmed(&app).await;
}

#[tokio::test]
async fn odd_headers_do_no_harm() {
    let app = App::start_with(|_| {}).await;
    let alice = app.user("alice").await;
    let long = vec![b'x'; 10_000];
    for (label, name, value) in [
        ("not ASCII", "Authorization", &b"Bearer \xc3\xa9"[..]),
        ("long", "Authorization", &long),
        ("empty", "Authorization", b""),
        ("not ASCII", "X-Request-Id", b"\xc3\xa9"),
        ("long", "X-Request-Id", &long),
        ("long", "Cookie", &long),
        ("odd", "Accept", b"\xc3\xa9/;;;q=x"),
        ("nothing acceptable", "Accept", b"image/png"),
        ("odd", "Accept-Encoding", b"gzip;q=nan, *;q=-1"),
        ("odd", "Range", b"bytes=9-1"),
        ("odd", "If-None-Match", b"\xc3\xa9\"*,"),
        ("odd", "If-Modified-Since", b"yesterday"),
        ("odd", "Origin", b"null\xc3\xa9"),
        ("odd", "Forwarded", b"for=\"[::1]:x\""),
        ("odd", "Traceparent", b"00-zz"),
    ] {
        let response = app.get(&alice.path("/tasks")).header_bytes(name, value).await;
        assert!([401, 431].contains(&response.status), "{name}, {label}: {response}");
    }
    assert_unharmed(&app).await;
}

#[tokio::test]
async fn a_header_that_is_not_utf_8_does_no_harm() {
    let app = App::start_with(|_| {}).await;
    for name in ["Authorization", "X-Request-Id", "Cookie"] {
        // Spin rejects it with its own 500, before any component sees it.
        let response = app.get("/api/a/tasks").header_bytes(name, b"Bearer \xff\xfe").await;
        assert!([400, 401, 500].contains(&response.status), "{name}: {response}");
        assert!(response.status != 500 || response.body.is_empty(), "{name}: {response}");
    }
    assert_unharmed(&app).await;
}

#[tokio::test]
async fn odd_content_types_and_bodies_do_no_harm() {
    let app = App::start_with(|_| {}).await;
    let alice = app.user("alice").await;
    let paths = ["/tasks", "/tasks/1", "/tasks/1/complete", "/tasks/1/status", "/tasks/x"];
    let bodies: [&[u8]; 8] = [
        b"",
        b"\0",
        b"\xff\xfe\xfd",
        b"{\"title\": \"\\ud800\\udfff\\ud800\"}",
        b"{\"\\ud800\": 1, \"title\": \"x\"}",
        b"{\"\": 1, \"\\u0000\": 2}",
        b"-",
        &[b'"'; 1_000],
    ];
    for path in paths {
        for method in [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
            for body in bodies {
                let response =
                    alice.request(method.clone(), &alice.path(path)).json_bytes(body).await;
                assert!(response.status < 500, "{method} {path} {body:?}: {response}");
            }
        }
    }
    assert_unharmed(&app).await;
}

#[tokio::test]
async fn odd_tokens_do_no_harm() {
    let app = App::start_with(|_| {}).await;
    let secret = app.jwt_secret();
    for (label, id) in [
        ("U+0000", "a\0b".to_owned()),
        ("only U+0000", "\0".to_owned()),
        ("very long", "x".repeat(5_000)),
        ("line breaks", "a\r\nb".to_owned()),
        ("right to left", "\u{202e}abc".to_owned()),
        ("noncharacter", "\u{ffff}".to_owned()),
    ] {
        let user = app.unregistered_user_with_id(&id);
        for response in [user.get("/tasks").await, user.create(json!({ "title": "x" })).await] {
            assert!(response.status < 500, "{label}: {response}");
        }
    }
    for (label, email) in [
        ("U+0000", json!("a\0@example.com")),
        ("very long", json!("x".repeat(5_000))),
        ("a list", json!(["a@example.com"])),
    ] {
        let unregistered = app.unregistered_user("newcomer");
        let token = Token::new(&unregistered.id).claim("email", email).signed(secret);
        let response = unregistered.with_token(token).create(json!({ "title": "x" })).await;
        assert!(response.status < 500, "{label}: {response}");
    }
    for (label, token) in [
        ("huge numbers", Token::new("a").claim("exp", 1e300).signed(secret)),
        ("expiry at the end of time", Token::new("a").claim("exp", u64::MAX).signed(secret)),
        ("not before the beginning of time", Token::new("a").claim("nbf", i64::MIN).signed(secret)),
        ("deep claims", Token::new("a").claim("x", deep(100)).signed(secret)),
    ] {
        let response = app.get("/api/a/tasks").token(&token).await;
        assert!(response.status < 500, "{label}: {response}");
    }
    assert_unharmed(&app).await;
}

/// Nested arrays.
fn deep(levels: usize) -> serde_json::Value {
    (0..levels).fold(json!(null), |inner, _| json!([inner]))
}

#[tokio::test]
async fn invalid_http_gets_a_client_error_or_no_response() {
    let app = App::start_with(|_| {}).await;
    let close = "Connection: close\r\n\r\n";
    for (label, request) in [
        ("not HTTP", b"hello\r\n\r\n".to_vec()),
        ("TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n".to_vec()),
        ("another version", format!("GET /health HTTP/9.9\r\nHost: x\r\n{close}").into_bytes()),
        ("space in the path", format!("GET /api/a b/tasks HTTP/1.1\r\nHost: x\r\n{close}").into_bytes()),
        ("raw bytes in the path", [b"GET /api/\xff\xfe/tasks HTTP/1.1\r\nHost: x\r\n", close.as_bytes()].concat()),
        ("no path", format!("GET HTTP/1.1\r\nHost: x\r\n{close}").into_bytes()),
        ("asterisk", format!("OPTIONS * HTTP/1.1\r\nHost: x\r\n{close}").into_bytes()),
        ("CONNECT", format!("CONNECT example.com:443 HTTP/1.1\r\nHost: x\r\n{close}").into_bytes()),
        ("two lengths", format!("POST /api/a/tasks HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n{close}x").into_bytes()),
        ("negative length", format!("POST /api/a/tasks HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n{close}").into_bytes()),
        ("bad chunk", format!("POST /api/a/tasks HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n{close}zz\r\n").into_bytes()),
        ("very long path", format!("GET /{} HTTP/1.1\r\nHost: x\r\n{close}", "x".repeat(200_000)).into_bytes()),
        ("very many headers", format!("GET /health HTTP/1.1\r\nHost: x\r\n{}{close}", "A: b\r\n".repeat(5_000)).into_bytes()),
    ] {
        let response = app.send_raw(&request).await;
        let status = response.status();
        assert!(status.is_none_or(|status| status < 500 || status == 505), "{label}: {response:?}");
    }
    assert_unharmed(&app).await;
}

#[tokio::test]
async fn unusual_but_good_http_is_served() {
    let app = App::start_with(|_| {}).await;
    for (label, request) in [
        (
            "the whole address",
            "GET http://localhost/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        ),
        ("version 1.0", "GET /health HTTP/1.0\r\nHost: localhost\r\n\r\n"),
        (
            "line break before",
            "\r\nGET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        ),
        (
            "header in lower case",
            "GET /health HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n",
        ),
        (
            "a body that nobody wants",
            "GET /health HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}",
        ),
        ("empty query", "GET /health? HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"),
    ] {
        let response = app.send_raw(request).await;
        assert_eq!(response.status(), Some(200), "{label}: {response:?}");
    }
}

#[tokio::test]
async fn clients_that_hang_up_early_do_no_harm() {
    let app = App::start_with(|_| {}).await;
    let alice = app.user("alice").await;
    let head = format!(
        "POST {} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\n",
        alice.path("/tasks"),
        alice.token
    );
    for request in [
        String::new(),
        "\r\n\r\n".to_owned(),
        "GET /hea".to_owned(),
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned(),
        head[..head.len() - 10].to_owned(),
        format!("{head}Content-Length: 1000\r\n\r\n{{\"title\": \"half\""),
        format!("{head}Transfer-Encoding: chunked\r\n\r\n10\r\n{{\"title\": \"half\""),
        format!("{head}Expect: 100-continue\r\nContent-Length: 1000\r\n\r\n"),
    ] {
        app.send_raw_and_hang_up(request).await;
    }
    assert_eq!(alice.tasks().await.len(), 0);
    assert_unharmed(&app).await;
}
