//! `DELETE /api/{user_id}/tasks/{id}`

use tests::App;

use super::get::BAD_IDS;
use crate::{NO_TASK, path_of};

#[tokio::test]
async fn a_deleted_task_is_gone() {
    let alice = App::start().await.user("alice").await;
    let (gone, stays) = (alice.task("gone").await, alice.task("stays").await);
    alice.delete(&path_of(&gone)).await.empty(204);
    alice.get(&path_of(&gone)).await.problem(404).says("Task not found");
    assert_eq!(alice.tasks().await, [stays]);
}

#[tokio::test]
async fn the_second_deletion_finds_nothing() {
    let alice = App::start().await.user("alice").await;
    let task = alice.task("gone").await;
    alice.delete(&path_of(&task)).await.empty(204);
    alice.delete(&path_of(&task)).await.problem(404).says("Task not found");
}

#[tokio::test]
async fn the_id_of_a_deleted_task_is_not_used_again() {
    let alice = App::start().await.user("alice").await;
    let task = alice.task("gone").await;
    alice.delete(&path_of(&task)).await.empty(204);
    assert_ne!(alice.task("new").await["id"], task["id"]);
}

#[tokio::test]
async fn an_absent_task_is_not_found() {
    let alice = App::start().await.user("alice").await;
    let response = alice.delete(&format!("/tasks/{NO_TASK}")).await;
    response.problem(404).kind("task-not-found").says("Task not found");
}

#[tokio::test]
async fn an_id_that_no_task_can_have_is_refused() {
    let alice = App::start().await.user("alice").await;
    for (label, id) in BAD_IDS {
        let response = alice.delete(&format!("/tasks/{id}")).await;
        assert_eq!(response.status, 400, "{label}: {response}");
        response.problem(400).says("Invalid task ID");
    }
}
