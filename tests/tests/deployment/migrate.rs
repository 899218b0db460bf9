//! `deploy/migrate`: check, then up, then the API's privileges.

use tests::TestDatabase;

use crate::programs::{Programs, migrator};

#[tokio::test]
async fn a_database_is_checked_migrated_and_granted() {
    let database = TestDatabase::create().await;
    let role = database.role("taskie_api").await;
    let (migrator, url) = (migrator().await, database.url().to_connection_string());
    let variables =
        [("MIGRATOR", migrator.as_str()), ("DATABASE_URL", &url), ("API_ROLE", &role.name)];
    let programs = Programs::new(&[]);
    programs.run("deploy/migrate", &[], &variables).await.exits(0).does_not_print(&url);
    // The role can do what the API does.
    let client = database.client_as(&role).await;
    client.query("select id from tasks", &[]).await.expect("read the tasks");
    // A second time there is nothing to do.
    programs.run("deploy/migrate", &[], &variables).await.exits(0);
}

#[tokio::test]
async fn a_finding_stops_before_anything_is_changed() {
    let database = TestDatabase::migrated().await;
    let client = database.client().await;
    client
        .batch_execute(
            "update refinery_schema_history set checksum = '1' where version = 2;
             delete from refinery_schema_history where version = 5;",
        )
        .await
        .expect("change the history");
    let (migrator, url) = (migrator().await, database.url().to_connection_string());
    Programs::new(&[])
        .run("deploy/migrate", &[], &[("MIGRATOR", &migrator), ("DATABASE_URL", &url)])
        .await
        .exits(10)
        .says("nothing was changed, nothing is deployed");
    let rows = client
        .query("select from refinery_schema_history where version = 5", &[])
        .await
        .expect("read the history");
    assert!(rows.is_empty());
}

#[tokio::test]
async fn without_a_connection_string_nothing_happens() {
    Programs::new(&[]).run("deploy/migrate", &[], &[]).await.exits(1).says("DATABASE_URL");
}
