//! `GET /api/{user_id}/tasks/{id}`

use tests::App;

use crate::{NO_TASK, path_of};

/// Ids that no task can have, and paths that look like ids.
pub(crate) const BAD_IDS: [(&str, &str); 16] = [
    ("zero", "0"),
    ("negative", "-1"),
    ("signed", "+1"),
    ("one over 32 bits", "2147483648"),
    ("minus 32 bits", "-2147483648"),
    ("over 64 bits", "99999999999999999999"),
    ("word", "abc"),
    ("fraction", "1.0"),
    ("exponent", "1e3"),
    ("hexadecimal", "0x1"),
    ("encoded space before", "%201"),
    ("encoded space after", "1%20"),
    ("other digits", "%D9%A1"),
    ("U+0000", "1%00"),
    ("not UTF-8", "%FF"),
    ("encoded slash", "1%2F2"),
];

#[tokio::test]
async fn a_task_is_found() {
    let alice = App::start().await.user("alice").await;
    let task = alice.task("Buy milk").await;
    assert_eq!(alice.get(&path_of(&task)).await.good(200), task);
}

#[tokio::test]
async fn an_absent_task_is_not_found() {
    let alice = App::start().await.user("alice").await;
    let response = alice.get(&format!("/tasks/{NO_TASK}")).await;
    response.problem(404).kind("task-not-found").says("Task not found");
}

#[tokio::test]
async fn an_id_that_no_task_can_have_is_refused() {
    let alice = App::start().await.user("alice").await;
    for (label, id) in BAD_IDS {
        let response = alice.get(&format!("/tasks/{id}")).await;
        assert_eq!(response.status, 400, "{label}: {response}");
        response.problem(400).says("Invalid task ID");
    }
}
