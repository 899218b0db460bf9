//! Unknown routes, wrong methods, and the shape of every failure.

use reqwest::Method;
use serde_json::json;
use tests::App;

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
        "/api/alice/tasks/",
        "/api/alice/tasks/1/",
        "/api/alice/tasks/1/nope",
        "/api/alice/tasks/1/complete/",
        "/api/alice/tasks/1/complete/now",
        "/API/alice/tasks",
        "/api/alice/Tasks",
        "/health/",
        "/health/nope",
        "/Health",
    ] {
        for response in [app.get(path).await, alice.request(Method::GET, path).await] {
            assert_eq!(response.status, 404, "{response}");
            response.problem(404).kind("not-found");
        }
    }
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
    ] {
        for method in wrong {
            let wrong_method = Method::from_bytes(method.as_bytes()).expect("a method");
            let response = alice.request(wrong_method, path).await;
            assert_eq!(response.status, 405, "{response}");
            response.problem(405).kind("method-not-allowed");
            let mut allowed: Vec<_> = response.header("allow").split(',').map(str::trim).collect();
            allowed.sort_unstable();
            assert_eq!(allowed, right, "{method} {path}");
        }
        // `OPTIONS` lists the same methods.
        let response = app.request(Method::OPTIONS, path).await;
        assert_eq!(response.status, 204, "{response}");
        let mut allowed: Vec<_> = response.header("allow").split(',').map(str::trim).collect();
        allowed.sort_unstable();
        assert_eq!(allowed, right, "OPTIONS {path}");
        assert!(response.text().is_empty(), "{response}");
    }
    app.request(Method::OPTIONS, "/nowhere").await.problem(404);
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
    assert_eq!(index["docs"], "/docs");
    assert_eq!(index["openapi"], "/openapi.json");
    assert!(index["message"].as_str().is_some_and(|message| !message.is_empty()));
}
