//! `PUT` and `PATCH /api/{user_id}/tasks/{id}`, which are equivalent.

use reqwest::Method;
use serde_json::{Value, json};
use tests::{App, Response, User};

use super::get::BAD_IDS;
use crate::{NO_TASK, path_of};

const METHODS: [Method; 2] = [Method::PUT, Method::PATCH];

/// A task with every member set.
async fn full_task(user: &User) -> Value {
    user.create(json!({ "title": "Buy milk", "description": "2 l" })).await.good(201)
}

async fn update(user: &User, method: &Method, task: &Value, body: Value) -> Response {
    user.request(method.clone(), &user.path(&path_of(task))).json(body).await
}

#[tokio::test]
async fn each_member_changes_alone() {
    let alice = App::start().await.user("alice").await;
    for method in METHODS {
        for (member, value) in [
            ("title", json!("Buy oat milk")),
            ("title", json!("  spaces stay  ")),
            ("title", json!("🦀".repeat(255))),
            ("description", json!("3 l")),
            ("description", json!("")),
            ("description", json!(null)),
            ("description", json!("🦀".repeat(5_000))),
            ("status", json!("complete")),
            ("priority", json!("high")),
        ] {
            let task = full_task(&alice).await;
            let mut body = json!({});
            body[member] = value.clone();
            let changed = update(&alice, &method, &task, body).await.good(200);
            let mut expected = task.clone();
            expected[member] = value;
            expected["updated_at"] = changed["updated_at"].clone();
            assert_eq!(changed, expected, "{method} {member}");
            assert_eq!(alice.get(&path_of(&task)).await.good(200), changed, "{method} {member}");
        }
    }
}

#[tokio::test]
async fn all_members_change_at_once() {
    let alice = App::start().await.user("alice").await;
    for method in METHODS {
        let task = full_task(&alice).await;
        let body = json!({ "title": "Call", "description": null, "status": "complete" });
        let changed = update(&alice, &method, &task, body).await.good(200);
        assert_eq!(changed["title"], "Call", "{method}");
        assert_eq!(changed["description"], Value::Null, "{method}");
        assert_eq!(changed["status"], "complete", "{method}");
    }
}

#[tokio::test]
async fn a_completed_task_can_be_reopened() {
    let alice = App::start().await.user("alice").await;
    let task = alice.task("Buy milk").await;
    update(&alice, &Method::PATCH, &task, json!({ "status": "complete" })).await.good(200);
    let reopened = update(&alice, &Method::PATCH, &task, json!({ "status": "incomplete" })).await;
    assert_eq!(reopened.good(200)["status"], "incomplete");
}

#[tokio::test]
async fn a_change_moves_updated_at_forward_and_created_at_never() {
    let alice = App::start().await.user("alice").await;
    let task = alice.task("0").await;
    let mut last = task["updated_at"].as_str().expect("text").to_owned();
    for title in ["1", "2", "3", "4", "5"] {
        let changed =
            update(&alice, &Method::PATCH, &task, json!({ "title": title })).await.good(200);
        assert_eq!(changed["created_at"], task["created_at"]);
        let updated_at = changed["updated_at"].as_str().expect("text").to_owned();
        // The format has a fixed width, so the texts compare like times.
        assert!(updated_at > last, "{updated_at} is not after {last}");
        last = updated_at;
    }
}

#[tokio::test]
async fn an_update_that_changes_nothing_leaves_the_task_as_it_was() {
    let alice = App::start().await.user("alice").await;
    for method in METHODS {
        for body in [
            json!({ "title": "Buy milk" }),
            json!({ "description": "2 l" }),
            json!({ "status": "incomplete" }),
            json!({ "priority": " Medium" }),
            json!({ "title": "Buy milk", "description": "2 l", "status": "incomplete" }),
        ] {
            let task = full_task(&alice).await;
            let same = update(&alice, &method, &task, body.clone()).await.good(200);
            assert_eq!(same, task, "{method} {body}");
        }
    }
}

#[tokio::test]
async fn an_update_changes_no_other_task() {
    let alice = App::start().await.user("alice").await;
    let (one, two) = (alice.task("one").await, alice.task("two").await);
    update(&alice, &Method::PUT, &one, json!({ "title": "changed" })).await.good(200);
    assert_eq!(alice.get(&path_of(&two)).await.good(200), two);
}

#[tokio::test]
async fn an_update_of_nothing_is_refused() {
    let alice = App::start().await.user("alice").await;
    let task = alice.task("Buy milk").await;
    for method in METHODS {
        for (label, body) in [
            ("empty", json!({})),
            ("unknown members only", json!({ "colour": 1 })),
            (
                "what is not the client's to set",
                json!({ "id": 1, "user_id": "x", "created_at": "x" }),
            ),
        ] {
            let response = update(&alice, &method, &task, body).await;
            assert_eq!(response.status, 400, "{method} {label}: {response}");
            response.problem(400).says(
                "At least one field (title, description, status or priority) must be provided",
            );
        }
    }
    assert_eq!(alice.tasks().await, [task]);
}

#[tokio::test]
async fn bad_members_are_refused_by_name() {
    const EMPTY: &str = "Title cannot be empty";
    const STATUS: &str = "Invalid status value. Must be 'incomplete' or 'complete'";
    let alice = App::start().await.user("alice").await;
    let task = full_task(&alice).await;
    for method in METHODS {
        for (label, member, value, message) in [
            ("empty title", "title", json!(""), EMPTY),
            ("blank title", "title", json!(" \t\n"), EMPTY),
            ("other white space", "title", json!("\u{2003}"), EMPTY),
            ("a zero-width space", "title", json!("\u{200b}"), EMPTY),
            ("a Hangul filler", "title", json!("\u{3164}"), EMPTY),
            ("blank Braille", "title", json!("\u{2800}"), EMPTY),
            ("long title", "title", json!("x".repeat(256)), "Title must be 255 characters or less"),
            (
                "long description",
                "description",
                json!("x".repeat(5_001)),
                "Description must be 5000 characters or less",
            ),
            ("unknown status", "status", json!("done"), STATUS),
            ("status in upper case", "status", json!("Complete"), STATUS),
            ("empty status", "status", json!(""), STATUS),
        ] {
            let mut body = json!({});
            body[member] = value;
            let response = update(&alice, &method, &task, body).await;
            assert_eq!(response.status, 400, "{method} {label}: {response}");
            response.problem(400).kind("validation").field(member, message);
        }
    }
    assert_eq!(alice.tasks().await, [task]);
}

#[tokio::test]
async fn members_of_the_wrong_type_are_named_with_the_expected_type() {
    let alice = App::start().await.user("alice").await;
    let task = full_task(&alice).await;
    for method in METHODS {
        for (label, member, value) in [
            ("number", "title", json!(1)),
            ("null", "title", json!(null)),
            ("array", "description", json!([])),
            ("object", "description", json!({})),
            ("boolean", "status", json!(true)),
            ("null", "status", json!(null)),
        ] {
            let mut body = json!({});
            body[member] = value;
            let response = update(&alice, &method, &task, body).await;
            assert_eq!(response.status, 400, "{method} {member}, {label}: {response}");
            response.problem(400).field_mentions(member, &[member, "string"]);
        }
    }
    assert_eq!(alice.tasks().await, [task]);
}

#[tokio::test]
async fn all_bad_members_are_listed_and_none_is_changed() {
    let alice = App::start().await.user("alice").await;
    let task = full_task(&alice).await;
    for method in METHODS {
        let body = json!({ "title": "", "description": "x".repeat(5_001), "status": "done" });
        update(&alice, &method, &task, body).await.problem(400).fields(&[
            ("title", "Title cannot be empty"),
            ("description", "Description must be 5000 characters or less"),
            ("status", "Invalid status value. Must be 'incomplete' or 'complete'"),
        ]);
        let half_good = json!({ "title": "good", "status": "done" });
        update(&alice, &method, &task, half_good).await.problem(400);
    }
    assert_eq!(alice.tasks().await, [task]);
}

#[tokio::test]
async fn an_absent_task_is_not_found() {
    let alice = App::start().await.user("alice").await;
    for method in METHODS {
        let path = alice.path(&format!("/tasks/{NO_TASK}"));
        let response = alice.request(method, &path).json(json!({ "title": "x" })).await;
        response.problem(404).kind("task-not-found").says("Task not found");
    }
}

#[tokio::test]
async fn an_id_that_no_task_can_have_is_refused() {
    let alice = App::start().await.user("alice").await;
    for method in METHODS {
        for (label, id) in BAD_IDS {
            let path = alice.path(&format!("/tasks/{id}"));
            let response = alice.request(method.clone(), &path).json(json!({ "title": "x" })).await;
            assert_eq!(response.status, 400, "{method} {label}: {response}");
            response.problem(400).says("Invalid task ID");
        }
    }
}
