//! The priority of a task.

use reqwest::Method;
use serde_json::{Value, json};
use tests::App;

use crate::path_of;

const UNKNOWN: &str = "Priority must be 'low', 'medium', or 'high'";

/// As clients write them, and as they are kept.
const SPELLINGS: [(&str, &str); 9] = [
    ("low", "low"),
    ("medium", "medium"),
    ("high", "high"),
    ("HIGH", "high"),
    ("Low", "low"),
    ("mEdIuM", "medium"),
    (" high", "high"),
    ("low\n", "low"),
    ("\t\u{a0}\u{3000}Medium \u{2009}", "medium"),
];

/// Texts that are no priority.
const OTHERS: [&str; 11] = [
    "",
    " ",
    "urgent",
    "hi gh",
    "highest",
    "3",
    "none",
    "null",
    "ｈｉｇｈ",
    "hıgh",
    "high\u{200b}",
];

#[tokio::test]
async fn a_new_task_has_the_priority_that_was_asked_for_or_medium() {
    let alice = App::start().await.user("alice").await;
    let asked = SPELLINGS.map(|(sent, kept)| (json!({ "title": "x", "priority": sent }), kept));
    let unasked = [json!({ "title": "x" }), json!({ "title": "x", "priority": null })]
        .map(|body| (body, "medium"));
    for (body, kept) in asked.into_iter().chain(unasked) {
        let created = alice.create(body.clone()).await;
        let task = created.good(201);
        assert_eq!(task["priority"], kept, "{body}");
        let shown = alice.get(&path_of(&task)).await;
        assert_eq!(shown.text(), created.text(), "{body}");
        assert_eq!(alice.get("/tasks?limit=1").await.text(), format!("[{}]", created.text()));
    }
}

#[tokio::test]
async fn a_tasks_priority_can_be_changed_alone_and_with_others() {
    let alice = App::start().await.user("alice").await;
    for method in [Method::PUT, Method::PATCH] {
        let path = path_of(&alice.task("x").await);
        let update = |body: Value| alice.request(method.clone(), &alice.path(&path)).json(body);
        for (sent, kept) in SPELLINGS {
            let before = alice.get(&path).await.good(200);
            let changed = update(json!({ "priority": sent })).await.good(200);
            let mut expected = before.clone();
            expected["priority"] = json!(kept);
            expected["updated_at"] = changed["updated_at"].clone();
            assert_eq!(changed, expected, "{method} {sent:?}");
            // The same priority in another spelling is no change.
            let is_same = before["priority"] == kept;
            assert_eq!(changed["updated_at"] == before["updated_at"], is_same, "{method} {sent:?}");
        }
        let both = json!({ "title": "y", "priority": "HIGH", "status": "complete" });
        let changed = update(both).await.good(200);
        assert_eq!((&changed["title"], &changed["priority"]), (&json!("y"), &json!("high")));
        let kept = update(json!({ "title": "z" })).await.good(200);
        assert_eq!(kept["priority"], "high", "{method}: what is absent stays");
    }
}

#[tokio::test]
async fn what_is_no_priority_is_refused_by_name() {
    let alice = App::start().await.user("alice").await;
    let task = alice.task("x").await;
    let path = path_of(&task);
    let with = |priority: &Value| json!({ "title": "y", "priority": priority });
    for other in OTHERS {
        let body = with(&json!(other));
        let response = alice.create(body.clone()).await;
        assert_eq!(response.status, 400, "{other:?}: {response}");
        response.problem(400).kind("validation").field("priority", UNKNOWN);
        for response in
            [alice.put(&path).json(body.clone()).await, alice.patch(&path).json(body).await]
        {
            response.problem(400).kind("validation").field("priority", UNKNOWN);
        }
    }
    for value in [json!(1), json!(true), json!(["high"]), json!({ "high": 1 })] {
        for response in
            [alice.create(with(&value)).await, alice.patch(&path).json(with(&value)).await]
        {
            response.problem(400).field("priority", "priority must be a string");
        }
    }
    // A task cannot lose its priority.
    for response in [
        alice.put(&path).json(json!({ "priority": null })).await,
        alice.patch(&path).json(json!({ "priority": null })).await,
    ] {
        response.problem(400).field("priority", UNKNOWN);
    }
    let stored = alice.create(with(&json!("high\u{0}"))).await;
    stored.problem(400).field_mentions("priority", &["U+0000"]);
    assert_eq!(alice.tasks().await, [task]);
}

#[tokio::test]
async fn every_bad_member_is_listed() {
    let alice = App::start().await.user("alice").await;
    let body = json!({ "title": "", "description": 1, "status": "x", "priority": "x" });
    let status = "Invalid status value. Must be 'incomplete' or 'complete'";
    alice.create(body).await.problem(400).says("Title is required").fields(&[
        ("title", "Title is required"),
        ("description", "description must be a string"),
        ("status", status),
        ("priority", UNKNOWN),
    ]);
}

/// The same key for another priority is another request; how a priority is spelled makes no difference.
#[tokio::test]
async fn a_key_stands_for_the_priority_too() {
    let alice = App::start().await.user("alice").await;
    let create = |key: &str, body: Value| alice.create(body).header("Idempotency-Key", key);
    let plain = create("default", json!({ "title": "x" })).await.good(201);
    let same = create("default", json!({ "title": "x", "priority": "Medium" })).await.good(201);
    assert_eq!(same, plain);
    create("default", json!({ "title": "x", "priority": "low" })).await.problem(422);

    let high = create("high", json!({ "title": "x", "priority": "high" })).await.good(201);
    assert_eq!(high["priority"], "high");
    let again = create("high", json!({ "title": "x", "priority": " HIGH " })).await.good(201);
    assert_eq!(again, high);
    for other in ["low", "medium"] {
        create("high", json!({ "title": "x", "priority": other })).await.problem(422);
    }
    create("high", json!({ "title": "x" })).await.problem(422);
    assert_eq!(alice.get(&path_of(&high)).await.good(200), high);
    assert_eq!(alice.tasks().await.len(), 2);
}

/// A column that was there before the migrations may have nulls.
#[tokio::test]
async fn a_null_in_an_older_column_is_medium() {
    let app = App::start_with(|_| {}).await;
    let alice = app.user("alice").await;
    for title in ["high", "low"] {
        alice.task(title).await;
    }
    let old = alice.task("old").await;
    let client = app.client().await;
    let spoil =
        "alter table tasks alter column priority drop not null, alter column priority type text;
                 update tasks set priority = case title when 'old' then null else title end";
    client.batch_execute(spoil).await.expect("change the column");
    let shown = alice.get(&path_of(&old)).await.good(200);
    assert_eq!(shown["priority"], "medium");
    let titles = |tasks: Value| -> Vec<String> {
        let tasks = tasks.as_array().expect("an array").clone();
        tasks.iter().map(|task| task["title"].as_str().unwrap_or_default().to_owned()).collect()
    };
    let sorted = alice.get("/tasks?sort=priority").await;
    assert_eq!(titles(sorted.good(200)), ["high", "old", "low"]);
    assert_eq!(sorted.json()[1], shown);
    let changed = alice.patch(&path_of(&old)).json(json!({ "priority": "low" })).await.good(200);
    assert_eq!(changed["priority"], "low");
}
