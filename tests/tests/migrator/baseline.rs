//! `migrator baseline`: an existing schema is adopted, if it is exactly that of the migrations.

use insta::{assert_json_snapshot, assert_snapshot};
use tests::TestDatabase;

use crate::locking::lock_holder;
use crate::support::catalog::{objects, objects_without_history, tables, versions};
use crate::support::folder::Folder;
use crate::support::program::run;

/// The predecessor's schema from Alembic: that of version 1, with PostgreSQL's default names where its
/// migration gave none, and without comments.
const PREDECESSOR: &str = "
create table users (id varchar not null primary key, email varchar not null unique);
create table tasks (
  id serial primary key,
  user_id varchar not null references users (id) on delete cascade,
  title varchar(255) not null check (length(title) between 1 and 255),
  description varchar(5000) check (description is null or length(description) <= 5000),
  status varchar(20) not null default 'incomplete' check (status in ('incomplete', 'complete')),
  created_at timestamptz not null default current_timestamp,
  updated_at timestamptz not null default current_timestamp
);
create index idx_tasks_user_created on tasks (user_id, created_at desc);
create index idx_tasks_user_status on tasks (user_id, status);
create function update_tasks_updated_at() returns trigger language plpgsql as $$
begin
  new.updated_at = current_timestamp;
  return new;
end $$;
create trigger trigger_tasks_updated_at before update on tasks
  for each row execute function update_tasks_updated_at();
create table alembic_version (version_num varchar(32) not null primary key);
insert into alembic_version values ('3f1c2a9b7d04');
insert into users values ('u1', 'a@b');
insert into tasks (user_id, title) values ('u1', 'x');
";

async fn predecessor() -> TestDatabase {
    let database = TestDatabase::create().await;
    execute(&database, PREDECESSOR).await;
    database
}

/// A database with the schema of a version, without a history.
async fn without_history(version: &str) -> TestDatabase {
    let database = TestDatabase::create().await;
    run(&database, &["up", "--to", version]).await.exits(0);
    execute(&database, "drop table refinery_schema_history").await;
    database
}

async fn execute(database: &TestDatabase, script: &str) {
    database.client().await.batch_execute(script).await.expect(script);
}

#[tokio::test]
async fn an_existing_schema_is_adopted_without_running_anything() {
    let database = without_history("2").await;
    let before = objects(&database).await;
    run(&database, &["baseline", "2", "--yes"])
        .await
        .exits(0)
        .says("V1__initial_schema, V2__page_tasks_by_key adopted; nothing was run");
    assert_eq!(objects_without_history(&database).await, before);
    assert_eq!(versions(&database).await, [1, 2]);
    run(&database, &["up"]).await.exits(0).says("3 migrations applied");
    run(&database, &["status", "--check"]).await.exits(0);
}

#[tokio::test]
async fn a_baseline_leaves_what_up_leaves() {
    let (adopted, applied) = (without_history("5").await, TestDatabase::migrated().await);
    run(&adopted, &["baseline", "5", "--yes"]).await.exits(0);
    assert_eq!(objects(&adopted).await, objects(&applied).await);
    run(&adopted, &["down", "--to", "0", "--yes"]).await.exits(0);
    assert_eq!(objects_without_history(&adopted).await, [""; 0]);
}

#[tokio::test]
async fn a_dry_run_leaves_nothing_behind() {
    let database = without_history("5").await;
    let before = objects(&database).await;
    let output = run(&database, &["baseline", "5", "--dry-run"])
        .await
        .exits(0)
        .says("5 migrations would be adopted; nothing was changed");
    let names = concat!(
        "V1__initial_schema\n",
        "V2__page_tasks_by_key\n",
        "V3__idempotency_keys\n",
        "V4__task_priority\n",
        "V5__insert_task\n",
    );
    assert_eq!(output.stdout, names);
    assert_eq!(objects(&database).await, before);
}

#[tokio::test]
async fn an_empty_database_has_nothing_to_adopt() {
    let database = TestDatabase::create().await;
    let output = run(&database, &["baseline", "1", "--yes"]).await.exits(2);
    assert_snapshot!(output.stderr, @r"
    Building a shadow database from 1 migration
    error: the schema is not what V1__initial_schema leaves: 5 parts are missing
      no table tasks
      no index idx_tasks_user_created on tasks
      no index idx_tasks_user_status on tasks
      no table users
      no function update_tasks_updated_at()
      nothing was changed
    hint: adopt the version whose tables, columns, indexes and triggers are all there, and `migrator up` applies the rest; or create what is missing: `migrator drift --script` writes how
    ");
    assert_eq!(objects(&database).await, [""; 0]);
}

#[tokio::test]
async fn every_kind_of_part_must_be_there() {
    for (label, spoil, message) in [
        ("table", "drop table idempotency_keys", "no table idempotency_keys"),
        (
            "view",
            "drop table idempotency_keys; create view idempotency_keys as select 1",
            "no table idempotency_keys",
        ),
        (
            "column",
            "alter table tasks rename status to state",
            "no column tasks.status character varying(20)",
        ),
        ("type", "alter table tasks alter title type int using 0", "no column tasks.title"),
        (
            "index",
            "drop index idx_tasks_user_created_id",
            "no index idx_tasks_user_created_id on tasks",
        ),
        (
            "other table's index",
            "drop index idx_tasks_user_created; create index idx_tasks_user_created on users (id)",
            "no index idx_tasks_user_created on tasks",
        ),
        (
            "trigger",
            "drop trigger trigger_tasks_updated_at on tasks",
            "no trigger trigger_tasks_updated_at on tasks",
        ),
        (
            "function",
            "drop function update_tasks_updated_at() cascade",
            "no function update_tasks_updated_at()",
        ),
        ("schema", "create schema apart; alter table tasks set schema apart", "no table tasks"),
    ] {
        let database = without_history("3").await;
        execute(
            &database,
            &format!("alter table tasks drop constraint tasks_title_length; {spoil}"),
        )
        .await;
        let output = run(&database, &["baseline", "3", "--yes"]).await.exits(2);
        assert!(output.stderr.contains(message), "{label}: {}", output.stderr);
        assert_eq!(versions(&database).await, [0; 0], "{label}");
    }
}

#[tokio::test]
async fn a_version_too_far_names_what_is_missing() {
    let database = predecessor().await;
    run(&database, &["baseline", "3", "--yes"])
        .await
        .exits(2)
        .says("the schema is not what V3__idempotency_keys leaves: 4 parts are missing")
        .says("no table idempotency_keys")
        .says("hint: adopt the version");
}

#[tokio::test]
async fn a_function_that_does_something_else_is_a_warning() {
    let database = without_history("1").await;
    run(&database, &["baseline", "1", "--dry-run"]).await.exits(0).does_not_print("warning");
    execute(&database, "alter function update_tasks_updated_at() reset search_path").await;
    run(&database, &["baseline", "1", "--dry-run"])
        .await
        .exits(0)
        .says("warning: the function `update_tasks_updated_at()` is not the one");
}

#[tokio::test]
async fn an_unknown_version_is_a_usage_error() {
    let database = predecessor().await;
    run(&database, &["baseline", "9", "--yes"])
        .await
        .exits(2)
        .says("there is no migration with version 9");
}

#[tokio::test]
async fn a_history_is_never_overwritten() {
    let database = TestDatabase::create().await;
    run(&database, &["up", "--to", "1"]).await.exits(0);
    run(&database, &["baseline", "1", "--yes"])
        .await
        .exits(2)
        .says("the database has a history already: it is at V1__initial_schema");
    let folder = Folder::with_three_migrations();
    run(&database, &["baseline", "1", "--yes", "--dir", folder.path()])
        .await
        .exits(4)
        .says("V1__initial_schema was edited after it was applied");
    assert_eq!(versions(&database).await, [1]);
}

#[tokio::test]
async fn an_empty_history_is_none() {
    let database = TestDatabase::migrated().await;
    execute(&database, "delete from refinery_schema_history").await;
    run(&database, &["baseline", "5", "--yes"]).await.exits(0);
    run(&database, &["status", "--check"]).await.exits(0);
}

#[tokio::test]
async fn without_a_terminal_and_without_yes_nothing_is_adopted() {
    let database = predecessor().await;
    run(&database, &["baseline", "1"]).await.exits(2).says("hint: add `--yes`");
    assert_eq!(versions(&database).await, [0; 0]);
}

#[tokio::test]
async fn it_waits_for_another_migrator() {
    let database = predecessor().await;
    let _holder = lock_holder(&database).await;
    run(&database, &["baseline", "1", "--yes", "--wait", "100ms"]).await.exits(3);
    run(&database, &["baseline", "1", "--dry-run"]).await.exits(0);
    assert_eq!(versions(&database).await, [0; 0]);
}

#[tokio::test]
async fn a_script_that_fails_in_the_shadow_database_is_named() {
    let database = TestDatabase::create().await;
    let folder = Folder::new(&[("V1__one.sql", "create table one (id nothing);")]);
    execute(&database, "create table one ()").await;
    run(&database, &["baseline", "1", "--yes", "--dir", folder.path()])
        .await
        .says("failed to apply V1__one.sql: line 1, column 22: type \"nothing\" does not exist")
        .says("this was in a shadow database");
    assert_eq!(versions(&database).await, [0; 0]);
}

/// Scripts that create what is not in the schema of unqualified names, and something of each that is
/// missing in the database.
const SCHEMAS: [(&str, &str, &str, &str); 6] = [
    (
        "an extension",
        "create extension if not exists citext; create table u (e citext);",
        "alter table u alter e type int using 0",
        "no column u.e citext",
    ),
    (
        "qualified names",
        "create table public.one (id int); create index one_id on public.one (id);",
        "drop index one_id",
        "no index one_id on one",
    ),
    (
        "a schema",
        "create schema app; create type app.kind as enum ('a', 'b'); create sequence app.numbers;
         create table app.t (k app.kind default 'a', n int default nextval('app.numbers'));
         create function app.f() returns app.kind language sql as $$ select 'a'::app.kind $$;",
        "drop function app.f",
        "no function app.f()",
    ),
    (
        "a dump",
        "set statement_timeout = 0;
         set client_encoding = 'UTF8';
         select pg_catalog.set_config('search_path', '', false);
         set check_function_bodies = false;
         set row_security = off;
         create extension if not exists pgcrypto with schema public;
         comment on extension pgcrypto is 'cryptographic functions';
         set default_table_access_method = heap;
         create table public.t (id bigint not null, name text);
         alter table public.t owner to current_user;
         create sequence public.t_id_seq start with 1 increment by 1 no minvalue no maxvalue cache 1;
         alter sequence public.t_id_seq owned by public.t.id;
         alter table only public.t alter column id set default nextval('public.t_id_seq'::regclass);
         alter table only public.t add constraint t_pkey primary key (id);
         create view public.v as select id from public.t;",
        "drop view v",
        "no view v",
    ),
    (
        "types",
        "create domain short as text check (length(value) < 9); create type pair as (a int, b int);
         create table t (s short, p pair);
         alter table t enable row level security; create policy mine on t using (true);",
        "drop policy mine on t",
        "no policy mine on t",
    ),
    (
        "without a transaction",
        "-- migrator: no-transaction\ncreate table t (id int);\nvacuum t;\ncreate index concurrently t_id on t (id);",
        "drop index t_id",
        "no index t_id on t",
    ),
];

#[tokio::test]
async fn whatever_migrations_create_can_be_adopted_and_must_be_there() {
    for (label, script, spoil, missing) in SCHEMAS {
        let database = TestDatabase::create().await;
        let folder = Folder::new(&[("V1__all.sql", script)]);
        run(&database, &["up", "--dir", folder.path()]).await.exits(0);
        execute(&database, "drop table refinery_schema_history").await;
        let before = tables(&database).await;
        let baseline = ["baseline", "1", "--yes", "--dir", folder.path()];
        run(&database, &["baseline", "1", "--dry-run", "--dir", folder.path()]).await.exits(0);
        assert_eq!(tables(&database).await, before, "{label}");

        execute(&database, spoil).await;
        let output = run(&database, &baseline).await.exits(2);
        assert!(output.stderr.contains(missing), "{label}: {}", output.stderr);
        assert_eq!(versions(&database).await, [0; 0], "{label}");
    }
}

#[tokio::test]
async fn a_schema_with_everything_is_adopted() {
    for (label, script, ..) in SCHEMAS {
        let database = TestDatabase::create().await;
        let folder = Folder::new(&[("V1__all.sql", script)]);
        run(&database, &["up", "--dir", folder.path()]).await.exits(0);
        execute(&database, "drop table refinery_schema_history").await;
        run(&database, &["baseline", "1", "--yes", "--dir", folder.path()]).await.exits(0);
        run(&database, &["drift", "--dir", folder.path()]).await.exits(0);
        assert_eq!(versions(&database).await, [1], "{label}");
    }
}

#[tokio::test]
async fn labels_and_views_that_are_others_are_warnings() {
    let database = TestDatabase::create().await;
    let folder = Folder::new(&[(
        "V1__all.sql",
        "create type kind as enum ('a', 'b'); create view v as select 1 as a;",
    )]);
    execute(&database, "create type kind as enum ('a'); create view v as select 2 as a;").await;
    run(&database, &["baseline", "1", "--yes", "--dir", folder.path()])
        .await
        .exits(0)
        .says("warning: the enum `kind` is not the one that the migrations make")
        .says("warning: the view `v` is not the one that the migrations make");
}

#[tokio::test]
async fn the_predecessors_schema_is_version_1() {
    let database = predecessor().await;
    let output = run(&database, &["baseline", "--from-alembic", "--yes"]).await.exits(0);
    assert_snapshot!(output.stderr, @r"
    Building a shadow database from 1 migration
    Alembic is at revision `3f1c2a9b7d04`: that is V1__initial_schema
    V1__initial_schema adopted; nothing was run
    warning: the function `update_tasks_updated_at()` is not the one that the migrations make, and stays as it is: replace it by hand or with a new migration
    ");
    assert_eq!(versions(&database).await, [1]);
    run(&database, &["up"]).await.exits(0).says("4 migrations applied");
    let query = "select version_num, (select count(*) from tasks) from alembic_version";
    let row = database.client().await.query_one(query, &[]).await.expect("still there");
    assert_eq!((row.get::<_, &str>(0), row.get::<_, i64>(1)), ("3f1c2a9b7d04", 1));
}

#[tokio::test]
async fn a_schema_that_differs_from_alembics_is_rejected() {
    for (spoil, message) in [
        ("drop table alembic_version", "there is no table `alembic_version`"),
        (
            "delete from alembic_version",
            "`alembic_version` is empty, so Alembic has applied nothing",
        ),
        ("insert into alembic_version values ('aa')", "more than one revision: 3f1c2a9b7d04, aa"),
        ("drop table tasks", "the schema is not what V1__initial_schema leaves"),
    ] {
        let database = predecessor().await;
        execute(&database, spoil).await;
        let output = run(&database, &["baseline", "--from-alembic", "--yes"]).await.exits(2);
        assert!(output.stderr.contains(message), "{spoil}: {}", output.stderr);
        assert!(output.stderr.contains("hint: "), "{spoil}: {}", output.stderr);
        assert_eq!(versions(&database).await, [0; 0], "{spoil}");
    }
}

#[tokio::test]
async fn a_machine_can_read_what_was_adopted() {
    let database = predecessor().await;
    let arguments = ["baseline", "--from-alembic", "--yes", "--json"];
    assert_json_snapshot!(run(&database, &arguments).await.exits(0).json(), @r#"
    {
      "adopted": [
        {
          "name": "initial_schema",
          "version": 1
        }
      ],
      "alembic_revision": "3f1c2a9b7d04",
      "command": "baseline",
      "dry_run": false,
      "warnings": [
        "the function `update_tasks_updated_at()` is not the one that the migrations make, and stays as it is: replace it by hand or with a new migration"
      ]
    }
    "#);
    let again = run(&database, &arguments).await.exits(2).json();
    assert_json_snapshot!(again, @r#"
    {
      "command": "baseline",
      "error": {
        "details": [
          "nothing was changed"
        ],
        "exit_code": 2,
        "hint": "adopting is for a schema without a history; `migrator up` applies what is pending",
        "kind": "baseline",
        "message": "the database has a history already: it is at V1__initial_schema"
      }
    }
    "#);
}

#[tokio::test]
async fn a_machine_can_read_what_would_be_adopted() {
    let database = predecessor().await;
    let document = run(&database, &["baseline", "1", "--dry-run", "--json"]).await.exits(0).json();
    assert_eq!(
        (&document["dry_run"], &document["adopted"][0]["version"]),
        (&true.into(), &1.into())
    );
}
