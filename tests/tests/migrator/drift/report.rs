//! The report of `migrator drift`: text, JSON and options.

use insta::{assert_json_snapshot, assert_snapshot};
use serde_json::Value;
use tests::{CliOutput, TestDatabase};

use super::{applied, execute};
use crate::support::catalog::objects;
use crate::support::folder::Folder;
use crate::support::program::{command, run, run_with};

/// The report after `sql` was run on a migrated database.
async fn drift_after(sql: &str) -> String {
    let database = TestDatabase::migrated().await;
    execute(&database, sql).await;
    run(&database, &["drift"]).await.exits(1).stdout
}

/// The report after `change` was run on a database with the one migration `migration`.
async fn drift_from(migration: &str, change: &str) -> String {
    let (database, folder) = applied(migration).await;
    run(&database, &["drift", "--dir", folder.path()]).await.exits(0);
    execute(&database, change).await;
    run(&database, &["drift", "--dir", folder.path()]).await.exits(1).stdout
}

#[tokio::test]
async fn a_migrated_database_has_none() {
    let database = TestDatabase::migrated().await;
    let before = objects(&database).await;
    let output = run(&database, &["drift"]).await.exits(0);
    assert_eq!(output.stdout, "");
    assert_snapshot!(output.stderr, @r"
    Building a shadow database from 5 migrations
    Not compared: privileges of roles (`--grants` does) on schema public, sequence tasks_id_seq, table idempotency_keys and 17 more objects
    No drift: the database is what V5__insert_task leaves
    ");
    assert_eq!(objects(&database).await, before);
}

#[tokio::test]
async fn everything_that_differs_is_listed_by_table() {
    let database = TestDatabase::migrated().await;
    execute(
        &database,
        "create table audit (id serial primary key, what text check (what <> ''));
         alter table tasks add column due date default current_date;
         alter table tasks alter column title type text;
         alter table tasks alter column description set not null;
         alter table tasks drop column updated_at;
         alter table tasks drop constraint tasks_status_check;
         alter table tasks add constraint due_once unique (due);
         drop index idx_tasks_user_status;
         create index by_due on tasks (due desc) where due is not null;
         drop table idempotency_keys;
         comment on table users is null;
         create view open_tasks as select id from tasks where status = 'incomplete';
         create type mood as enum ('good', 'bad')",
    )
    .await;
    let output = run(&database, &["drift"]).await.exits(1);
    assert_snapshot!(output.stdout, @r"
    + enum mood ('good', 'bad')
    + table audit
    - table idempotency_keys
    + view open_tasks
    ~ table tasks
        ~ column description
            not null
            + yes
        + column due date default CURRENT_DATE
        ~ column title
            type
            - character varying(255)
            + text
        - column updated_at timestamp with time zone not null default CURRENT_TIMESTAMP
        + constraint due_once UNIQUE (due)
        - constraint tasks_status_check CHECK (status::text = ANY (ARRAY['incomplete'::character varying::text, 'complete'::character varying::text]))
        ~ constraint tasks_title_length
            definition
            - CHECK (length(title::text) >= 1 AND length(title::text) <= 255)
            + CHECK (length(title) >= 1 AND length(title) <= 255)
        + index by_due CREATE INDEX by_due ON tasks USING btree (due DESC) WHERE due IS NOT NULL
        - index idx_tasks_user_status CREATE INDEX idx_tasks_user_status ON tasks USING btree (user_id, status)
    ~ table users
        comment
        - Owned by Taskie's migrations: the people whose tasks these are. Undoing the initial schema drops a table with this comment.
    ");
    assert_snapshot!(output.stderr, @r"
    Building a shadow database from 5 migrations
    Not compared: privileges of roles (`--grants` does) on schema public, sequence tasks_id_seq, table tasks and 10 more objects
    14 differences between the database and its migrations (`+` only in the database, `-` only in the migrations)
    hint: `migrator new NAME --from-drift` writes the differences as a migration; `migrator drift --script` writes what undoes them
    ");
}

#[tokio::test]
async fn a_changed_function_is_shown_line_by_line() {
    let change = "create or replace function update_tasks_updated_at() returns trigger
          language plpgsql set search_path = '' as $$
        begin
          new.created_at := old.created_at;
          new.updated_at := now();
          return new;
        end
        $$";
    let folder = "create function f() returns text language sql as $$
          select 'a';
          select 'b';
          select 'c';
          select 'd';
          select 'e';
          select 'f';
        $$";
    assert_snapshot!(drift_from(folder, &folder.replace("create", "create or replace").replace("'e'", "'E'")).await, @r"
    ~ function f()
        definition
                    select 'b';
                    select 'c';
                    select 'd';
        -           select 'e';
        +           select 'E';
                    select 'f';
                  $function$
    ");
    let changed = drift_after(change).await;
    assert!(
        changed.starts_with("~ function update_tasks_updated_at()\n    definition\n"),
        "{changed}"
    );
    assert!(changed.contains("    +           new.updated_at := now();\n"), "{changed}");
}

#[tokio::test]
async fn an_extension_is_one_difference_without_its_objects() {
    let text = drift_from("select 1", "create extension citext").await;
    assert_eq!(text, "+ extension citext\n");
}

#[tokio::test]
async fn grants_are_compared_with_the_option() {
    let (database, folder) = applied(
        "create table t (a integer, b integer); create function f() returns integer language sql as 'select 1'",
    )
    .await;
    let arguments = ["drift", "--grants", "--dir", folder.path()];
    run(&database, &arguments).await.exits(0);
    let role = database.role("reader").await;
    let name = &role.name;
    execute(
        &database,
        &format!(
            "grant select, insert on t to {name}; grant update (b) on t to {name} with grant option"
        ),
    )
    .await;
    let without = ["drift", "--dir", folder.path()];
    let said = "Not compared: privileges of roles (`--grants` does) on table t, column t.b\n";
    run(&database, &without).await.exits(0).says(said);
    // What everybody may do belongs to the schema.
    execute(&database, "revoke execute on function f() from public").await;
    let text = run(&database, &without).await.exits(1).stdout;
    assert_eq!(text, "~ function f()\n    grants to PUBLIC\n    + none\n");
    let text = run(&database, &arguments).await.exits(1).stdout.replace(name.as_str(), "reader");
    assert_snapshot!(text, @r"
    ~ function f()
        grants to PUBLIC
        + none
    ~ table t
        grants
        + insert, select to reader
        ~ column b
            grants
            + update to reader with grant option
    ");
}

#[tokio::test]
async fn pending_migrations_are_no_drift_and_are_reported() {
    let database = TestDatabase::create().await;
    run(&database, &["up", "--to", "1"]).await.exits(0);
    run(&database, &["drift"])
        .await
        .exits(0)
        .says("Building a shadow database from 1 migration\n")
        .says("4 migrations pending, and not compared")
        .says("No drift: the database is what V1__initial_schema leaves");
    run(&database, &["drift", "--to", "2"])
        .await
        .exits(1)
        .says("Building a shadow database from 2 migrations\n");
}

#[tokio::test]
async fn a_database_without_migrations_is_compared_with_nothing() {
    let database = TestDatabase::create().await;
    run(&database, &["drift"])
        .await
        .exits(0)
        .says("5 migrations pending")
        .says("No drift: the database is what no migration leaves");
    execute(&database, "create table t ()").await;
    assert_eq!(run(&database, &["drift"]).await.exits(1).stdout, "+ table t\n");
}

#[tokio::test]
async fn a_version_that_is_not_there_is_refused() {
    let database = TestDatabase::migrated().await;
    run(&database, &["drift", "--to", "9"])
        .await
        .exits(2)
        .says("there is no migration with version 9");
}

#[tokio::test]
async fn a_diverged_history_is_not_compared() {
    let database = TestDatabase::migrated().await;
    let folder = Folder::with_three_migrations();
    run(&database, &["drift", "--dir", folder.path()]).await.exits(4).says("have diverged");
    // Except with `--to`.
    run(&database, &["drift", "--dir", folder.path(), "--to", "1"]).await.exits(1);
}

#[tokio::test]
async fn what_is_ignored_is_left_out_with_its_parts() {
    let database = TestDatabase::migrated().await;
    execute(
        &database,
        "create table audit (id serial primary key);
         create index audit_id on audit (id);
         alter table tasks add due date;
         create index by_due on tasks (due);
         create function f(a integer) returns integer language sql as 'select 1'",
    )
    .await;
    let some = ["drift", "--ignore", "audit", "--ignore", "tasks.by_due", "--ignore", "f"];
    assert_eq!(
        run(&database, &some).await.exits(1).stdout,
        "~ table tasks\n    + column due date\n"
    );
    let all = ["drift", "--ignore", "audit", "--ignore", "tasks", "--ignore", "f(integer)"];
    run(&database, &all).await.exits(0);
    run(&database, &["drift", "--ignore", "public.*"]).await.exits(0);
}

#[tokio::test]
async fn schemas_of_a_provider_are_named_and_not_compared_and_others_are_differences() {
    let (database, folder) = applied("create schema ours; create table ours.t ()").await;
    execute(&database, "create schema neon_auth; create table neon_auth.users (); create schema b")
        .await;
    let arguments = ["drift", "--dir", folder.path()];
    let output = run(&database, &arguments).await.exits(1);
    assert_eq!(output.says("Not compared: schema neon_auth\n").stdout, "+ schema b\n");
    execute(&database, "drop schema b; create table ours.u ()").await;
    assert_eq!(run(&database, &arguments).await.exits(1).stdout, "+ table ours.u\n");
    run(&database, &["drift", "--dir", folder.path(), "--ignore", "ours.*"]).await.exits(0);
}

#[tokio::test]
async fn the_schema_of_the_search_path_is_the_one_that_is_compared() {
    let database = TestDatabase::create().await;
    execute(&database, "create schema \"The App\"; create table public.foreign ()").await;
    let url = format!(
        "{}&options=-c%20search_path%3D%22The%5C%20App%22",
        database.url().to_connection_string()
    );
    let variables = [("DATABASE_URL", url.as_str())];
    run_with(&variables, &["up"]).await.exits(0);
    run_with(&variables, &["drift"]).await.exits(0).says("Not compared: schema public");
    execute(&database, "alter table \"The App\".tasks add due date").await;
    let text = run_with(&variables, &["drift"]).await.exits(1).stdout;
    assert_eq!(text, "~ table tasks\n    + column due date\n");

    // Also if the database sets it, not the connection string.
    let name = database.name();
    execute(&database, &format!("alter database {name} set search_path = \"The App\", public"))
        .await;
    run(&database, &["drift", "--ignore", "tasks"]).await.exits(0);
}

#[tokio::test]
async fn a_search_path_without_a_schema_is_an_error() {
    let database = TestDatabase::create().await;
    let url = format!("{}&options=-c%20search_path%3Dnone", database.url().to_connection_string());
    run_with(&[("DATABASE_URL", &url)], &["drift"])
        .await
        .exits(2)
        .says("error: the search path names no schema that is there")
        .says("hint: create the schema");
}

#[tokio::test]
async fn a_machine_can_read_it() {
    let database = TestDatabase::migrated().await;
    execute(
        &database,
        "alter table tasks add due date not null, alter title type text, drop constraint tasks_status_check;
         create schema other",
    )
    .await;
    let document = run(&database, &["drift", "--json"]).await.exits(1).json();
    assert_json_snapshot!(document, @r#"
    {
      "command": "drift",
      "compared_to": 5,
      "differences": [
        {
          "change": "added",
          "kind": "schema",
          "name": "other",
          "object": "schema other",
          "properties": [],
          "schema": null,
          "table": null
        },
        {
          "change": "added",
          "kind": "column",
          "name": "due",
          "object": "column tasks.due",
          "properties": [
            {
              "live": "date",
              "migrations": null,
              "property": "type"
            },
            {
              "live": "yes",
              "migrations": null,
              "property": "not_null"
            }
          ],
          "schema": null,
          "table": "tasks"
        },
        {
          "change": "changed",
          "kind": "column",
          "name": "title",
          "object": "column tasks.title",
          "properties": [
            {
              "live": "text",
              "migrations": "character varying(255)",
              "property": "type"
            }
          ],
          "schema": null,
          "table": "tasks"
        },
        {
          "change": "missing",
          "kind": "constraint",
          "name": "tasks_status_check",
          "object": "constraint tasks_status_check on tasks",
          "properties": [
            {
              "live": null,
              "migrations": "CHECK (status::text = ANY (ARRAY['incomplete'::character varying::text, 'complete'::character varying::text]))",
              "property": "definition"
            },
            {
              "live": null,
              "migrations": "A task is incomplete or complete.",
              "property": "comment"
            }
          ],
          "schema": null,
          "table": "tasks"
        },
        {
          "change": "changed",
          "kind": "constraint",
          "name": "tasks_title_length",
          "object": "constraint tasks_title_length on tasks",
          "properties": [
            {
              "live": "CHECK (length(title) >= 1 AND length(title) <= 255)",
              "migrations": "CHECK (length(title::text) >= 1 AND length(title::text) <= 255)",
              "property": "definition"
            }
          ],
          "schema": null,
          "table": "tasks"
        }
      ],
      "drift": true,
      "not_compared": [
        "privileges of roles (`--grants` does) on schema public, sequence tasks_id_seq, table idempotency_keys and 17 more objects"
      ],
      "pending": 0
    }
    "#);
}

#[tokio::test]
async fn a_machine_can_read_that_there_is_none() {
    let document = run(&TestDatabase::migrated().await, &["drift", "--json"]).await.exits(0).json();
    assert_json_snapshot!(document, @r#"
    {
      "command": "drift",
      "compared_to": 5,
      "differences": [],
      "drift": false,
      "not_compared": [
        "privileges of roles (`--grants` does) on schema public, sequence tasks_id_seq, table idempotency_keys and 17 more objects"
      ],
      "pending": 0
    }
    "#);
}

#[tokio::test]
async fn a_machine_can_read_that_there_is_no_shadow_database() {
    let database = TestDatabase::migrated().await;
    let reader = database.role("reader").await;
    execute(&database, &format!("grant select on refinery_schema_history to {}", reader.quoted()))
        .await;
    let url = database.url_as(&reader).to_connection_string();
    let document = run_with(&[("DATABASE_URL", &url)], &["drift", "--json"]).await.exits(2).json();
    assert_eq!(document["error"]["kind"], Value::from("shadow_database"));
}

#[tokio::test]
async fn colours_are_for_terminals() {
    let database = TestDatabase::migrated().await;
    execute(&database, "alter table tasks add due date").await;
    let mut coloured = command(&["drift"]).await;
    coloured.env("DATABASE_URL", database.url().to_connection_string()).env("CLICOLOR_FORCE", "1");
    let coloured = CliOutput::new(coloured.output().await.expect("run the migrator")).exits(1);
    assert!(coloured.stdout.contains("\u{1b}[32m+\u{1b}[0m column due"), "{coloured:?}");
    let plain = run(&database, &["drift"]).await.exits(1);
    assert!(!plain.stdout.contains('\u{1b}'), "{plain:?}");
}
