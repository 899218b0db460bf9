//! Request bodies: one JSON object in UTF-8, of at most 128 KiB.

use reqwest::Method;
use serde_json::json;
use tests::App;

use crate::path_of;

const LIMIT_BYTES: usize = 128 * 1024;

#[tokio::test]
async fn a_body_that_is_not_one_json_object_is_refused_with_the_place() {
    let alice = App::start().await.user("alice").await;
    let task = alice.task("Buy milk").await;
    let routes = [
        (Method::POST, "/tasks".to_owned()),
        (Method::PUT, path_of(&task)),
        (Method::PATCH, path_of(&task)),
    ];
    for (method, path) in routes {
        for (label, body, place) in [
            ("cut off", &br#"{"title": "x""#[..], "line 1 column 13"),
            ("cut off in the third line", b"{\n\"title\":\n\"x", "line 3"),
            ("no quotes", b"{title: \"x\"}", "line 1 column 2"),
            ("single quotes", b"{'title': 'x'}", "line 1 column 2"),
            ("comma at the end", br#"{"title": "x",}"#, "line 1 column 15"),
            ("comment", br#"{"title": "x" /* y */}"#, "line 1 column 15"),
            ("NaN", br#"{"title": "x", "description": NaN}"#, "line 1 column 31"),
            ("leading zero", br#"{"title": "x", "n": 01}"#, "line 1 column"),
            ("raw line break in text", b"{\"title\": \"a\nb\"}", "line 1 column 12"),
            ("unknown escape", br#"{"title": "\x"}"#, "line 1 column"),
            ("half an escape", br#"{"title": "\u12"}"#, "line 1 column"),
            ("trailing text", br#"{"title": "x"} y"#, "line 1 column 16"),
            ("two documents", br#"{"title": "x"}{"title": "y"}"#, "line 1 column 15"),
            ("two byte order marks", b"\xef\xbb\xbf\xef\xbb\xbf{}", "line 1 column 1"),
            ("byte order mark inside", b" \xef\xbb\xbf{\"title\": \"x\"}", "line 1 column 2"),
            ("not UTF-8", b"{\"title\": \"\xff\"}", "byte 11"),
            ("surrogate in UTF-8", b"{\"title\": \"\xed\xa0\x80\"}", "byte 11"),
            ("overlong slash", b"{\"title\": \"\xc0\xaf\"}", "byte 11"),
            ("UTF-16", b"\xff\xfe{\0}\0", "byte 0"),
            ("array", br#"[{"title": "x"}]"#, "line 1"),
            ("text", br#""title""#, "line 1"),
            ("number", b"7", "line 1"),
            ("null", b"null", "line 1"),
            ("true", b"true", "line 1"),
            ("form", b"title=x", "line 1"),
        ] {
            let response = alice.request(method.clone(), &alice.path(&path)).json_bytes(body).await;
            assert_eq!(response.status, 400, "{method} {label}: {response}");
            let problem = response.problem(400);
            assert!(
                problem.message().contains(place),
                "{method} {label}: `{place}` is not in `{}`",
                problem.message()
            );
        }
    }
    assert_eq!(alice.tasks().await, [task]);
}

#[tokio::test]
async fn a_byte_order_mark_is_passed_over() {
    let alice = App::start().await.user("alice").await;
    let body = "\u{feff}{\"title\": \"\u{feff}x\"}";
    let task = alice.post("/tasks").json_bytes(body).await.good(201);
    assert_eq!(task["title"], "\u{feff}x", "only the one before the document is a mark");
    for method in [Method::PUT, Method::PATCH] {
        let request = alice.request(method, &alice.path(&path_of(&task)));
        assert_eq!(request.json_bytes(body).await.good(200), task);
    }
}

#[tokio::test]
async fn an_empty_body_is_refused() {
    let alice = App::start().await.user("alice").await;
    for (label, body) in [("nothing", ""), ("white space", " \r\n\t "), ("a mark", "\u{feff}")] {
        let response = alice.post("/tasks").json_bytes(body).await;
        assert_eq!(response.status, 400, "{label}: {response}");
        response.problem(400);
    }
}

#[tokio::test]
async fn an_absurdly_deep_document_is_refused_with_the_place() {
    let alice = App::start().await.user("alice").await;
    for (label, body) in [
        ("arrays", "[".repeat(100_000)),
        ("closed arrays", "[".repeat(60_000) + &"]".repeat(60_000)),
        ("objects", r#"{"a":"#.repeat(25_000)),
        ("inside a known member", format!(r#"{{"title":{}"#, "[".repeat(100_000))),
        ("inside an unknown member", format!(r#"{{"title":"x","y":{}"#, "[".repeat(100_000))),
    ] {
        let response = alice.post("/tasks").json_bytes(body).await;
        assert_eq!(response.status, 400, "{label}: {response}");
        response.problem(400).mentions("byte ");
    }
}

#[tokio::test]
async fn brackets_in_a_text_are_not_depth() {
    let alice = App::start().await.user("alice").await;
    let description = "[{\"\\".repeat(1_000);
    let task = alice.create(json!({ "title": "x", "description": description })).await.good(201);
    assert_eq!(task["description"], description);
}

#[tokio::test]
async fn unknown_members_of_any_shape_are_ignored() {
    let alice = App::start().await.user("alice").await;
    let body = r#"{"a": {"b": [1, 2, {"c": null}]}, "title": "x", "n": 1e400, "big": 123456789012345678901234567890}"#;
    assert_eq!(alice.post("/tasks").json_bytes(body).await.good(201)["title"], "x");
}

#[tokio::test]
async fn a_member_must_not_appear_twice() {
    let alice = App::start().await.user("alice").await;
    for (label, body) in [
        ("another value", r#"{"title": "a", "title": "b"}"#),
        ("the same value", r#"{"title": "a", "title": "a"}"#),
        ("null after text", r#"{"title": "a", "title": null}"#),
        ("written with an escape", r#"{"title": "a", "\u0074itle": "b"}"#),
    ] {
        let response = alice.post("/tasks").json_bytes(body).await;
        assert_eq!(response.status, 400, "{label}: {response}");
        response.problem(400).mentions("title");
    }
    assert_eq!(alice.tasks().await.len(), 0);
}

#[tokio::test]
async fn what_postgresql_cannot_store_is_refused_by_name() {
    let alice = App::start().await.user("alice").await;
    let task = alice.task("Buy milk").await;
    let routes = [
        (Method::POST, "/tasks".to_owned()),
        (Method::PUT, path_of(&task)),
        (Method::PATCH, path_of(&task)),
    ];
    for (method, path) in routes {
        for (label, member, body) in [
            ("U+0000", "title", r#"{"title": "a\u0000b"}"#),
            ("U+0000 alone", "title", r#"{"title": "\u0000"}"#),
            ("U+0000", "description", r#"{"title": "x", "description": "\u0000"}"#),
            ("high surrogate alone", "title", r#"{"title": "\ud800"}"#),
            ("low surrogate alone", "title", r#"{"title": "a\udc00b"}"#),
            ("surrogates in the wrong order", "title", r#"{"title": "\ude00\ud83d"}"#),
            (
                "high surrogate before text",
                "description",
                r#"{"title": "x", "description": "\ud83dx"}"#,
            ),
        ] {
            let response = alice.request(method.clone(), &alice.path(&path)).json_bytes(body).await;
            assert_eq!(response.status, 400, "{method} {member}, {label}: {response}");
            response.problem(400).field_mentions(member, &[member]);
        }
    }
    assert_eq!(alice.tasks().await, [task]);
}

#[tokio::test]
async fn escapes_are_understood() {
    let alice = App::start().await.user("alice").await;
    let body = r#"{"\u0074itle": "\ud83e\udd80 \u00e9 \"\\\/\b\f\n\r\t"}"#;
    let task = alice.post("/tasks").json_bytes(body).await.good(201);
    assert_eq!(task["title"], "🦀 é \"\\/\u{8}\u{c}\n\r\t");
}

#[tokio::test]
async fn only_json_is_read() {
    let alice = App::start().await.user("alice").await;
    let body = r#"{"title": "x"}"#;
    for (label, content_type, status) in [
        ("JSON", "application/json", 201),
        ("with a charset", "application/json; charset=utf-8", 201),
        ("charset in upper case and quotes", "application/json;charset=\"UTF-8\"", 201),
        ("charset by another spelling", "application/json; charset=utf8", 201),
        ("charset in other quotes", "application/json; charset='UTF-8'", 201),
        ("in upper case", "Application/JSON", 201),
        ("a merge patch", "application/merge-patch+json", 201),
        ("another type that is JSON", "application/vnd.api+json", 201),
        ("a patch of another kind", "application/json-patch+json", 415),
        ("a patch of another kind", "application/strategic-merge-patch+json", 415),
        ("a patch of another kind", "Application/YANG-Patch+JSON; charset=utf-8", 415),
        ("text", "text/plain", 415),
        ("form", "application/x-www-form-urlencoded", 415),
        ("multipart", "multipart/form-data; boundary=x", 415),
        ("XML", "application/xml", 415),
        ("another JSON", "text/json", 415),
        ("a longer name", "application/jsonx", 415),
        ("another charset", "application/json; charset=utf-16", 415),
        ("another charset", "application/json; charset=iso-8859-1", 415),
        ("no charset", "application/json; charset=", 415),
        ("empty", "", 415),
        ("nonsense", ";;;", 415),
    ] {
        let response = alice.post("/tasks").body(content_type, body).await;
        assert_eq!(response.status, status, "{label}: {response}");
    }
}

const TYPES: &str = "application/merge-patch+json, application/json";

/// A body that is not read is told apart from one that is wrong, with what would be read (RFC 9110,
/// section 15.5.16; RFC 5789, section 2.2; RFC 7694, section 3).
#[tokio::test]
async fn a_refused_type_or_coding_is_answered_with_what_is_taken() {
    let alice = App::start().await.user("alice").await;
    let task = alice.task("Buy milk").await;
    let path = path_of(&task);
    let body = r#"{"title": "x"}"#;
    for (method, path, accept) in [
        (Method::POST, "/tasks", "accept"),
        (Method::PUT, path.as_str(), "accept"),
        (Method::PATCH, path.as_str(), "accept-patch"),
    ] {
        let request = || alice.request(method.clone(), &alice.path(path));
        for content_type in ["text/plain", "application/json-patch+json"] {
            let response = request().body(content_type, body).await;
            response.problem(415).kind("unsupported-media-type").mentions("application/json");
            assert_eq!(response.header(accept), TYPES, "{response:#}");
        }
        for encoding in ["gzip", "GZIP", "br", "identity, gzip", "x"] {
            let response = request().header("Content-Encoding", encoding).json_bytes(body).await;
            response.problem(415).kind("unsupported-media-type").mentions("Content-Encoding");
            assert_eq!(response.header("accept-encoding"), "identity", "{response:#}");
        }
    }
    assert_eq!(alice.tasks().await, [task]);
    let request = alice.put(&path).header("Content-Encoding", "identity");
    assert_eq!(request.json_bytes(body).await.good(200)["title"], "x");
}

#[tokio::test]
async fn a_body_without_a_type_is_not_read() {
    let alice = App::start().await.user("alice").await;
    alice.post("/tasks").untyped_body(r#"{"title": "x"}"#).await.problem(415);
}

#[tokio::test]
async fn a_body_of_exactly_the_limit_is_read() {
    let alice = App::start().await.user("alice").await;
    let mut body = br#"{"title": "x"}"#.to_vec();
    body.resize(LIMIT_BYTES, b' ');
    alice.post("/tasks").json_bytes(body).await.good(201);
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused() {
    let alice = App::start().await.user("alice").await;
    for (label, bytes) in [("one byte more", LIMIT_BYTES + 1), ("a megabyte", 1 << 20)] {
        let mut body = br#"{"title": "x"}"#.to_vec();
        body.resize(bytes, b' ');
        let response = alice.post("/tasks").json_bytes(body).await;
        assert_eq!(response.status, 413, "{label}: {response}");
        response.problem(413).kind("body-too-large");
    }
    assert_eq!(alice.tasks().await.len(), 0);
}

#[tokio::test]
async fn both_texts_at_their_limit_fit_with_every_character_escaped() {
    let alice = App::start().await.user("alice").await;
    let crab = r"\ud83e\udd80";
    let body =
        format!(r#"{{"title": "{}", "description": "{}"}}"#, crab.repeat(255), crab.repeat(5_000));
    let task = alice.post("/tasks").json_bytes(body).await.good(201);
    assert_eq!(task["description"], "🦀".repeat(5_000));
}

#[tokio::test]
async fn a_chunked_body_is_read_and_limited() {
    let app = App::start_with(|_| {}).await;
    let alice = app.user("alice").await;
    let request = |body: &str| {
        format!(
            "POST {} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\n\
             Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n{body}",
            alice.path("/tasks"),
            alice.token
        )
    };
    let response = app.send_raw(request("5\r\n{\"tit\r\n9\r\nle\": \"x\"}\r\n0\r\n\r\n")).await;
    assert_eq!(response.status(), Some(201), "{response:?}");
    let chunk = format!("8000\r\n{}\r\n", " ".repeat(0x8000));
    let response = app.send_raw(request(&(chunk.repeat(5) + "0\r\n\r\n"))).await;
    assert_eq!(response.status(), Some(413), "{response:?}");
}

#[tokio::test]
async fn an_announced_length_over_the_limit_is_refused_at_once() {
    let app = App::start_with(|_| {}).await;
    let alice = app.user("alice").await;
    let (path, token) = (alice.path("/tasks"), &alice.token);
    // The last one does not fit into the component's 32-bit `usize`.
    for length in [LIMIT_BYTES + 1, 10_000_000, 10_000_000_000] {
        let request = format!(
            "POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\
             Content-Type: application/json\r\nContent-Length: {length}\r\n\
             Connection: close\r\n\r\n{{"
        );
        let response = app.send_raw(request).await;
        assert_eq!(response.status(), Some(413), "{length}: {response:?}");
    }
}
