//! Unknown routes, wrong methods, and the shape of every failure.

use reqwest::Method;
use serde_json::json;
use tests::{App, Response};

#[tokio::test]
async fn an_unknown_route_is_not_found() {
    let app = App::start().await;
    let alice = app.user("alice").await;
    for path in [
        "/nope",
        "/api",
        "/api/",
        "/api/alice",
        "/api/alice/",
        "/api/alice/tasks//",
        "/api/alice/tasks/1//",
        "/api/alice/tasks//1",
        "/api/alice/tasks%2F1",
        "/api/alice/tasks/1/nope",
        "/api/alice/tasks/1/complete//",
        "/api/alice/tasks/1/complete/now",
        "/api/alice/tasks/1/incomplete//",
        "/api/alice/tasks/1/Status",
        "/api/alice/tasks/1/status/complete",
        "/api/alice%2Ftasks",
        "/api/alice/t%2561sks",
        "/API/alice/tasks",
        "/api/alice/Tasks",
        "//",
        "/health//",
        "//health",
        "/health/nope",
        "/health%2Fdb",
        "/Health",
    ] {
        for response in [app.get(path).await, alice.request(Method::GET, path).await] {
            assert_eq!(response.status, 404, "{response}");
            response.problem(404).kind("not-found");
        }
    }
}

/// A slash at the end, and percent-encoded characters that need not be, lead to the same resource.
#[tokio::test]
async fn a_route_is_found_however_its_path_is_written() {
    let app = App::start().await;
    let alice = app.user("alice").await;
    let task = alice.task("Buy milk").await;
    let id = task["id"].to_string();
    let encoded_id = id.bytes().map(|digit| format!("%{digit:02X}")).collect::<Vec<_>>().concat();
    for path in [
        format!("/tasks/{id}/"),
        format!("/t%61sks/{id}"),
        format!("/%74%61%73%6B%73/{encoded_id}/"),
    ] {
        assert_eq!(alice.get(&path).await.good(200), task, "{path}");
        let head = alice.request(Method::HEAD, &alice.path(&path)).await;
        head.empty(200);
        let title = json!({ "title": "Buy milk" });
        assert_eq!(alice.put(&path).json(title.clone()).await.good(200), task, "{path}");
        assert_eq!(alice.patch(&path).json(title).await.good(200), task, "{path}");
        let options = alice.request(Method::OPTIONS, &alice.path(&path)).await;
        options.empty(204);
    }
    for path in ["/tasks/", "/t%61sks", "/t%61sks/?limit=1"] {
        assert_eq!(alice.get(path).await.good(200)[0], task, "{path}");
    }
    let list = alice.path("/tasks/").replacen("/api/", "/%61p%69/", 1);
    assert_eq!(alice.request(Method::GET, &list).await.good(200)[0], task, "{list}");
    for path in ["/health/", "/h%65alth", "/health/db/", "/health/%64b", "/health/pool/"] {
        assert_eq!(app.get(path).await.status, 200, "{path}");
    }
    let completed = alice.patch(&format!("/tasks/{id}/c%6Fmplete/")).await.good(200);
    assert_eq!(completed["status"], "complete");
    let reopened = alice.patch(&format!("/tasks/{id}/incomplet%65/")).await.good(200);
    assert_eq!(reopened["status"], "incomplete");
    let status = alice.patch(&format!("/tasks/{id}/%73tatus/"));
    let completed = status.json(json!({ "status": "complete" })).await.good(200);
    assert_eq!(completed["status"], "complete");
    alice.delete(&format!("/tasks/{encoded_id}/")).await.empty(204);
}

#[tokio::test]
async fn a_wrong_method_is_answered_with_the_right_ones() {
    let app = App::start().await;
    let alice = app.user("alice").await;
    for (path, wrong, right) in [
        ("/", &["POST", "PUT", "PATCH", "DELETE"][..], &["GET", "HEAD", "OPTIONS"][..]),
        ("/health", &["POST", "DELETE"], &["GET", "HEAD", "OPTIONS"]),
        ("/health/db", &["POST", "DELETE"], &["GET", "HEAD", "OPTIONS"]),
        ("/health/pool", &["POST", "DELETE"], &["GET", "HEAD", "OPTIONS"]),
        (
            "/api/alice/tasks",
            &["PUT", "PATCH", "DELETE", "PROPFIND"],
            &["GET", "HEAD", "OPTIONS", "POST"],
        ),
        (
            "/api/alice/tasks/1",
            &["POST", "PROPFIND"],
            &["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "PUT"],
        ),
        ("/api/alice/tasks/1/complete", &["GET", "POST", "PUT", "DELETE"], &["OPTIONS", "PATCH"]),
        ("/api/alice/tasks/1/incomplete", &["GET", "POST", "PUT", "DELETE"], &["OPTIONS", "PATCH"]),
        ("/api/alice/tasks/1/status", &["GET", "POST", "PUT", "DELETE"], &["OPTIONS", "PATCH"]),
    ] {
        for method in wrong {
            let wrong_method = Method::from_bytes(method.as_bytes()).expect("a method");
            let response = alice.request(wrong_method, path).await;
            assert_eq!(response.status, 405, "{response}");
            response.problem(405).kind("method-not-allowed");
            let mut allowed: Vec<_> = response.header("allow").split(',').map(str::trim).collect();
            allowed.sort_unstable();
            assert_eq!(allowed, right, "{method} {path}");
            assert_patch_types(&response, right);
        }
        // `OPTIONS` lists the same methods.
        let response = app.request(Method::OPTIONS, path).await;
        assert_eq!(response.status, 204, "{response}");
        let mut allowed: Vec<_> = response.header("allow").split(',').map(str::trim).collect();
        allowed.sort_unstable();
        assert_eq!(allowed, right, "OPTIONS {path}");
        assert!(response.text().is_empty(), "{response}");
        assert_patch_types(&response, right);
    }
    app.request(Method::OPTIONS, "/nowhere").await.problem(404);
}

/// A path with `PATCH` lists the types that it takes (RFC 5789, section 3.1).
#[track_caller]
fn assert_patch_types(response: &Response, methods: &[&str]) {
    let has_patch = methods.contains(&"PATCH");
    assert_eq!(response.has_header("accept-patch"), has_patch, "{response:#}");
    if has_patch {
        let types = "application/merge-patch+json, application/json";
        assert_eq!(response.header("accept-patch"), types);
    }
}

#[tokio::test]
async fn a_problem_has_its_members_and_no_others() {
    let alice = App::start().await.user("alice").await;
    let response = alice.get("/tasks/1").header("X-Request-Id", "my-id").await;
    response.problem(404);
    let expected = json!({
        "type": "/problems/task-not-found",
        "title": "Not Found",
        "status": 404,
        "detail": "Task not found",
        "error": "Task not found",
        "request_id": "my-id",
    });
    assert_eq!(response.json(), expected);
}

#[tokio::test]
async fn a_validation_failure_lists_the_members() {
    let alice = App::start().await.user("alice").await;
    let response = alice.create(json!({})).header("X-Request-Id", "my-id").await;
    response.problem(400);
    let expected = json!({
        "type": "/problems/validation",
        "title": "Bad Request",
        "status": 400,
        "detail": "Title is required",
        "error": "Title is required",
        "errors": [{ "field": "title", "message": "Title is required" }],
        "request_id": "my-id",
    });
    assert_eq!(response.json(), expected);
}

#[tokio::test]
async fn the_index_links_to_the_documentation() {
    let index = App::start().await.get("/").await.good(200);
    assert_eq!(index["docs"], "docs");
    assert_eq!(index["openapi"], "openapi.json");
    assert!(index["message"].as_str().is_some_and(|message| !message.is_empty()));
}

/// The predecessor's frontend reads messages from `application/json` only.
#[tokio::test]
async fn a_failure_is_a_problem_document_for_those_who_ask_for_it() {
    let app = App::start().await;
    let alice = app.user("alice").await;
    let task = crate::path_of(&alice.task("Buy milk").await);
    let failures = || {
        let (title, good) = (json!({ "title": "" }), json!({ "title": "x" }));
        vec![
            ("no route", 404, app.get("/nope")),
            ("no task", 404, alice.get("/tasks/2147483647")),
            ("no method", 405, app.request(Method::DELETE, "/health")),
            ("no token", 401, app.get("/api/alice/tasks")),
            ("bad query", 400, alice.get("/tasks?sort=x")),
            ("bad body", 400, alice.create(title)),
            ("too large", 413, alice.post("/tasks").json_bytes(vec![b' '; 200_000])),
            ("media type", 415, alice.patch(&task).body("text/plain", "x")),
            ("precondition", 412, alice.put(&task).header("If-Match", "\"x\"").json(good)),
            ("HEAD", 404, alice.request(Method::HEAD, &alice.path("/tasks/2147483647"))),
            ("no page", 404, app.get("/docs/nope")),
            ("no method of the page", 405, app.request(Method::POST, "/docs")),
            ("another page", 412, app.get("/openapi.json").header("If-Match", "\"x\"")),
        ]
    };
    for (accept, media_type) in [
        (None, "application/json"),
        (Some("*/*"), "application/json"),
        (Some("application/*"), "application/json"),
        (Some("application/json"), "application/json"),
        (Some("text/html, application/problem+json;q=0"), "application/json"),
        (Some("application/problem+json"), "application/problem+json"),
        (Some("application/json, Application/Problem+JSON; q=0.1"), "application/problem+json"),
    ] {
        for (label, status, request) in failures() {
            let response = match accept {
                Some(accept) => request.header("Accept", accept).await,
                None => request.await,
            };
            assert_eq!(response.status, status, "{label}: {response}");
            assert_eq!(response.header("content-type"), media_type, "{label}, {accept:?}");
            let vary: Vec<String> =
                response.header("vary").split(',').map(|name| name.trim().to_lowercase()).collect();
            assert!(vary.contains(&"accept".to_owned()), "{label}: {vary:?}");
            if label != "HEAD" {
                let document = response.json();
                assert_eq!(document["status"], status, "{label}");
                assert_eq!(document["error"], document["detail"], "{label}");
            }
        }
    }
    let success = alice.get(&task).header("Accept", "application/problem+json").await;
    assert_eq!(success.good(200)["title"], "Buy milk", "a success is JSON for everyone");
    assert_eq!(success.header("vary"), "origin");
}
