//! The API of the last release on today's schema and with today's privileges: while a deployment rolls, both serve.

use std::fs;

use serde_json::json;
use tempfile::TempDir;
use tests::{App, User, workspace};
use toml::{Table, Value};

use crate::path_of;

/// The application of the last release, without its page, in a folder of its own.
fn last_release() -> TempDir {
    let data = workspace().join("tests/data/last-release");
    let text = fs::read_to_string(data.join("spin.toml")).expect("read its manifest");
    let mut manifest: Table = text.parse().expect("parse its manifest");
    let components = manifest["component"].as_table_mut().expect("a table of components");
    components.retain(|name, _| name == "api");
    let api = components["api"].as_table_mut().expect("the component");
    api.insert("source".to_owned(), "api.wasm".into());
    api.remove("build");
    let triggers = manifest["trigger"]["http"].as_array_mut().expect("triggers");
    triggers.retain(|trigger| trigger["component"] == Value::from("api"));

    let folder = TempDir::new().expect("create a folder");
    fs::write(folder.path().join("spin.toml"), manifest.to_string()).expect("write a manifest");
    fs::copy(data.join("api.wasm"), folder.path().join("api.wasm")).expect("copy the component");
    folder
}

fn version() -> String {
    let path = workspace().join("tests/data/last-release/version");
    fs::read_to_string(path).expect("read its version").trim().to_owned()
}

/// The last release and this one, on one database.
async fn both() -> (TempDir, App, App) {
    let folder = last_release();
    let new = App::start_with(|_| {}).await;
    let url = new.database().api_url();
    let old = App::start_with(|options| {
        options.manifest = folder.path().join("spin.toml");
        options.database(&url);
    })
    .await;
    (folder, old, new)
}

/// The same user at both.
fn user_of(old: &App, new: &App) -> [User; 2] {
    let user = new.unregistered_user("rolling");
    [old.unregistered_user_with_id(&user.id), user]
}

#[tokio::test]
async fn the_last_release_serves_every_route_on_this_schema() {
    let (_folder, old, new) = both().await;
    let health = old.get("/health/db").await;
    if version() == "before 0.1.0, schema 3" {
        // It serves, and asks in vain for rights on whole tables where columns are granted now.
        assert_eq!(health.status, 503);
        assert!(health.text().contains("lacks insert on tasks"), "{}", health.text());
    } else {
        assert_eq!(health.good(200)["status"], "healthy");
    }
    let [ann, _] = user_of(&old, &new);
    // The user's first task creates the account.
    let task = ann.create(json!({ "title": "Buy milk", "description": "oat" })).await.good(201);
    let path = path_of(&task);
    assert_eq!(ann.get(&path).await.good(200), task);
    let changed = ann.put(&path).json(json!({ "title": "Buy tea" })).await.good(200);
    assert_eq!((&changed["title"], &changed["description"]), (&json!("Buy tea"), &json!("oat")));
    let complete = ann.patch(&format!("{path}/complete")).await.good(200);
    assert_eq!(complete["status"], "complete");
    assert_eq!(ann.get("/tasks?status=complete").await.good(200), json!([complete]));
    ann.delete(&path).await.empty(204);
    assert_eq!(ann.get(&path).await.status, 404);
}

#[tokio::test]
async fn both_serve_the_same_tasks_at_the_same_time() {
    let (_folder, old, new) = both().await;
    let users = user_of(&old, &new);
    for [first, second] in [[&users[0], &users[1]], [&users[1], &users[0]]] {
        let created = first.create(json!({ "title": "Buy milk" })).await;
        let (path, tag) = (path_of(&created.good(201)), created.header("etag").to_owned());
        // A tag of one is known to the other.
        let change = json!({ "description": "oat" });
        let changed = second.patch(&path).header("If-Match", &tag).json(change).await;
        assert_eq!(changed.good(200)["description"], "oat");
        let stale = json!({ "title": "Buy tea" });
        let stale = first.patch(&path).header("If-Match", &tag).json(stale).await;
        assert_eq!(stale.status, 412);
        second.delete(&path).await.empty(204);
        assert_eq!(first.get(&path).await.status, 404);
    }
    // A request that is sent again to the other one creates no second task.
    let send = |user: &User| {
        user.create(json!({ "title": "Once" })).header("Idempotency-Key", "rolling-deployment-1")
    };
    let first = send(&users[0]).await.good(201);
    let again = send(&users[1]).await.good(201);
    assert_eq!(first["id"], again["id"]);
    assert_eq!(users[1].tasks().await.len(), 1);
}

#[tokio::test]
async fn what_the_last_release_does_not_know_stays_as_it_is() {
    let (_folder, old, new) = both().await;
    let [at_old, at_new] = user_of(&old, &new);
    let task = at_new.create(json!({ "title": "Buy milk", "priority": "high" })).await.good(201);
    at_old.put(&path_of(&task)).json(json!({ "title": "Buy tea" })).await.good(200);
    assert_eq!(at_new.get(&path_of(&task)).await.good(200)["priority"], "high");
}
