//! Databases where an authentication provider made `users` already.

use tests::TestDatabase;

use crate::catalog::{objects, objects_without_history, tables};
use crate::program::run;

/// A database with a table of a provider.
async fn with_users(definition: &str) -> TestDatabase {
    let database = TestDatabase::create().await;
    database.client().await.batch_execute(definition).await.expect("make the provider's table");
    database
}

/// What a provider's table may look like.
const PROVIDER: &str = "
    create table users (id text primary key, name text, email text, verified boolean not null);
    comment on table users is 'Owned by the provider';
    comment on column users.id is 'The provider''s';
    insert into users values ('u1', 'Ann', 'ann@example.com', true);";

#[tokio::test]
async fn a_providers_table_is_kept_as_it_is() {
    let database = with_users(PROVIDER).await;
    let of_users = |objects: Vec<String>| {
        let lines = objects.into_iter().filter(|object| object.contains("users"));
        lines.filter(|object| !object.contains("tasks")).collect::<Vec<_>>()
    };
    let before = of_users(objects(&database).await);
    run(&database, &["up"]).await.exits(0);
    assert_eq!(of_users(objects(&database).await), before);
}

#[tokio::test]
async fn a_providers_rows_can_own_tasks_and_survive_the_undoing() {
    let database = with_users(PROVIDER).await;
    let before = objects(&database).await;
    run(&database, &["up"]).await.exits(0);
    let client = database.client().await;
    let insert = "insert into tasks (user_id, title) values ('u1', 'Buy groceries')";
    client.batch_execute(insert).await.expect("the user owns a task");
    run(&database, &["down", "--to", "0", "--yes"]).await.exits(0);
    assert_eq!(objects_without_history(&database).await, before);
    let row = client.query_one("select name from users where id = 'u1'", &[]).await.expect("a row");
    assert_eq!(row.get::<_, &str>(0), "Ann");
}

#[tokio::test]
async fn a_table_of_our_own_is_undone() {
    let database = TestDatabase::migrated().await;
    run(&database, &["down", "--to", "0", "--yes"]).await.exits(0);
    assert_eq!(tables(&database).await, ["refinery_schema_history"]);
}

#[tokio::test]
async fn what_others_made_depend_on_our_table_is_not_dropped() {
    let database = TestDatabase::migrated().await;
    let client = database.client().await;
    let sessions = "create table sessions (user_id varchar references users)";
    client.batch_execute(sessions).await.expect("depend on users");
    run(&database, &["down", "--to", "0", "--yes"]).await.exits(5).says("(2BP01)");
    assert!(tables(&database).await.contains(&"tasks".to_owned()));
}

#[tokio::test]
async fn other_text_types_can_be_pointed_to() {
    let database = with_users("create table users (id varchar(64) unique)").await;
    run(&database, &["up"]).await.exits(0);
}

#[tokio::test]
async fn ids_that_are_not_text_are_a_clear_failure() {
    let database = with_users("create table users (id uuid primary key)").await;
    let before = objects(&database).await;
    run(&database, &["up"])
        .await
        .exits(5)
        .says("the existing table \"users\" has ids of type uuid, but user ids here are text")
        .says("hint: Have the authentication provider use text ids");
    assert_eq!(objects_without_history(&database).await, before);
}

#[tokio::test]
async fn ids_that_are_not_unique_are_a_clear_failure() {
    let database = with_users("create table users (id text)").await;
    run(&database, &["up"])
        .await
        .exits(5)
        .says("may hold the same \"id\" twice")
        .says("alter table users add unique (id);");
}

#[tokio::test]
async fn a_table_without_ids_is_a_clear_failure() {
    let database = with_users("create table users (name text)").await;
    run(&database, &["up"]).await.exits(5).says("has no column \"id\"");
}

#[tokio::test]
async fn a_view_is_a_clear_failure() {
    let database = with_users("create view users as select 'u1'::text as id").await;
    run(&database, &["up"]).await.exits(5).says("is not an ordinary table");
}
