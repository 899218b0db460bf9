//! `PATCH /api/{user_id}/tasks/{id}/complete`, `…/incomplete` and `…/status`

use serde_json::{Value, json};
use tests::{App, Request, User};

use super::get::BAD_IDS;
use crate::{NO_TASK, path_of};

const UNKNOWN: &str = "Invalid status value. Must be 'incomplete' or 'complete'";

/// The ways to give a task a status: the rest of the path, the body, and the status.
const WAYS: [(&str, Option<&str>, &str); 4] = [
    ("complete", None, "complete"),
    ("incomplete", None, "incomplete"),
    ("status", Some("complete"), "complete"),
    ("status", Some("incomplete"), "incomplete"),
];

fn request(user: &User, task: &str, rest: &str, status: Option<&str>) -> Request {
    let request = user.patch(&format!("{task}/{rest}"));
    match status {
        Some(status) => request.json(json!({ "status": status })),
        None => request,
    }
}

#[tokio::test]
async fn a_task_gets_the_status() {
    let alice = App::start().await.user("alice").await;
    for (rest, body, status) in WAYS {
        let other = if status == "complete" { "incomplete" } else { "complete" };
        let new = json!({ "title": "Buy milk", "priority": "high", "status": other });
        let task = alice.create(new).await.good(201);
        let changed = request(&alice, &path_of(&task), rest, body).await.good(200);
        let mut expected = task.clone();
        expected["status"] = json!(status);
        expected["updated_at"] = changed["updated_at"].clone();
        assert_eq!(changed, expected, "{rest} {body:?}");
        assert!(changed["updated_at"].as_str() > task["updated_at"].as_str(), "{rest} {body:?}");
        assert_eq!(alice.get(&path_of(&task)).await.good(200), changed, "{rest} {body:?}");
    }
}

#[tokio::test]
async fn a_task_that_has_the_status_comes_back_unchanged() {
    let alice = App::start().await.user("alice").await;
    for (rest, body, _) in WAYS {
        let task = path_of(&alice.task("Buy milk").await);
        let first = request(&alice, &task, rest, body).await;
        let second = request(&alice, &task, rest, body).await;
        first.good(200);
        second.good(200);
        assert_eq!(second.text(), first.text(), "{rest} {body:?}");
        assert_eq!(second.header("etag"), first.header("etag"), "{rest} {body:?}");
    }
}

/// As a person ticks and unticks, by whatever route.
#[tokio::test]
async fn a_task_is_ticked_and_unticked_by_any_route() {
    let alice = App::start().await.user("alice").await;
    let task = path_of(&alice.task("Buy milk").await);
    for (rest, body, status) in [WAYS[0], WAYS[1], WAYS[2], WAYS[3], WAYS[2], WAYS[1], WAYS[0]] {
        let changed = request(&alice, &task, rest, body).await.good(200);
        assert_eq!(changed["status"], status, "{rest} {body:?}");
        let listed = alice.get(&format!("/tasks?status={status}")).await.good(200);
        assert_eq!(listed, json!([changed]), "{rest} {body:?}");
    }
}

#[tokio::test]
async fn a_body_does_not_matter_where_the_path_says_all() {
    let alice = App::start().await.user("alice").await;
    for rest in ["complete", "incomplete"] {
        for (label, body) in [
            ("members", r#"{"title": "other", "status": "x"}"#),
            ("empty object", "{}"),
            ("nothing, as JSON", ""),
            ("not JSON", "{"),
        ] {
            let path = format!("{}/{rest}", path_of(&alice.task("Buy milk").await));
            let done = alice.patch(&path).json_bytes(body).await;
            assert_eq!(done.status, 200, "{rest}, {label}: {done}");
            assert_eq!(done.json()["title"], "Buy milk", "{rest}, {label}");
            assert_eq!(done.json()["status"], rest, "{label}");
        }
    }
}

#[tokio::test]
async fn a_status_that_is_none_is_refused() {
    let alice = App::start().await.user("alice").await;
    let task = alice.task("Buy milk").await;
    let path = format!("{}/status", path_of(&task));
    for (label, body) in [
        ("another word", json!({ "status": "done" })),
        ("upper case", json!({ "status": "Complete" })),
        ("a space", json!({ "status": "complete " })),
        ("empty", json!({ "status": "" })),
        ("absent", json!({})),
        ("another member", json!({ "completed": true })),
    ] {
        let response = alice.patch(&path).json(body).await;
        assert_eq!(response.status, 400, "{label}: {response}");
        response.problem(400).kind("validation").field("status", UNKNOWN);
    }
    for status in [Value::Null, json!(true), json!(1), json!(["complete"]), json!({})] {
        let response = alice.patch(&path).json(json!({ "status": status })).await;
        assert_eq!(response.status, 400, "{status}: {response}");
        response.problem(400).field("status", "status must be a string");
    }
    alice.patch(&path).json_bytes("").await.problem(400).kind("bad-request");
    alice.patch(&path).body("text/plain", "complete").await.problem(415);
    assert_eq!(alice.tasks().await, [task]);
}

/// Only the status: other members are ignored, as everywhere.
#[tokio::test]
async fn other_members_change_nothing() {
    let alice = App::start().await.user("alice").await;
    let task = alice.task("Buy milk").await;
    let body = json!({ "status": "complete", "title": "other", "priority": "urgent", "id": 1 });
    let done = alice.patch(&format!("{}/status", path_of(&task))).json(body).await.good(200);
    assert_eq!((&done["title"], &done["priority"]), (&json!("Buy milk"), &json!("medium")));
}

#[tokio::test]
async fn a_task_in_another_state_than_the_named_one_stays_as_it_is() {
    let alice = App::start().await.user("alice").await;
    for (rest, body, _) in WAYS {
        let created = alice.create(json!({ "title": "Buy milk" })).await;
        let (task, etag) = (created.good(201), created.header("etag").to_owned());
        let path = path_of(&task);
        for (name, value) in
            [("If-Match", "\"other\""), ("If-None-Match", etag.as_str()), ("If-None-Match", "*")]
        {
            let response = request(&alice, &path, rest, body).header(name, value).await;
            assert_eq!(response.status, 412, "{rest} {body:?}, {name}: {response}");
            assert_eq!(alice.get(&path).await.good(200), task, "{rest} {body:?}, {name}");
        }
        let known = request(&alice, &path, rest, body).header("If-Match", &etag).await;
        known.good(200);
        let absent = format!("/tasks/{NO_TASK}");
        let absent = request(&alice, &absent, rest, body).header("If-Match", &etag).await;
        absent.problem(404).kind("task-not-found");
    }
}

#[tokio::test]
async fn an_absent_task_and_anothers_are_not_found() {
    let app = App::start().await;
    let (alice, bob) = (app.user("alice").await, app.user("bob").await);
    let his = bob.task("his").await;
    for (rest, body, _) in WAYS {
        for path in [format!("/tasks/{NO_TASK}"), path_of(&his)] {
            let response = request(&alice, &path, rest, body).await;
            response.problem(404).kind("task-not-found").says("Task not found");
        }
    }
    assert_eq!(bob.tasks().await, [his]);
}

#[tokio::test]
async fn an_id_that_no_task_can_have_is_refused() {
    let alice = App::start().await.user("alice").await;
    for (rest, body, _) in WAYS {
        for (label, id) in BAD_IDS {
            let response = request(&alice, &format!("/tasks/{id}"), rest, body).await;
            assert_eq!(response.status, 400, "{rest}, {label}: {response}");
            response.problem(400).says("Invalid task ID");
        }
    }
}
