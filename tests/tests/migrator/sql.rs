//! `migrator sql`: the scripts do by hand what `up` and `down` do.

use std::path::Path;
use std::process::Stdio;

use insta::assert_snapshot;
use tests::TestDatabase;
use tokio::process::Command;
use tokio_postgres::error::{DbError, SqlState};

use crate::catalog::{objects, tables, versions};
use crate::folder::Folder;
use crate::locking::holder;
use crate::program::{run, run_with};

/// What the program writes, without a database.
async fn script(arguments: &[&str]) -> String {
    let outcome = run_with(&[], arguments).await.exits(0);
    assert_eq!(outcome.stderr, "");
    outcome.stdout
}

/// Runs a script with the driver: nothing in it may need psql. What went wrong, if anything did.
async fn by_driver(database: &TestDatabase, script: &str) -> Option<DbError> {
    let result = database.client().await.batch_execute(script).await;
    result.err().map(|error| error.as_db_error().expect("an answer of the server").clone())
}

/// Runs a script with psql, and returns what it says where something went wrong. Where there is no
/// psql, the driver stands in for it.
async fn by_psql(database: &TestDatabase, script: &str, options: &[&str]) -> String {
    let folder = Folder::of(&[("script.sql", script)]);
    let psql = Command::new("psql")
        .args(["--no-psqlrc", "--quiet"])
        .args(options)
        .args(["--file", &format!("{}/script.sql", folder.path())])
        .arg(database.url().to_connection_string())
        .stdin(Stdio::null())
        .output()
        .await;
    match psql {
        Ok(output) => String::from_utf8(output.stderr).expect("text"),
        Err(_) => {
            by_driver(database, script).await.map_or(String::new(), |error| error.to_string())
        }
    }
}

const STOP: &[&str] = &["--set", "ON_ERROR_STOP=1"];

/// What is in the history but for times.
async fn history(database: &TestDatabase) -> Vec<(i32, String, String)> {
    let query = "select version, name, checksum from refinery_schema_history order by 1";
    let rows = database.client().await.query(query, &[]).await.expect("read the history");
    rows.iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect()
}

#[tokio::test]
async fn a_script_is_transactions_that_look_before_they_change() {
    let folder = Folder::of_three();
    let arguments = ["sql", "--from", "1", "--to", "2", "--dir", folder.path()];
    let version = concat!("migrator ", env!("CARGO_PKG_VERSION"));
    let script = script(&arguments).await.replace(version, "migrator …");
    assert_snapshot!(script, @r#"
    -- Applies V2__two, with the history. Written by migrator ….
    --
    -- To be run by the owner of the tables, not through a pooler that shares sessions:
    --
    --   psql --no-psqlrc --set ON_ERROR_STOP=1 --file SCRIPT DATABASE
    --
    -- Each migration is a transaction of its own. It begins with a look at the history, and fails before it changes anything
    -- where that is not what it should be: so do all that come after one that failed.

    do $taskie$
    begin
      perform pg_catalog.set_config('taskie.' || setting, pg_catalog.current_setting(setting), false)
         from pg_catalog.unnest(array['session_authorization', 'role', 'search_path']) as setting;
    end
    $taskie$;

    -- V2__two

    begin;
    do $taskie$
    begin
      perform pg_catalog.set_config(setting, pg_catalog.current_setting('taskie.' || setting), true)
         from pg_catalog.unnest(array['session_authorization', 'role', 'search_path']) as setting;
    end
    $taskie$;
    do $taskie$
    declare
      expected constant text := 'V1__one (4635529105600635218)';
      found text := '';
    begin
      if not pg_catalog.pg_try_advisory_xact_lock(6071225355489050625) then
        raise exception using
          errcode = 'lock_not_available',
          message = 'another migrator is at work; nothing was changed',
          hint = 'Wait for it to finish and run the script again.';
      end if;
      if pg_catalog.to_regclass('refinery_schema_history') is not null then
        select coalesce(pg_catalog.string_agg(
                 pg_catalog.format('V%s__%s (%s)', version, name, checksum), ', ' order by version), '')
          into found
          from refinery_schema_history;
      end if;
      if found <> expected then
        raise exception using
          errcode = 'object_not_in_prerequisite_state',
          message = 'the history of this database is not the one that this script was written for; nothing was changed',
          detail = pg_catalog.format('Expected: %s. Found: %s.',
                     coalesce(nullif(expected, ''), 'none'), coalesce(nullif(found, ''), 'none')),
          hint = 'Write a script for it with `migrator sql --from VERSION`; `migrator current` shows the version.';
      end if;
    end
    $taskie$;
    set local lock_timeout = '3s';

    -- V2__two.sql

    create table two (id int);

    -- The history.

    do $taskie$
    begin
      perform pg_catalog.set_config(setting, pg_catalog.current_setting('taskie.' || setting), true)
         from pg_catalog.unnest(array['session_authorization', 'role', 'search_path']) as setting;
    end
    $taskie$;
    insert into refinery_schema_history (version, name, applied_on, checksum) values (
      2, 'two',
      pg_catalog.to_char(pg_catalog.clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
      '14354898571640259682');
    commit;
    "#);
}

#[tokio::test]
async fn the_script_leaves_what_up_leaves() {
    let (by_hand, by_up) = (TestDatabase::create().await, TestDatabase::create().await);
    assert_eq!(by_driver(&by_hand, &script(&["sql"]).await).await, None);
    run(&by_up, &["up"]).await.exits(0);
    assert_eq!(objects(&by_hand).await, objects(&by_up).await);
    assert_eq!(history(&by_hand).await, history(&by_up).await);
    run(&by_hand, &["status", "--check"]).await.exits(0);
    run(&by_hand, &["up"]).await.exits(0).says("Nothing to do");
    run(&by_hand, &["down", "--to", "0", "--yes"]).await.exits(0);
}

#[tokio::test]
async fn psql_runs_the_script() {
    let (by_hand, by_up) = (TestDatabase::create().await, TestDatabase::create().await);
    assert_eq!(by_psql(&by_hand, &script(&["sql"]).await, STOP).await, "");
    run(&by_up, &["up"]).await.exits(0);
    assert_eq!(objects(&by_hand).await, objects(&by_up).await);
    run(&by_hand, &["status", "--check"]).await.exits(0);
    assert_eq!(by_psql(&by_hand, &script(&["sql", "--down", "--to", "0"]).await, STOP).await, "");
    assert_eq!(tables(&by_hand).await, ["refinery_schema_history"]);
    assert_eq!(versions(&by_hand).await, [0; 0]);
}

#[tokio::test]
async fn refinery_takes_the_history_for_its_own() {
    let database = TestDatabase::create().await;
    assert_eq!(by_driver(&database, &script(&["sql"]).await).await, None);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../migrations");
    let migrations = refinery::load_sql_migrations(folder).expect("read the migrations");
    let runner = refinery::Runner::new(&migrations);
    let mut client = database.client().await;
    let report = runner.run_async(&mut client).await.expect("agree with the history");
    assert!(report.applied_migrations().is_empty(), "{report:?}");
    let applied = runner.get_applied_migrations_async(&mut client).await.expect("read it");
    assert_eq!(applied.len(), 3);
}

#[tokio::test]
async fn ranges_go_up_and_down_step_by_step() {
    let database = TestDatabase::create().await;
    for (arguments, expected) in [
        (&["sql", "--to", "1"][..], &[1][..]),
        (&["sql", "--from", "1", "--to", "2"], &[1, 2]),
        (&["sql", "--from", "2"], &[1, 2, 3]),
        (&["sql", "--down", "--to", "2"], &[1, 2]),
        (&["sql", "--down", "--from", "2", "--to", "0"], &[]),
        (&["sql"], &[1, 2, 3]),
    ] {
        assert_eq!(by_driver(&database, &script(arguments).await).await, None, "{arguments:?}");
        assert_eq!(versions(&database).await, expected, "{arguments:?}");
    }
    run(&database, &["status", "--check"]).await.exits(0);
}

#[tokio::test]
async fn a_database_that_is_elsewhere_is_left_alone() {
    let database = TestDatabase::create().await;
    run(&database, &["up", "--to", "1"]).await.exits(0);
    let before = objects(&database).await;
    for arguments in [
        &["sql"][..],
        &["sql", "--from", "2"],
        &["sql", "--down", "--to", "0"],
        &["sql", "--down", "--from", "2", "--to", "0"],
    ] {
        let error = by_driver(&database, &script(arguments).await).await.expect("a refusal");
        assert_eq!(error.code(), &SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE, "{arguments:?}");
        assert_eq!(objects(&database).await, before, "{arguments:?}");
        assert_eq!(versions(&database).await, [1], "{arguments:?}");
    }
}

#[tokio::test]
async fn a_database_without_a_history_is_at_no_version_but_0() {
    let database = TestDatabase::create().await;
    let error = by_driver(&database, &script(&["sql", "--from", "1"]).await).await;
    let error = error.expect("a refusal");
    assert!(error.message().ends_with("; nothing was changed"), "{error}");
    assert!(error.detail().is_some_and(|detail| detail.ends_with("Found: none.")), "{error:?}");
    assert_eq!(objects(&database).await, [""; 0]);
}

#[tokio::test]
async fn an_edited_history_is_not_taken_for_the_same() {
    let database = TestDatabase::migrated().await;
    let edit = "update refinery_schema_history set checksum = '1' where version = 1";
    database.client().await.batch_execute(edit).await.expect("edit the history");
    by_driver(&database, &script(&["sql", "--down", "--to", "2"]).await).await.expect("a refusal");
    assert_eq!(versions(&database).await, [1, 2, 3]);
}

#[tokio::test]
async fn another_migrator_is_not_disturbed() {
    let database = TestDatabase::create().await;
    let _holder = holder(&database).await;
    let error = by_driver(&database, &script(&["sql"]).await).await.expect("a refusal");
    assert_eq!(error.code(), &SqlState::LOCK_NOT_AVAILABLE);
    assert_eq!(objects(&database).await, [""; 0]);
}

#[tokio::test]
async fn what_comes_after_a_failure_does_not_run_even_where_psql_goes_on() {
    let database = TestDatabase::create().await;
    let folder = Folder::of_three();
    folder.write("V2__two.sql", "create table two (id int);\nselect nothing;");
    let script = script(&["sql", "--dir", folder.path()]).await;
    let said = by_psql(&database, &script, &[]).await;
    assert!(said.contains("column \"nothing\" does not exist"), "{said}");
    assert_eq!(tables(&database).await, ["one", "refinery_schema_history"]);
    assert_eq!(versions(&database).await, [1]);
}

#[tokio::test]
async fn files_may_end_as_they_like_and_change_the_session() {
    let database = TestDatabase::create().await;
    let folder = Folder::of(&[
        ("V1__a.sql", "create table a () -- the end"),
        ("V2__b.sql", "create table b ();\n-- the end"),
        ("V3__dump.sql", "set search_path = ''; set role pg_monitor"),
        ("V4__function.sql", "create function f() returns text language sql as $$ select ';' $$"),
        ("V5__quotes.sql", "comment on table a is 'it''s \\n $taskie$ :x :''x'''"),
    ]);
    let script = script(&["sql", "--dir", folder.path()]).await;
    assert_eq!(by_psql(&database, &script, STOP).await, "");
    assert_eq!(versions(&database).await, [1, 2, 3, 4, 5]);
    run(&database, &["status", "--check", "--dir", folder.path()]).await.exits(0);
    assert_eq!(tables(&database).await, ["a", "b", "refinery_schema_history"]);
}

#[tokio::test]
async fn the_role_and_schema_of_whoever_runs_it_are_kept() {
    let database = TestDatabase::create().await;
    let folder = Folder::of(&[
        ("V1__one.sql", "create table one (); set role pg_monitor; set search_path = ''"),
        ("V2__two.sql", "create table two ();"),
    ]);
    let owner = database.role("owner").await;
    let prepare = format!(
        "create schema apart authorization {role}; set role {role}; set search_path = apart;",
        role = owner.quoted()
    );
    let script = script(&["sql", "--dir", folder.path()]).await;
    assert_eq!(by_driver(&database, &(prepare + &script)).await, None);
    assert_eq!(tables(&database).await, [""; 0]);
    let query = "select count(*) from pg_tables where schemaname = 'apart' and tableowner = $1";
    let row = database.client().await.query_one(query, &[&owner.name]).await.expect("count");
    assert_eq!(row.get::<_, i64>(0), 3);
}

#[tokio::test]
async fn ranges_without_a_migration_are_usage_errors() {
    for (arguments, message) in [
        (&["sql", "--from", "3"][..], "no migration to apply between version 3"),
        (
            &["sql", "--from", "2", "--to", "1"],
            "hint: `--to` is after `--from`; to undo, add `--down`",
        ),
        (&["sql", "--down", "--to", "3"], "no migration to undo between version 3"),
        (&["sql", "--to", "9"], "there is no migration with version 9"),
        (&["sql", "--from", "9"], "there is no migration with version 9"),
        (&["sql", "--down"], "--to <VERSION>"),
    ] {
        let outcome = run_with(&[], arguments).await.exits(2).says(message);
        assert_eq!(outcome.stdout, "", "{arguments:?}");
    }
}

#[tokio::test]
async fn scripts_that_cannot_be_run_are_not_written() {
    let folder = Folder::of_three();
    folder.remove("V2__two.down.sql");
    run_with(&[], &["sql", "--down", "--to", "0", "--dir", folder.path()])
        .await
        .exits(2)
        .says("cannot undo without an undo script: V2__two");
    folder.write("V3__three.sql", "commit;");
    let outcome = run_with(&[], &["sql", "--dir", folder.path()]).await.exits(5);
    assert_eq!(outcome.stdout, "");
}

#[tokio::test]
async fn a_machine_gets_the_script_in_a_document() {
    let folder = Folder::of_three();
    let arguments = ["sql", "--down", "--to", "1", "--dir", folder.path()];
    let plain = script(&arguments).await;
    let document = run_with(&[], &[&arguments[..], &["--json"]].concat()).await.exits(0).json();
    assert_eq!(document["sql"], plain);
    assert_eq!(document["direction"], "undo");
    assert_eq!((&document["from"], &document["to"]), (&3.into(), &1.into()));
    assert_eq!(document["migrations"][0]["version"], 3);
}
