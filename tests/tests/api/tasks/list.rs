//! `GET /api/{user_id}/tasks`

use serde_json::{Value, json};
use tests::App;

#[tokio::test]
async fn a_user_without_tasks_has_an_empty_list() {
    let alice = App::start().await.user("alice").await;
    let response = alice.get("/tasks").await;
    response.good(200);
    assert_eq!(response.text(), "[]");
}

#[tokio::test]
async fn tasks_come_newest_first() {
    let alice = App::start().await.user("alice").await;
    let (first, second, third) =
        (alice.task("first").await, alice.task("second").await, alice.task("third").await);
    assert_eq!(alice.tasks().await, [third, second, first]);
}

#[tokio::test]
async fn tasks_of_the_same_moment_come_by_id_descending() {
    let app = App::start().await;
    let alice = app.user("alice").await;
    let insert =
        "insert into tasks (user_id, title) select $1, 'task ' || i from generate_series(1, 20) i";
    app.client().await.execute(insert, &[&alice.id]).await.expect("insert");
    let ids: Vec<i64> = alice.tasks().await.iter().filter_map(|task| task["id"].as_i64()).collect();
    assert_eq!(ids.len(), 20);
    assert!(ids.is_sorted_by(|left, right| left > right), "{ids:?}");
}

#[tokio::test]
async fn age_counts_and_not_the_last_change() {
    let alice = App::start().await.user("alice").await;
    let (old, new) = (alice.task("old").await, alice.task("new").await);
    let old =
        alice.patch(&crate::path_of(&old)).json(json!({ "title": "touched" })).await.good(200);
    assert_eq!(alice.tasks().await, [new, old]);
}

#[tokio::test]
async fn a_status_filters() {
    let alice = App::start().await.user("alice").await;
    let (open, done) = (alice.task("open").await, alice.task("done").await);
    let done = alice.patch(&format!("{}/complete", crate::path_of(&done))).await.good(200);
    assert_eq!(alice.get("/tasks?status=incomplete").await.good(200), json!([open]));
    assert_eq!(alice.get("/tasks?status=complete").await.good(200), json!([done]));
    assert_eq!(alice.tasks().await, [done, open]);
}

#[tokio::test]
async fn a_filter_that_nothing_passes_gives_an_empty_list() {
    let alice = App::start().await.user("alice").await;
    alice.task("open").await;
    assert_eq!(alice.get("/tasks?status=complete").await.good(200), json!([]));
}

#[tokio::test]
async fn an_unknown_status_is_refused() {
    let alice = App::start().await.user("alice").await;
    for (label, query) in [
        ("another word", "status=done"),
        ("upper case", "status=COMPLETE"),
        ("empty", "status="),
        ("without a value", "status"),
        ("with a space", "status=complete%20"),
        ("SQL", "status=complete'%20or%20'1'='1"),
        ("not UTF-8", "status=%FF"),
        ("U+0000", "status=complete%00"),
    ] {
        let response = alice.get(&format!("/tasks?{query}")).await;
        assert_eq!(response.status, 400, "{label}: {response}");
        response.problem(400).says("Invalid status value. Must be 'incomplete' or 'complete'");
    }
}

#[tokio::test]
async fn a_filter_may_be_percent_encoded() {
    let alice = App::start().await.user("alice").await;
    let task = alice.task("open").await;
    assert_eq!(alice.get("/tasks?status=%69ncomplete").await.good(200), json!([task]));
}

#[tokio::test]
async fn only_the_callers_tasks_are_listed() {
    let app = App::start().await;
    let (alice, bob) = (app.user("alice").await, app.user("bob").await);
    let (hers, his) = (alice.task("hers").await, bob.task("his").await);
    assert_eq!(alice.tasks().await, [hers]);
    assert_eq!(bob.tasks().await, [his]);
}

#[tokio::test]
async fn a_user_without_an_account_has_an_empty_list() {
    let unregistered = App::start().await.unregistered_user("newcomer");
    assert_eq!(unregistered.tasks().await, [] as [Value; 0]);
}
