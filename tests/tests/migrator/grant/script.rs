//! The statements as a script and as a document; a second run changes nothing.

use insta::{assert_json_snapshot, assert_snapshot};
use serde_json::{Value, json};
use tests::{Role, TestDatabase};
use tokio_postgres::error::SqlState;

use super::{grant, refusal, with_role};
use crate::support::catalog::privileges;

#[tokio::test]
async fn a_second_run_changes_nothing_and_says_so() {
    let (database, role, _) = with_role("worker").await;
    grant(&database, &role, &[]).await.exits(0).says("has what the API needs, and nothing else");
    let before = privileges(&database, &role).await;
    grant(&database, &role, &[])
        .await
        .exits(0)
        .says("Nothing to do: ")
        .does_not_print("Granted")
        .does_not_print("Revoked")
        .does_not_print("Set");
    assert_eq!(privileges(&database, &role).await, before);
}

#[tokio::test]
async fn two_at_once_do_not_collide() {
    let (database, role, _) = with_role("worker").await;
    let (one, other) =
        tokio::join!(grant(&database, &role, &[]), grant(&database, &role, &["--provision-users"]));
    one.exits(0);
    other.exits(0);
}

#[tokio::test]
async fn a_dry_run_prints_the_script_and_changes_nothing() {
    let (database, role, owner) = with_role("worker").await;
    let excess = format!("grant select on secrets to {}", role.quoted());
    owner.batch_execute(&excess).await.expect("grant too much");
    let before = privileges(&database, &role).await;
    let output = grant(&database, &role, &["--dry-run"]).await.exits(0);
    assert_eq!(privileges(&database, &role).await, before);
    let script = output.stdout.replace(&role.name, "worker").replace(database.name(), "shop");
    assert_snapshot!(script, @r"
    begin;

    -- What the role has and the API does not need.
    revoke select on table public.secrets from worker;

    -- What every role has, and so this one. Other roles lose it too: grant it to those that need it.
    revoke temporary on database shop from public;
    revoke execute on function pg_catalog.lo_creat(integer), pg_catalog.lo_create(oid), pg_catalog.lo_from_bytea(oid, bytea) from public;

    -- What the statements of the API need.
    grant connect on database shop to worker;
    grant usage on schema public to worker;
    grant select, delete on table public.idempotency_keys to worker;
    grant select on table public.refinery_schema_history to worker;
    grant select, delete on table public.tasks to worker;
    grant select on table public.users to worker;
    grant usage on sequence public.tasks_id_seq to worker;
    grant insert (user_id, key, fingerprint, task_id, created_at) on table public.idempotency_keys to worker;
    grant update (fingerprint, task_id, created_at) on table public.idempotency_keys to worker;
    grant insert (id, user_id, title, description, status, created_at, updated_at, priority) on table public.tasks to worker;
    grant update (title, description, status, priority) on table public.tasks to worker;

    -- The server gives up by itself, and the planner has the cost of a page. Kept with the role, so that a pooler cannot lose it.
    alter role worker set statement_timeout = '4s';
    alter role worker set idle_in_transaction_session_timeout = '10s';
    alter role worker set random_page_cost = '1.1';

    commit;
    ");
}

#[tokio::test]
async fn the_script_does_the_same_by_hand() {
    let (database, role, owner) = with_role("worker").await;
    let script = grant(&database, &role, &["--dry-run", "--provision-users"]).await.exits(0).stdout;
    owner.batch_execute(&script).await.expect("run the script");
    let by_hand = privileges(&database, &role).await;
    grant(&database, &role, &["--provision-users"]).await.exits(0).says("Nothing to do: ");
    assert_eq!(privileges(&database, &role).await, by_hand);
}

#[tokio::test]
async fn names_are_only_ever_names() {
    for name in [
        "Upper Case",
        "it's \"quoted\"",
        "x\"; drop table tasks; --",
        "x\n; drop table tasks; --",
        "select",
        "ñandú 🦀",
        "%I %s $1",
        "back\\slash",
    ] {
        let (database, role, owner) = with_role(name).await;
        let script = grant(&database, &role, &["--dry-run"]).await.exits(0).stdout;
        owner.batch_execute(&script).await.expect(name);
        grant(&database, &role, &[]).await.exits(0).says("Nothing to do: ");
        let client = database.client_as(&role).await;
        client.batch_execute("select from tasks").await.expect(name);
        let refusal = refusal(&client, "select from secrets").await;
        assert_eq!(refusal, Some(SqlState::INSUFFICIENT_PRIVILEGE), "{name}");
    }
}

/// A role that may create functions in a schema of the search path could get the owner to call them.
#[tokio::test]
async fn functions_that_look_like_postgresqls_are_not_called() {
    let (database, role, owner) = with_role("worker").await;
    let plant = format!(
        "create function trap() returns text language plpgsql as $$ begin raise 'trapped'; end $$;
         create function to_regclass(text) returns regclass language sql as 'select trap()::regclass';
         create function pg_has_role(oid, text) returns bool language sql as 'select trap()::bool';
         create function format(text, text, text, text, name) returns text language sql as 'select trap()';
         create function format(text, name, text, text) returns text language sql as 'select trap()';
         alter database {} set search_path = public, pg_catalog",
        database.name()
    );
    owner.batch_execute(&plant).await.expect("plant functions");
    grant(&database, &role, &[]).await.exits(0).says("has what the API needs, and nothing else");
}

#[tokio::test]
async fn the_json_lists_the_statements() {
    let (database, role, _) = with_role("worker").await;
    let document = grant(&database, &role, &["--json"]).await.exits(0).json();
    assert_json_snapshot!(masked(&document, &database, &role), @r#"
    {
      "command": "grant",
      "dry_run": false,
      "granted": [
        "connect on database shop",
        "usage on schema public",
        "select, delete on table public.idempotency_keys",
        "select on table public.refinery_schema_history",
        "select, delete on table public.tasks",
        "select on table public.users",
        "usage on sequence public.tasks_id_seq",
        "insert (user_id, key, fingerprint, task_id, created_at) on table public.idempotency_keys",
        "update (fingerprint, task_id, created_at) on table public.idempotency_keys",
        "insert (id, user_id, title, description, status, created_at, updated_at, priority) on table public.tasks",
        "update (title, description, status, priority) on table public.tasks"
      ],
      "revoked": [],
      "revoked_from_all": [
        "temporary on database shop",
        "execute on the functions that create large objects"
      ],
      "role": "worker",
      "set": [
        "statement_timeout = 4s",
        "idle_in_transaction_session_timeout = 10s",
        "random_page_cost = 1.1"
      ],
      "statements": [
        "revoke temporary on database shop from public",
        "revoke execute on function pg_catalog.lo_creat(integer), pg_catalog.lo_create(oid), pg_catalog.lo_from_bytea(oid, bytea) from public",
        "grant connect on database shop to worker",
        "grant usage on schema public to worker",
        "grant select, delete on table public.idempotency_keys to worker",
        "grant select on table public.refinery_schema_history to worker",
        "grant select, delete on table public.tasks to worker",
        "grant select on table public.users to worker",
        "grant usage on sequence public.tasks_id_seq to worker",
        "grant insert (user_id, key, fingerprint, task_id, created_at) on table public.idempotency_keys to worker",
        "grant update (fingerprint, task_id, created_at) on table public.idempotency_keys to worker",
        "grant insert (id, user_id, title, description, status, created_at, updated_at, priority) on table public.tasks to worker",
        "grant update (title, description, status, priority) on table public.tasks to worker",
        "alter role worker set statement_timeout = '4s'",
        "alter role worker set idle_in_transaction_session_timeout = '10s'",
        "alter role worker set random_page_cost = '1.1'"
      ],
      "warnings": []
    }
    "#);
    let again = grant(&database, &role, &["--json"]).await.exits(0).json();
    for member in ["granted", "revoked", "revoked_from_all", "set", "warnings"] {
        assert_eq!(again[member], json!([]), "{member}");
    }
}

/// The document without the names that differ from run to run.
fn masked(document: &Value, database: &TestDatabase, role: &Role) -> Value {
    let text = document.to_string().replace(&role.name, "worker").replace(database.name(), "shop");
    serde_json::from_str(&text).expect("still JSON")
}
