//! Databases in which an authentication provider has created `users` already.

use tests::TestDatabase;

use crate::support::catalog::{objects, objects_without_history, tables, versions};
use crate::support::program::{run, run_with};

/// A database with a provider's table.
async fn with_users(definition: &str) -> TestDatabase {
    let database = TestDatabase::create().await;
    database.client().await.batch_execute(definition).await.expect("create the provider's table");
    database
}

/// An example of a provider's table.
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
        let theirs = lines.filter(|object| !object.contains("tasks"));
        theirs.filter(|object| !object.contains("idempotency_keys")).collect::<Vec<_>>()
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
    let insert = "insert into tasks (user_id, title) values ('u1', 'Buy groceries');
        insert into idempotency_keys
          select user_id, 'k', sha256('x'), id, created_at from tasks;";
    client.batch_execute(insert).await.expect("the user owns a task and a key");
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
async fn objects_of_others_that_depend_on_our_table_are_not_dropped() {
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
    let script = "insert into users values ('u1'), ('u2');
        insert into tasks (user_id, title) values ('u1', 'x'), ('u2', 'y');
        insert into idempotency_keys
          select user_id, 'k', sha256('x'), id, created_at from tasks;
        delete from users where id = 'u1';";
    let client = database.client().await;
    client.batch_execute(script).await.expect("delete a user");
    let query = "select user_id from tasks join idempotency_keys using (user_id)";
    let row = client.query_one(query, &[]).await.expect("what the other user has");
    assert_eq!(row.get::<_, &str>(0), "u2");
}

/// A privilege that was granted for one migration may be revoked before the next.
#[tokio::test]
async fn a_table_that_may_not_be_pointed_to_is_a_clear_failure() {
    let database = with_users(PROVIDER).await;
    let role = database.role("worker").await;
    let url = database.url_as(&role).to_connection_string();
    let variables = [("DATABASE_URL", url.as_str())];
    let provider = database.client().await;
    let provide = async |sql: &str| {
        provider.batch_execute(&sql.replace("ROLE", &role.quoted())).await.expect(sql);
    };
    let refused = async || {
        run_with(&variables, &["up"])
            .await
            .exits(5)
            .says(&format!(
                "role \"{}\" may not point a foreign key at the existing table \"users\" (42501)",
                role.name
            ))
            .says(&format!(
                "hint: As the owner of that table: grant references on users to {}",
                role.name
            ));
    };
    provide("grant create on schema public to ROLE").await;
    refused().await;
    assert_eq!(versions(&database).await, [0; 0]);
    provide("grant references on users to ROLE").await;
    run_with(&variables, &["up", "--to", "2"]).await.exits(0);
    let before = objects(&database).await;
    provide("revoke references on users from ROLE").await;
    refused().await;
    assert_eq!(objects(&database).await, before);
    assert_eq!(versions(&database).await, [1, 2]);
    provide("grant references on users to ROLE").await;
    run_with(&variables, &["up"]).await.exits(0);
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
