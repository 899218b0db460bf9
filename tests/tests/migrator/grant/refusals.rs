//! Roles and databases that are rejected, with the error message.

use tests::TestDatabase;
use tokio_postgres::error::SqlState;

use super::{grant, owner_without_superuser, prepare, refusal, with_role};
use crate::support::catalog::privileges;
use crate::support::program::{run, run_with};

#[tokio::test]
async fn a_missing_role_is_rejected_with_the_statement_that_creates_it() {
    let database = TestDatabase::migrated().await;
    run(&database, &["grant", "--role", "No \"Such\" Role"])
        .await
        .exits(2)
        .says("error: there is no role `No \"Such\" Role`")
        .says(r#"hint: create it first: create role "No ""Such"" Role" login password '…'"#);
}

#[tokio::test]
async fn a_superuser_is_refused() {
    let (database, role, owner) = with_role("worker").await;
    prepare(&owner, &role, "alter role ROLE superuser").await;
    grant(&database, &role, &[]).await.exits(2).says("cannot be the API's: it is a superuser");
}

#[tokio::test]
async fn an_owner_is_refused() {
    for (label, before, message) in [
        (
            "the tasks",
            "alter table tasks owner to ROLE",
            "it owns sequence public.tasks_id_seq and table public.tasks",
        ),
        ("a type", "create type t as enum (); alter type t owner to ROLE", "it owns type public.t"),
        ("the schema", "create schema s authorization ROLE", "it owns schema s"),
        (
            "many",
            "create schema s authorization ROLE; set role ROLE;
             create table s.a (); create table s.b (); create table s.c (); create table s.d ();
             reset role",
            "s.b and 2 more",
        ),
    ] {
        let (database, role, owner) = with_role("worker").await;
        prepare(&owner, &role, before).await;
        let output = grant(&database, &role, &[]).await.exits(2).says("nothing was changed");
        assert!(output.stderr.contains(message), "{label}: {output:#?}");
    }
}

#[tokio::test]
async fn the_owner_of_the_database_is_refused() {
    let (database, role, owner) = with_role("worker").await;
    let before = format!("alter database {} owner to ROLE", database.name());
    prepare(&owner, &role, &before).await;
    grant(&database, &role, &[]).await.exits(2).says("it owns database ");
}

#[tokio::test]
async fn the_role_that_is_connected_is_refused() {
    let (database, role, _) = with_role("worker").await;
    let url = database.url_as(&role).to_connection_string();
    run_with(&[("DATABASE_URL", &url)], &["grant", "--role", &role.name])
        .await
        .exits(2)
        .says("cannot be the API's: this connection uses it");
}

#[tokio::test]
async fn a_role_of_postgresqls_own_is_refused() {
    let database = TestDatabase::migrated().await;
    run(&database, &["grant", "--role", "pg_monitor"])
        .await
        .exits(2)
        .says("cannot be the API's: it is one of PostgreSQL's own");
}

#[tokio::test]
async fn a_database_without_the_schema_is_refused() {
    let database = TestDatabase::create().await;
    let role = database.role("worker").await;
    grant(&database, &role, &[])
        .await
        .exits(2)
        .says("the schema is not there yet: no table tasks, users, idempotency_keys, refinery_schema_history")
        .says("hint: apply the migrations first: `migrator up`");
}

/// As after the installation of a new version of the program, before its first run.
#[tokio::test]
async fn a_database_without_the_newest_tables_is_refused() {
    let database = TestDatabase::create().await;
    let role = database.role("worker").await;
    run(&database, &["up", "--to", "2"]).await.exits(0);
    let before = privileges(&database, &role).await;
    for dry_run in [&[][..], &["--dry-run"]] {
        let output = grant(&database, &role, dry_run)
            .await
            .exits(2)
            .says("error: the schema is not there yet: no table idempotency_keys\n")
            .says("nothing was changed")
            .says("hint: apply the migrations first: `migrator up`");
        assert_eq!(output.stdout, "");
    }
    assert_eq!(privileges(&database, &role).await, before);
    run(&database, &["up"]).await.exits(0);
    grant(&database, &role, &[]).await.exits(0).says("has what the API needs, and nothing else");
}

#[tokio::test]
async fn privileges_that_were_passed_on_stop_the_run() {
    let (database, role, owner) = with_role("worker").await;
    let bob = database.role("bob").await;
    let before = format!(
        "create table shared (); grant select on shared to ROLE with grant option;
         set role ROLE; grant select on shared to {}; reset role",
        bob.quoted()
    );
    prepare(&owner, &role, &before).await;
    grant(&database, &role, &[])
        .await
        .exits(2)
        .says("(2BP01)")
        .says("everything was rolled back; nothing was changed")
        .says("hint: the role has passed on what it was granted");
    let client = database.client_as(&role).await;
    let select = refusal(&client, "select from tasks").await;
    assert_eq!(select, Some(SqlState::INSUFFICIENT_PRIVILEGE));
}

#[tokio::test]
async fn a_role_that_may_not_grant_is_rejected_and_changes_nothing() {
    let (database, role, _) = with_role("worker").await;
    let nobody = database.role("nobody").await;
    let url = database.url_as(&nobody).to_connection_string();
    run_with(&[("DATABASE_URL", &url)], &["grant", "--role", &role.name])
        .await
        .exits(2)
        .says("error: the database refused `grant ")
        .says("(42501)")
        .says("everything was rolled back; nothing was changed")
        .says("hint: connect as the owner of the database and its tables");
}

/// As with roles that a provider's console creates.
#[tokio::test]
async fn privileges_that_only_others_can_revoke_are_named() {
    let (database, owner, role) = owner_without_superuser().await;
    prepare(&database.client().await, &role, "alter role ROLE bypassrls").await;
    let url = database.url_as(&owner).to_connection_string();
    let variables = [("DATABASE_URL", url.as_str())];
    run_with(&variables, &["up"]).await.exits(0);
    let refused = format!("error: the database refused `alter role {} nobypassrls`", role.name);
    run_with(&variables, &["grant", "--role", &role.name])
        .await
        .exits(2)
        .says(&refused)
        .says("On Neon, create the role with SQL");
}

#[tokio::test]
async fn a_grant_with_only_a_warning_from_postgresql_is_an_error() {
    let (database, owner, role) = owner_without_superuser().await;
    let before = format!(
        "create table users (id text primary key);
         grant select, references on users to {}",
        owner.quoted()
    );
    database.client().await.batch_execute(&before).await.expect("create another role's table");
    let url = database.url_as(&owner).to_connection_string();
    let variables = [("DATABASE_URL", url.as_str())];
    run_with(&variables, &["up"]).await.exits(0);
    // PostgreSQL only warns about a `grant` without effect.
    run_with(&variables, &["grant", "--role", &role.name])
        .await
        .exits(2)
        .says("would still lack select on table public.users")
        .says("hint: connect as the owner of these tables");
}
