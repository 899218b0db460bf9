//! The example of `docs/partitioning/`: the API on partitioned tasks.

use std::fs;

use serde_json::json;
use tests::{App, TestDatabase, workspace};

use crate::path_of;

fn script(name: &str) -> String {
    fs::read_to_string(workspace().join("docs/partitioning").join(name)).expect("read a script")
}

/// Runs a script in a transaction, as the migrator does, and grants the API's role what it has on tasks.
async fn run(database: &TestDatabase, name: &str) {
    let role = database.api_role().quoted();
    let statements = format!(
        "begin; {} grant select, delete, insert, update on tasks to {role};
         grant usage on sequence tasks_id_seq to {role}; commit",
        script(name)
    );
    database.client().await.batch_execute(&statements).await.expect("run a script");
}

#[tokio::test]
async fn every_route_works_and_reads_one_partition() {
    let app = App::start_with(|_| {}).await;
    let (ann, ben) = (app.user("ann").await, app.user("ben").await);
    let before = ann.create(json!({ "title": "Before", "priority": "high" })).await.good(201);
    run(app.database(), "V6__partition_tasks.sql").await;

    // What was there has its id and its moments, and is the only one with that id.
    assert_eq!(ann.get(&path_of(&before)).await.good(200), before);
    let after = ann.create(json!({ "title": "After" })).await;
    let tag = after.header("etag").to_owned();
    let after = after.good(201);
    assert!(after["id"].as_i64() > before["id"].as_i64());
    let path = path_of(&after);
    let change = || json!({ "description": "changed" });
    let changed = ann.patch(&path).header("If-Match", &tag).json(change()).await.good(200);
    assert_eq!(changed["created_at"], after["created_at"]);
    assert_ne!(changed["updated_at"], after["updated_at"]);
    ann.patch(&path).header("If-Match", &tag).json(change()).await.problem(412);
    assert_eq!(ann.tasks().await.len(), 2);
    assert_eq!(ann.get("/tasks?sort=priority").await.good(200)[0], before);
    ben.get(&path).await.problem(404);
    ann.patch(&format!("{path}/complete")).await.good(200);
    ann.delete(&path).await.empty(204);
    assert_eq!(app.get("/health/db").await.good(200)["status"], "healthy");

    let plan = app
        .client()
        .await
        .query("explain select * from tasks where user_id = 'ann' and id = 1", &[])
        .await
        .expect("explain a statement");
    let plan: Vec<String> = plan.iter().map(|row| row.get(0)).collect();
    let partitions = plan.iter().filter(|line| line.contains(" on tasks_")).count();
    assert_eq!(partitions, 1, "{plan:#?}");

    // Back to one table, with every row.
    run(app.database(), "V6__partition_tasks.down.sql").await;
    assert_eq!(ann.tasks().await, [before]);
    // Gone with the user.
    let client = app.client().await;
    client.execute("delete from users where id = $1", &[&ann.id]).await.expect("delete a user");
    assert!(client.query("select from tasks", &[]).await.expect("read tasks").is_empty());
}
