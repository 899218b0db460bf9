//! `PATCH /api/{user_id}/tasks/{id}/complete`

use serde_json::json;
use tests::App;

use super::get::BAD_IDS;
use crate::{NO_TASK, path_of};

#[tokio::test]
async fn a_task_is_completed() {
    let alice = App::start().await.user("alice").await;
    let task = alice.task("Buy milk").await;
    let done = alice.patch(&format!("{}/complete", path_of(&task))).await.good(200);
    let mut expected = task.clone();
    expected["status"] = json!("complete");
    expected["updated_at"] = done["updated_at"].clone();
    assert_eq!(done, expected);
    assert!(done["updated_at"].as_str() > task["updated_at"].as_str());
    assert_eq!(alice.tasks().await, [done]);
}

#[tokio::test]
async fn a_completed_task_comes_back_unchanged() {
    let alice = App::start().await.user("alice").await;
    let path = format!("{}/complete", path_of(&alice.task("Buy milk").await));
    let first = alice.patch(&path).await;
    let second = alice.patch(&path).await;
    first.good(200);
    second.good(200);
    assert_eq!(second.text(), first.text());
}

#[tokio::test]
async fn a_body_does_not_matter() {
    let alice = App::start().await.user("alice").await;
    for (label, body) in
        [("members", r#"{"title": "other"}"#), ("empty object", "{}"), ("not JSON", "{")]
    {
        let path = format!("{}/complete", path_of(&alice.task("Buy milk").await));
        let done = alice.patch(&path).json_bytes(body).await;
        assert_eq!(done.status, 200, "{label}: {done}");
        assert_eq!(done.json()["title"], "Buy milk", "{label}");
    }
}

#[tokio::test]
async fn an_absent_task_is_not_found() {
    let alice = App::start().await.user("alice").await;
    let response = alice.patch(&format!("/tasks/{NO_TASK}/complete")).await;
    response.problem(404).kind("task-not-found").says("Task not found");
}

#[tokio::test]
async fn an_id_that_no_task_can_have_is_refused() {
    let alice = App::start().await.user("alice").await;
    for (label, id) in BAD_IDS {
        let response = alice.patch(&format!("/tasks/{id}/complete")).await;
        assert_eq!(response.status, 400, "{label}: {response}");
        response.problem(400).says("Invalid task ID");
    }
}
