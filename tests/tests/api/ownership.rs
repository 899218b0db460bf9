//! Nothing tells somebody else's task from one that does not exist.

use reqwest::Method;
use serde_json::{Value, json};
use tests::{App, Reply, User};

use crate::{NO_TASK, path_of};

/// The routes of one task: a label, the method, what follows the task's path, the body.
fn routes_of_a_task() -> [(&'static str, Method, &'static str, Option<Value>); 5] {
    [
        ("get", Method::GET, "", None),
        ("put", Method::PUT, "", Some(json!({ "title": "stolen" }))),
        ("patch", Method::PATCH, "", Some(json!({ "title": "stolen" }))),
        ("delete", Method::DELETE, "", None),
        ("complete", Method::PATCH, "/complete", None),
    ]
}

/// A call with a fixed request id, so that whole responses can be compared.
async fn call(user: &User, method: Method, path: &str, body: Option<Value>) -> Reply {
    let call = user.call(method, path).header("X-Request-Id", "the-same");
    match body {
        Some(body) => call.json(body).await,
        None => call.await,
    }
}

/// All headers but those that differ between any two responses.
fn stable_headers(reply: &Reply) -> Vec<(String, Vec<u8>)> {
    let mut headers: Vec<_> = reply
        .headers
        .iter()
        .filter(|(name, _)| !["server-timing", "date"].contains(&name.as_str()))
        .map(|(name, value)| (name.to_string(), value.as_bytes().to_vec()))
        .collect();
    headers.sort();
    headers
}

/// On every route of a task, `path` answers `alice` as her path of a task does that was never there.
async fn assert_answers_like_absent(alice: &User, path: &str) {
    for (label, method, rest, body) in routes_of_a_task() {
        let absent = alice.path(&format!("/tasks/{NO_TASK}{rest}"));
        let foreign = call(alice, method.clone(), &format!("{path}{rest}"), body.clone()).await;
        let absent = call(alice, method, &absent, body).await;
        foreign.problem(404).says("Task not found");
        assert_eq!(foreign.text(), absent.text(), "{label}");
        assert_eq!(stable_headers(&foreign), stable_headers(&absent), "{label}");
    }
}

#[tokio::test]
async fn a_foreign_task_in_ones_own_path_answers_like_an_absent_one() {
    let app = App::start().await;
    let (alice, bob) = (app.user("alice").await, app.user("bob").await);
    let his = bob.task("his").await;
    assert_answers_like_absent(&alice, &alice.path(&path_of(&his))).await;
    assert_eq!(bob.tasks().await, [his]);
}

#[tokio::test]
async fn a_path_of_somebody_else_answers_like_an_absent_task() {
    let app = App::start().await;
    let (alice, bob) = (app.user("alice").await, app.user("bob").await);
    let his = bob.task("his").await;
    assert_answers_like_absent(&alice, &bob.path(&path_of(&his))).await;
    assert_eq!(bob.tasks().await, [his]);
}

#[tokio::test]
async fn lists_of_somebody_else_and_of_nobody_answer_the_same() {
    let app = App::start().await;
    let (alice, bob) = (app.user("alice").await, app.user("bob").await);
    bob.task("his").await;
    for (label, method, body) in
        [("list", Method::GET, None), ("create", Method::POST, Some(json!({ "title": "planted" })))]
    {
        let his = call(&alice, method.clone(), &bob.path("/tasks"), body.clone()).await;
        let nobodys = call(&alice, method.clone(), "/api/nobody/tasks", body.clone()).await;
        let absent =
            call(&alice, Method::GET, &alice.path(&format!("/tasks/{NO_TASK}")), None).await;
        his.problem(404).says("Task not found");
        assert_eq!(his.text(), nobodys.text(), "{label}");
        assert_eq!(his.text(), absent.text(), "{label}");
        assert_eq!(stable_headers(&his), stable_headers(&nobodys), "{label}");
    }
    assert_eq!(bob.tasks().await.len(), 1);
}

#[tokio::test]
async fn user_ids_are_compared_exactly() {
    let app = App::start().await;
    let alice = app.user("alice").await;
    alice.task("hers").await;
    let upper = alice.id.to_uppercase();
    let shorter = &alice.id[..alice.id.len() - 1];
    for (label, id) in [
        ("upper case", upper.as_str()),
        ("prefix", shorter),
        ("pattern", "%25"),
        ("space after", &format!("{}%20", alice.id)),
        ("space before", &format!("%20{}", alice.id)),
        ("empty", ""),
        ("U+0000 after", &format!("{}%00", alice.id)),
    ] {
        let reply = alice.call(Method::GET, &format!("/api/{id}/tasks")).await;
        assert!([400, 404].contains(&reply.status), "{label}: {reply}");
    }
}
