//! Requests for the same tasks at the same time: nothing is lost, and nothing is done twice.

use std::collections::BTreeSet;

use futures::future::join_all;
use serde_json::{Value, json};
use tests::App;

use crate::path_of;

#[tokio::test]
async fn ids_are_given_once() {
    let alice = App::start().await.user("alice").await;
    let tasks = join_all((0..50).map(|i| {
        let alice = alice.clone();
        async move { alice.task(&format!("task {i}")).await }
    }))
    .await;
    let ids: BTreeSet<i64> = tasks.iter().filter_map(|task| task["id"].as_i64()).collect();
    assert_eq!(ids.len(), 50);
    assert_eq!(alice.tasks().await.len(), 50);
}

#[tokio::test]
async fn many_completions_at_once_are_one() {
    let alice = App::start().await.user("alice").await;
    let path = format!("{}/complete", path_of(&alice.task("Buy milk").await));
    let responses = join_all((0..30).map(|_| async { alice.patch(&path).await.good(200) })).await;
    let first = &responses[0];
    assert!(responses.iter().all(|response| response == first), "{responses:?}");
}

#[tokio::test]
async fn one_of_many_deletions_succeeds() {
    let alice = App::start().await.user("alice").await;
    let path = path_of(&alice.task("Buy milk").await);
    let responses = join_all((0..30).map(|_| async { alice.delete(&path).await.status })).await;
    assert_eq!(responses.iter().filter(|status| **status == 204).count(), 1, "{responses:?}");
    assert_eq!(responses.iter().filter(|status| **status == 404).count(), 29, "{responses:?}");
}

#[tokio::test]
async fn changes_of_different_members_at_once_all_last() {
    let alice = App::start().await.user("alice").await;
    for round in 0..10 {
        let task = alice.task("before").await;
        let path = path_of(&task);
        let change = async |body: Value| alice.patch(&path).json(body).await.good(200);
        futures::join!(
            change(json!({ "title": format!("after {round}") })),
            change(json!({ "description": "after" })),
            change(json!({ "status": "complete" })),
        );
        let changed = alice.get(&path).await.good(200);
        assert_eq!(changed["title"], format!("after {round}"));
        assert_eq!(changed["description"], "after");
        assert_eq!(changed["status"], "complete");
    }
}

#[tokio::test]
async fn changes_at_once_each_have_a_time_of_their_own() {
    let alice = App::start().await.user("alice").await;
    let path = path_of(&alice.task("0").await);
    let changes = join_all((1..=30).map(|i| {
        let (alice, path) = (&alice, &path);
        async move { alice.patch(path).json(json!({ "title": i.to_string() })).await.good(200) }
    }))
    .await;
    let times: BTreeSet<String> =
        changes.iter().map(|task| task["updated_at"].to_string()).collect();
    assert_eq!(times.len(), 30, "{times:?}");
}

#[tokio::test]
async fn clients_that_hang_up_do_not_disturb_the_others() {
    let app = App::start_with(|_| {}).await;
    let alice = app.user("alice").await;
    let task = alice.task("Buy milk").await;
    let hang_up = (0..50).map(|_| async {
        let request = alice.get("/tasks").into_future();
        // Shorter than any response takes.
        let _ = tokio::time::timeout(std::time::Duration::from_micros(300), request).await;
    });
    join_all(hang_up).await;
    let answers = join_all((0..20).map(|_| alice.tasks())).await;
    assert!(answers.iter().all(|tasks| *tasks == [task.clone()]), "{answers:?}");
}
