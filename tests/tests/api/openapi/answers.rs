//! Real responses: every operation with each of its status codes.

use futures::{StreamExt, stream};
use reqwest::Method;
use serde_json::json;
use tests::{App, Request, Response, Token, User};

use crate::{NO_TASK, path_of};

/// A path template, a method, and the response.
pub(crate) type Answer = (&'static str, Method, Response);

const TASKS: &str = "/api/{user_id}/tasks";
const TASK: &str = "/api/{user_id}/tasks/{id}";
const COMPLETE: &str = "/api/{user_id}/tasks/{id}/complete";
const INCOMPLETE: &str = "/api/{user_id}/tasks/{id}/incomplete";
const STATUS: &str = "/api/{user_id}/tasks/{id}/status";

/// All responses.
pub(crate) async fn all() -> Vec<Answer> {
    let mut answers = successes().await;
    answers.extend(refusals().await);
    answers.extend(slow_bodies().await);
    answers.extend(accounts().await);
    answers.extend(broken_services().await);
    answers
}

async fn successes() -> Vec<Answer> {
    let app = App::start().await;
    let alice = app.user("alice").await;
    let path = path_of(&alice.task("Buy milk").await);
    let document = app.get("/openapi.json").await;
    let page = app.get("/docs").await;
    let requests = vec![
        ("/", Method::GET, app.get("/")),
        ("/health", Method::GET, app.get("/health")),
        ("/health/db", Method::GET, app.get("/health/db")),
        ("/health/pool", Method::GET, app.get("/health/pool")),
        ("/openapi.json", Method::GET, known("/openapi.json", &document, &app)),
        ("/docs", Method::GET, known("/docs", &page, &app)),
        (TASKS, Method::POST, alice.create(json!({ "title": "x", "description": "y", "z": 1 }))),
        (TASKS, Method::GET, alice.get("/tasks?status=incomplete&other=1")),
        (TASK, Method::GET, alice.get(&path)),
        (TASK, Method::PUT, alice.put(&path).json(json!({ "description": null }))),
        (TASK, Method::PATCH, alice.patch(&path).json(json!({ "status": "complete" }))),
        (COMPLETE, Method::PATCH, alice.patch(&format!("{path}/complete"))),
        (INCOMPLETE, Method::PATCH, alice.patch(&format!("{path}/incomplete"))),
        (STATUS, Method::PATCH, set_status(&alice, &path)),
        (TASKS, Method::GET, alice.get("/tasks?limit=1")),
        (TASKS, Method::GET, alice.get("/tasks?sort=priority&limit=1")),
        (TASKS, Method::POST, alice.create(json!({ "title": "x" })).header("Idempotency-Key", "k")),
        (TASKS, Method::POST, alice.create(json!({ "title": "x" })).header("Idempotency-Key", "k")),
        (TASKS, Method::POST, alice.create(json!({ "title": "y" })).header("Idempotency-Key", "k")),
        (TASK, Method::GET, alice.get(&path).header("If-None-Match", "*")),
        (TASK, Method::GET, stale(alice.get(&path))),
        (TASK, Method::PUT, stale(alice.put(&path)).json(json!({ "title": "x" }))),
        (TASK, Method::PATCH, stale(alice.patch(&path)).json(json!({ "title": "x" }))),
        (TASK, Method::DELETE, stale(alice.delete(&path))),
        (COMPLETE, Method::PATCH, stale(alice.patch(&format!("{path}/complete")))),
        (INCOMPLETE, Method::PATCH, stale(alice.patch(&format!("{path}/incomplete")))),
        (STATUS, Method::PATCH, stale(set_status(&alice, &path))),
        (TASK, Method::DELETE, alice.delete(&path)),
    ];
    let mut answers = send_all(requests).await;
    answers.push(("/openapi.json", Method::GET, document));
    answers.push(("/docs", Method::GET, page));
    answers
}

fn set_status(user: &User, path: &str) -> Request {
    user.patch(&format!("{path}/status")).json(json!({ "status": "complete" }))
}

fn stale(request: Request) -> Request {
    request.header("If-Match", "\"another\"")
}

fn encoded(request: Request) -> Request {
    request.header("Content-Encoding", "gzip").json(json!({ "title": "x" }))
}

fn known(path: &str, response: &Response, app: &App) -> Request {
    app.get(path).header("If-None-Match", response.header("etag"))
}

async fn refusals() -> Vec<Answer> {
    let alice = App::start().await.user("alice").await;
    let unauthenticated = alice.with_token(String::new());
    let expired = Token::new(&alice.id).claim_in("exp", -3_600).signed(alice.app().jwt_secret());
    let expired = alice.with_token(expired);
    let unregistered = alice.app().unregistered_user("bob").with_token(alice.token.clone());
    let mut answers = every_task_route(&unauthenticated, "1").await;
    answers.extend(every_task_route(&expired, "1").await);
    answers.extend(every_task_route(&unregistered, "1").await);
    answers.extend(every_task_route(&alice, &NO_TASK.to_string()).await);
    let large = || vec![b' '; 200_000];
    answers.extend(
        send_all(vec![
            (TASKS, Method::POST, alice.create(json!({ "title": "", "description": 1 }))),
            (TASKS, Method::POST, alice.post("/tasks").json_bytes("{")),
            (TASKS, Method::POST, alice.post("/tasks").json_bytes(large())),
            (TASKS, Method::POST, alice.post("/tasks").body("text/plain", "x")),
            (TASKS, Method::GET, alice.get("/tasks?status=x")),
            (TASK, Method::GET, alice.get("/tasks/0")),
            (TASK, Method::PUT, alice.put("/tasks/1").json(json!({}))),
            (TASK, Method::PUT, alice.put("/tasks/1").json_bytes(large())),
            (TASK, Method::PUT, alice.put("/tasks/1").body("text/plain", "x")),
            (TASK, Method::PATCH, alice.patch("/tasks/1").json(json!({ "status": "x" }))),
            (TASK, Method::PATCH, alice.patch("/tasks/1").json_bytes(large())),
            (TASK, Method::PATCH, alice.patch("/tasks/1").body("text/plain", "x")),
            (TASK, Method::PATCH, encoded(alice.patch("/tasks/1"))),
            (TASK, Method::DELETE, alice.delete("/tasks/x")),
            (COMPLETE, Method::PATCH, alice.patch("/tasks/x/complete")),
            (INCOMPLETE, Method::PATCH, alice.patch("/tasks/x/incomplete")),
            (STATUS, Method::PATCH, alice.patch("/tasks/1/status").json(json!({ "status": "x" }))),
            (STATUS, Method::PATCH, alice.patch("/tasks/1/status").json_bytes(large())),
            (STATUS, Method::PATCH, encoded(alice.patch("/tasks/1/status"))),
        ])
        .await,
    );
    answers
}

/// Responses to bodies that do not end.
async fn slow_bodies() -> Vec<Answer> {
    let app = App::start_with(|options| {
        options.set("request_timeout_ms", "1000");
    })
    .await;
    let alice = app.user("alice").await;
    let body = || stream::iter(["{"]).chain(stream::pending());
    send_all(vec![
        (TASKS, Method::POST, alice.post("/tasks").json_pieces(body())),
        (TASK, Method::PUT, alice.put("/tasks/1").json_pieces(body())),
        (TASK, Method::PATCH, alice.patch("/tasks/1").json_pieces(body())),
        (STATUS, Method::PATCH, alice.patch("/tasks/1/status").json_pieces(body())),
    ])
    .await
}

/// A caller without an account, and one whose email address belongs to another account.
async fn accounts() -> Vec<Answer> {
    let app = App::start().await;
    let alice = app.user("alice").await;
    let bob = app.unregistered_user("bob");
    let unknown = bob.with_token(Token::new(&bob.id).signed(app.jwt_secret()));
    let taken = Token::new(&bob.id).claim("email", alice.email()).signed(app.jwt_secret());
    let taken = bob.with_token(taken);
    send_all(vec![
        (TASKS, Method::POST, unknown.create(json!({ "title": "x" }))),
        (TASKS, Method::POST, taken.create(json!({ "title": "x" }))),
    ])
    .await
}

/// A misconfigured service, one with an unreachable database, and one with a slow database.
async fn broken_services() -> Vec<Answer> {
    let misconfigured = App::start_with(|options| {
        options.unset("jwt_secret");
    })
    .await;
    let unreachable = App::start_with(|options| {
        options.database(&crate::closed_database());
    })
    .await;
    let slow = App::start_with(|_| {}).await;
    let lock = slow.client().await;
    let limit = format!("alter database {} set lock_timeout = '100ms'", slow.database().name());
    lock.batch_execute(&limit).await.expect("limit the wait for locks");
    lock.batch_execute("begin; lock table tasks in access exclusive mode").await.expect("lock");

    let mut answers = Vec::new();
    for app in [&misconfigured, &unreachable, &slow] {
        answers.extend(every_task_route(&app.unregistered_user("alice"), "1").await);
    }
    for app in [&misconfigured, &unreachable] {
        let requests = vec![
            ("/health/db", Method::GET, app.get("/health/db")),
            ("/health/pool", Method::GET, app.get("/health/pool")),
        ];
        answers.extend(send_all(requests).await);
    }
    answers
}

/// A valid request to each task route, about the task with this id.
async fn every_task_route(user: &User, id: &str) -> Vec<Answer> {
    let path = format!("/tasks/{id}");
    let body = || json!({ "title": "x" });
    send_all(vec![
        (TASKS, Method::POST, user.create(body())),
        (TASKS, Method::GET, user.get("/tasks")),
        (TASK, Method::GET, user.get(&path)),
        (TASK, Method::PUT, user.put(&path).json(body())),
        (TASK, Method::PATCH, user.patch(&path).json(body())),
        (TASK, Method::DELETE, user.delete(&path)),
        (COMPLETE, Method::PATCH, user.patch(&format!("{path}/complete"))),
        (INCOMPLETE, Method::PATCH, user.patch(&format!("{path}/incomplete"))),
        (STATUS, Method::PATCH, set_status(user, &path)),
    ])
    .await
}

async fn send_all(requests: Vec<(&'static str, Method, Request)>) -> Vec<Answer> {
    let mut answers = Vec::new();
    for (path, method, request) in requests {
        answers.push((path, method, request.await));
    }
    answers
}
