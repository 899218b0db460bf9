//! Acknowledged changes survive a restart of the service.

use serde_json::json;
use tests::App;

use crate::path_of;

#[tokio::test]
async fn tasks_survive_a_restart() {
    let app = App::start_with(|_| {}).await;
    let alice = app.user("alice").await;
    let (kept, changed, deleted) =
        (alice.task("kept").await, alice.task("changed").await, alice.task("deleted").await);
    let changed =
        alice.patch(&path_of(&changed)).json(json!({ "status": "complete" })).await.good(200);
    alice.delete(&path_of(&deleted)).await.empty(204);

    app.restart().await;

    assert_eq!(alice.tasks().await, [changed, kept]);
    alice.get(&path_of(&deleted)).await.problem(404);
}

#[tokio::test]
async fn ids_go_on_after_a_restart() {
    let app = App::start_with(|_| {}).await;
    let alice = app.user("alice").await;
    let before = alice.task("before").await;
    app.restart().await;
    let after = alice.task("after").await;
    assert!(after["id"].as_i64() > before["id"].as_i64(), "{before} {after}");
}
