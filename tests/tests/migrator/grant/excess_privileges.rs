//! Excess privileges of the role are revoked; those that cannot be are reported.

use tokio_postgres::error::SqlState;

use super::{grant, prepare, refusal, with_role};
use crate::support::program::run;

#[tokio::test]
async fn all_earlier_grants_are_revoked() {
    for (label, before, message) in [
        ("a table", "create table t (); grant all on t to ROLE", "on table public.t"),
        (
            "a column",
            "create table t (a int, b int); grant select (a), update (b) on t to ROLE",
            "Revoked select, update on table public.t",
        ),
        (
            "a column of the tasks",
            "grant references (id) on tasks to ROLE",
            "Revoked references on table public.tasks",
        ),
        ("emptying", "grant truncate, trigger on tasks to ROLE", "Revoked trigger, truncate on"),
        ("the history", "grant all on refinery_schema_history to ROLE", "refinery_schema_history"),
        ("the users", "grant update (email), delete on users to ROLE", "Revoked delete, update"),
        ("a view", "create view v as select 1; grant select on v to ROLE", "on table public.v"),
        ("a sequence", "create sequence s; grant usage on sequence s to ROLE", "sequence public.s"),
        ("its sequence", "grant all on sequence tasks_id_seq to ROLE", "Revoked select, update on"),
        (
            "a function",
            "create function f(int, text[]) returns int language sql as 'select 1';
             grant execute on function f to ROLE",
            "Revoked execute on routine public.f(integer, text[])",
        ),
        (
            "a procedure",
            "create procedure p(a int) language sql as 'select 1'; grant execute on procedure p to ROLE",
            "on routine public.p(integer)",
        ),
        (
            "an aggregate",
            "create aggregate a(float8 order by float8) (sfunc = float8_accum, stype = float8[], initcond = '{0,0,0}');
             grant execute on function a(float8, float8) to ROLE",
            "on routine public.a(double precision, double precision)",
        ),
        (
            "a type",
            "create type t as enum ('a'); grant usage on type t to ROLE",
            "Revoked usage on type public.t",
        ),
        ("a domain", "create domain d as int; grant usage on domain d to ROLE", "type public.d"),
        ("a language", "grant usage on language plpgsql to ROLE", "usage on language plpgsql"),
        (
            "a large object",
            "select lo_create(4711); grant select on large object 4711 to ROLE",
            "Revoked select on large object 4711",
        ),
        (
            "a server",
            "create foreign data wrapper w; create server s foreign data wrapper w;
             grant usage on foreign data wrapper w to ROLE; grant usage on foreign server s to ROLE",
            "on foreign server s",
        ),
        ("a schema", "create schema s; grant usage on schema s to ROLE", "usage on schema s"),
        ("creating", "grant create on schema public to ROLE", "Revoked create on schema public"),
        ("a catalog", "grant select on pg_authid to ROLE", "table pg_catalog.pg_authid"),
        (
            "a function of the system",
            "grant execute on function pg_read_file(text) to ROLE",
            "routine pg_catalog.pg_read_file(text)",
        ),
        (
            "grant options",
            "grant select on tasks to ROLE with grant option",
            "Revoked grant option for select on table public.tasks",
        ),
        (
            "what will be made",
            "alter default privileges grant select on tables to ROLE",
            "Revoked default privileges on tables of",
        ),
        (
            "what will be made in the schema",
            "alter default privileges in schema public grant execute on functions to ROLE",
            "Revoked default privileges on functions of",
        ),
        ("reading everything", "grant pg_read_all_data to ROLE", "membership in pg_read_all_data"),
        ("making databases", "alter role ROLE createdb", "Revoked createdb"),
        ("making roles", "alter role ROLE createrole", "Revoked createrole"),
        ("seeing every row", "alter role ROLE bypassrls", "Revoked bypassrls"),
        ("copying the server", "alter role ROLE replication", "Revoked replication"),
    ] {
        let (database, role, owner) = with_role("worker").await;
        prepare(&owner, &role, before).await;
        let first = grant(&database, &role, &[]).await.exits(0);
        assert!(first.stderr.contains(message), "{label}: {first:#?}");
        let second = grant(&database, &role, &[]).await.exits(0);
        assert!(second.stderr.contains("Nothing to do: "), "{label}: {second:#?}");
        assert!(!second.stderr.contains("warning"), "{label}: {second:#?}");
    }
}

#[tokio::test]
async fn settings_of_one_database_do_not_override_those_of_the_role() {
    for setting in
        ["statement_timeout = 0", "idle_in_transaction_session_timeout = 0", "random_page_cost = 4"]
    {
        let (database, role, owner) = with_role("worker").await;
        let before = format!("alter role ROLE in database {} set {setting}", database.name());
        prepare(&owner, &role, &before).await;
        let said = format!("Revoked {setting} in this database alone");
        grant(&database, &role, &[]).await.exits(0).says(&said);
        grant(&database, &role, &[]).await.exits(0).says("Nothing to do: ");
    }
}

/// Beside the address of users, which such a role may update.
#[tokio::test]
async fn rights_on_users_beside_their_addresses_are_taken_away() {
    for (label, before, said) in [
        ("the table", "grant update on users to ROLE", "Revoked update on table public.users"),
        ("the id", "grant update (id) on users to ROLE", "Revoked update on table public.users"),
        (
            "granting it on",
            "grant update (email) on users to ROLE with grant option",
            "Revoked grant option for update on table public.users",
        ),
        (
            "more of the column",
            "grant references (email) on users to ROLE",
            "Revoked references on table public.users",
        ),
    ] {
        let (database, role, owner) = with_role("worker").await;
        grant(&database, &role, &["--provision-users"]).await.exits(0);
        prepare(&owner, &role, before).await;
        let output = grant(&database, &role, &["--provision-users"]).await.exits(0);
        assert!(output.stderr.contains(said), "{label}: {output:#?}");
        let again = grant(&database, &role, &["--provision-users"]).await.exits(0);
        assert!(again.stderr.contains("Nothing to do: "), "{label}: {again:#?}");
        assert!(!again.stderr.contains("warning"), "{label}: {again:#?}");
        let client = database.client_as(&role).await;
        client.batch_execute("update users set email = 'a@example.com'").await.expect(label);
        let refusal = refusal(&client, "update users set id = 'mine'").await;
        assert_eq!(refusal, Some(SqlState::INSUFFICIENT_PRIVILEGE), "{label}");
    }
}

/// PostgreSQL's own list of the objects whose privileges name a role.
#[tokio::test]
async fn nothing_else_names_the_role_afterwards() {
    let (database, role, owner) = with_role("worker").await;
    let before = "
        grant all on all tables in schema public to ROLE with grant option;
        grant all on all sequences in schema public to ROLE;
        grant all on all functions in schema public to ROLE;
        grant all on schema public, pg_catalog to ROLE;
        grant all on tablespace pg_default to ROLE;
        grant select (secret) on secrets to ROLE;
        alter default privileges grant all on types to ROLE;
        do $$ begin
          execute format('grant all on database %I to %I', current_database(), NAME);
          if current_setting('server_version_num')::int4 >= 150000 then
            execute format('grant set, alter system on parameter log_statement to %I', NAME);
          end if;
        end $$";
    prepare(&owner, &role, &before.replace("NAME", &format!("'{}'", role.name))).await;
    grant(&database, &role, &[]).await.exits(0).says("and nothing else");
    let query = "
        select distinct pg_describe_object(classid, objid, 0)
          from pg_shdepend
         where refobjid = (select oid from pg_roles where rolname = $1) and deptype = 'a'";
    let rows = owner.query(query, &[&role.name]).await.expect("read the catalog");
    let mut objects: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    objects.sort();
    let of_the_database = format!("database {}", database.name());
    assert_eq!(
        objects,
        [
            &of_the_database,
            "schema public",
            "sequence tasks_id_seq",
            "table idempotency_keys",
            "table refinery_schema_history",
            "table tasks",
            "table users"
        ]
    );
}

#[tokio::test]
async fn create_on_public_is_revoked_from_public_and_reported() {
    let (database, role, owner) = with_role("worker").await;
    prepare(&owner, &role, "grant create on schema public to public; create schema s; grant create on schema s to public").await;
    grant(&database, &role, &[])
        .await
        .exits(0)
        .says("Revoked create on schema public from every role")
        .says("Revoked create on schema s from every role")
        .says("from every role\nGranted");
    let client = database.client_as(&role).await;
    for statement in
        ["create table mine ()", "create temporary table mine ()", "create table s.t ()"]
    {
        let refusal = refusal(&client, statement).await;
        assert_eq!(refusal, Some(SqlState::INSUFFICIENT_PRIVILEGE), "{statement}");
    }
}

#[tokio::test]
async fn tables_that_every_role_can_read_are_a_warning() {
    let (database, role, owner) = with_role("worker").await;
    prepare(&owner, &role, "create table open (); grant select on open to public").await;
    let warning = "warning: every role has privileges on table public.open";
    grant(&database, &role, &[]).await.exits(0).says(warning).does_not_print("nothing else");
    run(&database, &["grant", "--role", &role.name, "--dry-run"]).await.exits(0).says(warning);
}

#[tokio::test]
async fn a_grant_by_another_role_is_a_warning() {
    let (database, role, owner) = with_role("worker").await;
    let bob = database.role("bob").await;
    let before = format!(
        "create table shared (); grant select on shared to {bob} with grant option;
         set role {bob}; grant select on shared to ROLE; reset role",
        bob = bob.quoted()
    );
    prepare(&owner, &role, &before).await;
    let warning = format!("still has select on table public.shared; `{}` granted it", bob.name);
    let output = grant(&database, &role, &[]).await.exits(0).says(&warning);
    assert_eq!(output.stderr.matches("warning").count(), 1, "{output:#?}");
}

#[tokio::test]
async fn a_role_that_cannot_log_in_is_a_warning() {
    let (database, role, owner) = with_role("worker").await;
    prepare(&owner, &role, "alter role ROLE nologin").await;
    grant(&database, &role, &[]).await.exits(0).says("cannot log in yet");
}
