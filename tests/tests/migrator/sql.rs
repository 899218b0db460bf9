//! `migrator sql`: scripts to run by hand, with the same effect as `up` and `down`.

use std::path::Path;
use std::process::Stdio;

use insta::assert_snapshot;
use tests::TestDatabase;
use tokio::process::Command;
use tokio_postgres::error::{DbError, SqlState};

use crate::locking::lock_holder;
use crate::support::catalog::{objects, tables, versions};
use crate::support::folder::Folder;
use crate::support::program::{run, run_with};
use crate::up::no_transaction::{invalid_indexes, with_an_index, with_duplicates};

/// The script that the program writes, without a database.
async fn script(arguments: &[&str]) -> String {
    let output = run_with(&[], arguments).await.exits(0);
    assert_eq!(output.stderr, "");
    output.stdout
}

/// Runs a script with the driver, because nothing in it may need psql. Returns the error, if any.
async fn run_with_driver(database: &TestDatabase, script: &str) -> Option<DbError> {
    let result = database.client().await.batch_execute(script).await;
    result.err().map(|error| error.as_db_error().expect("an answer of the server").clone())
}

/// Runs a script with psql, and returns its error messages. Without an installed psql, the driver runs
/// it.
async fn run_with_psql(database: &TestDatabase, script: &str, options: &[&str]) -> String {
    let folder = Folder::new(&[("script.sql", script)]);
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
            run_with_driver(database, script).await.map_or(String::new(), |error| error.to_string())
        }
    }
}

const STOP: &[&str] = &["--set", "ON_ERROR_STOP=1"];

/// The history without times.
async fn history(database: &TestDatabase) -> Vec<(i32, String, String)> {
    let query = "select version, name, checksum from refinery_schema_history order by 1";
    let rows = database.client().await.query(query, &[]).await.expect("read the history");
    rows.iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect()
}

#[tokio::test]
async fn a_script_is_transactions_that_check_before_they_change() {
    let folder = Folder::with_three_migrations();
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
         from pg_catalog.unnest(array['session_authorization', 'role', 'search_path']) as setting
        where pg_catalog.current_setting('taskie.' || setting) <> '';
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
      if pg_catalog.to_regclass('migrator_incomplete') is not null then
        raise exception using
          errcode = 'object_not_in_prerequisite_state',
          message = 'a migration is incomplete; nothing was changed',
          hint = '`migrator status` shows which; `migrator repair` clears up.';
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
         from pg_catalog.unnest(array['session_authorization', 'role', 'search_path']) as setting
        where pg_catalog.current_setting('taskie.' || setting) <> '';
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
    assert_eq!(run_with_driver(&by_hand, &script(&["sql"]).await).await, None);
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
    assert_eq!(run_with_psql(&by_hand, &script(&["sql"]).await, STOP).await, "");
    run(&by_up, &["up"]).await.exits(0);
    assert_eq!(objects(&by_hand).await, objects(&by_up).await);
    run(&by_hand, &["status", "--check"]).await.exits(0);
    assert_eq!(
        run_with_psql(&by_hand, &script(&["sql", "--down", "--to", "0"]).await, STOP).await,
        ""
    );
    assert_eq!(tables(&by_hand).await, ["refinery_schema_history"]);
    assert_eq!(versions(&by_hand).await, [0; 0]);
}

#[tokio::test]
async fn refinery_accepts_the_history() {
    let database = TestDatabase::create().await;
    assert_eq!(run_with_driver(&database, &script(&["sql"]).await).await, None);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../migrations");
    let migrations = refinery::load_sql_migrations(folder).expect("read the migrations");
    let runner = refinery::Runner::new(&migrations);
    let mut client = database.client().await;
    let report = runner.run_async(&mut client).await.expect("agree with the history");
    assert!(report.applied_migrations().is_empty(), "{report:?}");
    let applied = runner.get_applied_migrations_async(&mut client).await.expect("read it");
    assert_eq!(applied.len(), 5);
}

#[tokio::test]
async fn ranges_go_up_and_down_step_by_step() {
    let database = TestDatabase::create().await;
    for (arguments, expected) in [
        (&["sql", "--to", "1"][..], &[1][..]),
        (&["sql", "--from", "1", "--to", "2"], &[1, 2]),
        (&["sql", "--from", "2"], &[1, 2, 3, 4, 5]),
        (&["sql", "--down", "--to", "2"], &[1, 2]),
        (&["sql", "--down", "--from", "2", "--to", "0"], &[]),
        (&["sql"], &[1, 2, 3, 4, 5]),
    ] {
        assert_eq!(
            run_with_driver(&database, &script(arguments).await).await,
            None,
            "{arguments:?}"
        );
        assert_eq!(versions(&database).await, expected, "{arguments:?}");
    }
    run(&database, &["status", "--check"]).await.exits(0);
}

#[tokio::test]
async fn a_database_at_another_version_is_not_changed() {
    let database = TestDatabase::create().await;
    run(&database, &["up", "--to", "1"]).await.exits(0);
    let before = objects(&database).await;
    for arguments in [
        &["sql"][..],
        &["sql", "--from", "2"],
        &["sql", "--down", "--to", "0"],
        &["sql", "--down", "--from", "2", "--to", "0"],
    ] {
        let error = run_with_driver(&database, &script(arguments).await).await.expect("a refusal");
        assert_eq!(error.code(), &SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE, "{arguments:?}");
        assert_eq!(objects(&database).await, before, "{arguments:?}");
        assert_eq!(versions(&database).await, [1], "{arguments:?}");
    }
}

#[tokio::test]
async fn a_database_without_a_history_is_at_no_version_but_0() {
    let database = TestDatabase::create().await;
    let error = run_with_driver(&database, &script(&["sql", "--from", "1"]).await).await;
    let error = error.expect("a refusal");
    assert!(error.message().ends_with("; nothing was changed"), "{error}");
    assert!(error.detail().is_some_and(|detail| detail.ends_with("Found: none.")), "{error:?}");
    assert_eq!(objects(&database).await, [""; 0]);
}

#[tokio::test]
async fn an_edited_history_is_detected() {
    let database = TestDatabase::migrated().await;
    let edit = "update refinery_schema_history set checksum = '1' where version = 1";
    database.client().await.batch_execute(edit).await.expect("edit the history");
    run_with_driver(&database, &script(&["sql", "--down", "--to", "2"]).await)
        .await
        .expect("a refusal");
    assert_eq!(versions(&database).await, [1, 2, 3, 4, 5]);
}

#[tokio::test]
async fn another_migrator_is_not_disturbed() {
    let database = TestDatabase::create().await;
    let _holder = lock_holder(&database).await;
    let error = run_with_driver(&database, &script(&["sql"]).await).await.expect("a refusal");
    assert_eq!(error.code(), &SqlState::LOCK_NOT_AVAILABLE);
    assert_eq!(objects(&database).await, [""; 0]);
}

#[tokio::test]
async fn later_statements_do_not_run_after_a_failure_even_where_psql_continues() {
    let database = TestDatabase::create().await;
    let folder = Folder::with_three_migrations();
    folder.write("V2__two.sql", "create table two (id int);\nselect nothing;");
    let script = script(&["sql", "--dir", folder.path()]).await;
    let errors = run_with_psql(&database, &script, &[]).await;
    assert!(errors.contains("column \"nothing\" does not exist"), "{errors}");
    assert_eq!(tables(&database).await, ["one", "refinery_schema_history"]);
    assert_eq!(versions(&database).await, [1]);
}

#[tokio::test]
async fn files_may_end_as_they_like_and_change_the_session() {
    let database = TestDatabase::create().await;
    let folder = Folder::new(&[
        ("V1__a.sql", "create table a () -- the end"),
        ("V2__b.sql", "create table b ();\n-- the end"),
        ("V3__dump.sql", "set search_path = ''; set role pg_monitor"),
        ("V4__function.sql", "create function f() returns text language sql as $$ select ';' $$"),
        ("V5__quotes.sql", "comment on table a is 'it''s \\n $taskie$ :x :''x'''"),
    ]);
    let script = script(&["sql", "--dir", folder.path()]).await;
    assert_eq!(run_with_psql(&database, &script, STOP).await, "");
    assert_eq!(versions(&database).await, [1, 2, 3, 4, 5]);
    run(&database, &["status", "--check", "--dir", folder.path()]).await.exits(0);
    assert_eq!(tables(&database).await, ["a", "b", "refinery_schema_history"]);
}

#[tokio::test]
async fn files_may_reset_the_session() {
    let database = TestDatabase::create().await;
    let folder = Folder::new(&[
        ("V1__one.sql", "create table one (); set search_path = ''; reset all;"),
        (
            "V2__two.sql",
            "-- migrator: no-transaction\ncreate table two ();\nreset all;\nvacuum two;",
        ),
        ("V3__three.sql", "create table three ();"),
    ]);
    let script = script(&["sql", "--dir", folder.path()]).await;
    assert_eq!(run_with_psql(&database, &script, STOP).await, "");
    run(&database, &["status", "--check", "--dir", folder.path()]).await.exits(0);
    assert_eq!(tables(&database).await, ["one", "refinery_schema_history", "three", "two"]);
}

#[tokio::test]
async fn the_role_and_schema_of_the_caller_are_kept() {
    let database = TestDatabase::create().await;
    let folder = Folder::new(&[
        ("V1__one.sql", "create table one (); set role pg_monitor; set search_path = ''"),
        ("V2__two.sql", "create table two ();"),
    ]);
    let owner = database.role("owner").await;
    let prepare = format!(
        "create schema apart authorization {role}; set role {role}; set search_path = apart;",
        role = owner.quoted()
    );
    let script = script(&["sql", "--dir", folder.path()]).await;
    assert_eq!(run_with_driver(&database, &(prepare + &script)).await, None);
    assert_eq!(tables(&database).await, [""; 0]);
    let query = "select count(*) from pg_tables where schemaname = 'apart' and tableowner = $1";
    let row = database.client().await.query_one(query, &[&owner.name]).await.expect("count");
    assert_eq!(row.get::<_, i64>(0), 3);
}

#[tokio::test]
async fn ranges_without_a_migration_are_usage_errors() {
    for (arguments, message) in [
        (&["sql", "--from", "5"][..], "no migration to apply between version 5"),
        (
            &["sql", "--from", "2", "--to", "1"],
            "hint: `--to` is after `--from`; to undo, add `--down`",
        ),
        (&["sql", "--down", "--to", "5"], "no migration to undo between version 5"),
        (&["sql", "--to", "9"], "there is no migration with version 9"),
        (&["sql", "--from", "9"], "there is no migration with version 9"),
        (&["sql", "--down"], "--to <VERSION>"),
    ] {
        let output = run_with(&[], arguments).await.exits(2).says(message);
        assert_eq!(output.stdout, "", "{arguments:?}");
    }
}

#[tokio::test]
async fn scripts_that_cannot_be_run_are_not_written() {
    let folder = Folder::with_three_migrations();
    folder.remove("V2__two.down.sql");
    run_with(&[], &["sql", "--down", "--to", "0", "--dir", folder.path()])
        .await
        .exits(2)
        .says("cannot undo without an undo script: V2__two");
    folder.write("V3__three.sql", "commit;");
    let output = run_with(&[], &["sql", "--dir", folder.path()]).await.exits(5);
    assert_eq!(output.stdout, "");
}

#[tokio::test]
async fn a_machine_gets_the_script_in_a_document() {
    let folder = Folder::with_three_migrations();
    let arguments = ["sql", "--down", "--to", "1", "--dir", folder.path()];
    let plain = script(&arguments).await;
    let document = run_with(&[], &[&arguments[..], &["--json"]].concat()).await.exits(0).json();
    assert_eq!(document["sql"], plain);
    assert_eq!(document["direction"], "undo");
    assert_eq!((&document["from"], &document["to"]), (&3.into(), &1.into()));
    assert_eq!(document["migrations"][0]["version"], 3);
}

#[tokio::test]
async fn a_migration_without_a_transaction_is_written_statement_by_statement() {
    let folder = with_an_index();
    let arguments = ["sql", "--from", "1", "--lock-timeout", "1500ms", "--statement-timeout", "9"];
    let script = script(&[&arguments[..], &["--dir", folder.path()]].concat()).await;
    let (_, migration) = script.split_once("-- V2__index, without").expect("the migration");
    // Without the beginning of each note, which is the same in every script.
    let notes = migration.split("do $taskie$").filter_map(|note| note.split_once("$taskie$;\n"));
    let notes: Vec<&str> =
        notes.map(|(_, rest)| rest.trim()).filter(|rest| !rest.is_empty()).collect();
    assert_snapshot!(notes[notes.len() - 6..].join("\n…\n"), @r#"
    create table migrator_incomplete (
      version int4 primary key,
      name varchar not null,
      checksum varchar not null,
      direction varchar not null check (direction in ('apply', 'undo')),
      state varchar not null check (state in ('running', 'failed', 'repaired')),
      statements int4 not null,
      done int4 not null,
      done_checksum varchar not null,
      running int4,
      alone boolean not null,
      statement varchar,
      relation oid,
      known_indexes oid[],
      started_on varchar not null
    );
    comment on table migrator_incomplete is 'Migrations without a transaction that are not finished. Written by the migrator, which removes the table when it is empty.';
    comment on column migrator_incomplete.version is 'The number in the file name.';
    comment on column migrator_incomplete.name is 'The name in the file name.';
    comment on column migrator_incomplete.checksum is 'refinery''s checksum of version, name and content of the migration, in decimal digits.';
    comment on column migrator_incomplete.direction is 'apply or undo.';
    comment on column migrator_incomplete.state is 'running: at work, or stopped without a word; failed: a statement failed; repaired: can go on.';
    comment on column migrator_incomplete.statements is 'How many statements the script has.';
    comment on column migrator_incomplete.done is 'How many of them are done.';
    comment on column migrator_incomplete.done_checksum is 'A checksum of those that are done, in decimal digits.';
    comment on column migrator_incomplete.running is 'The number of the statement that was begun last and is not known to have ended, from 1.';
    comment on column migrator_incomplete.alone is 'Whether that statement runs outside of a transaction, so that a part of it can stay.';
    comment on column migrator_incomplete.statement is 'The statement that was begun last.';
    comment on column migrator_incomplete.relation is 'The table whose indexes that statement makes, or the index that it drops.';
    comment on column migrator_incomplete.known_indexes is 'The invalid indexes that were there before that statement.';
    comment on column migrator_incomplete.started_on is 'When the script was begun: RFC 3339, UTC.';
    comment on index migrator_incomplete_pkey is 'One row for each version.';
    …
    insert into migrator_incomplete (version, name, checksum, direction, state, statements, done, done_checksum, alone, started_on)
    values (2, 'index', '14322827106780145354', 'apply', 'running', 1, 0, '10034237665321839677', false,
      pg_catalog.to_char(pg_catalog.clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'));
    commit;
    …
    set lock_timeout = '1500ms';
    set statement_timeout = '9s';

    -- V2__index.sql: statement 1 of 1

    begin;
    …
    update migrator_incomplete
       set running = 1, alone = true, statement = 'create index concurrently t_id on t (id)',
           relation = nullif(pg_catalog.current_setting('taskie.relation'), '')::oid
     where version = 2;
    commit;
    set lock_timeout = 0;
    create index concurrently t_id on t (id);
    set lock_timeout = '1500ms';
    begin;
    …
    update migrator_incomplete
       set done = 1, done_checksum = '8486262349441654450', running = null, alone = false, statement = null, relation = null
     where version = 2;
    commit;

    -- The history.

    begin;
    …
    insert into refinery_schema_history (version, name, applied_on, checksum) values (
      2, 'index',
      pg_catalog.to_char(pg_catalog.clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
      '14322827106780145354');
    delete from migrator_incomplete where version = 2;
    drop table migrator_incomplete;
    commit;
    reset lock_timeout;
    reset statement_timeout;
    "#);
}

#[tokio::test]
async fn psql_runs_a_migration_without_a_transaction() {
    let (by_hand, by_up) = (TestDatabase::create().await, TestDatabase::create().await);
    let folder = with_an_index();
    folder.write(
        "V3__more.sql",
        "-- migrator: no-transaction
         create schema apart; set search_path = apart;
         create table it (note text default 'it''s \\ $taskie$ :x :''x''');
         create procedure fill() language plpgsql as $$
         begin insert into apart.it values (1); commit; insert into apart.it values (2); end $$;
         call fill(); vacuum it; create unique index concurrently \"It's\" on it (note);
         reindex table concurrently it; drop index concurrently if exists \"It's\"",
    );
    folder.write("V4__four.sql", "create table four ();");
    let up = script(&["sql", "--dir", folder.path()]).await;
    assert_eq!(run_with_psql(&by_hand, &up, STOP).await, "");
    run(&by_up, &["up", "--dir", folder.path()]).await.exits(0);
    assert_eq!(objects(&by_hand).await, objects(&by_up).await);
    assert_eq!(history(&by_hand).await, history(&by_up).await);
    run(&by_hand, &["status", "--check", "--dir", folder.path()]).await.exits(0);
    folder.remove("V3__more.sql");
    folder.remove("V4__four.sql");
    let forget = "delete from refinery_schema_history where version > 2";
    by_hand.client().await.batch_execute(forget).await.expect("forget the rest");
    let down = script(&["sql", "--down", "--to", "1", "--dir", folder.path()]).await;
    assert_eq!(run_with_psql(&by_hand, &down, STOP).await, "");
    assert_eq!(versions(&by_hand).await, [1]);
    assert_eq!(tables(&by_hand).await, ["four", "refinery_schema_history", "t"]);
}

#[tokio::test]
async fn where_psql_stops_in_the_middle_status_and_repair_know() {
    let database = TestDatabase::create().await;
    let folder = with_duplicates(&database).await;
    let script = script(&["sql", "--from", "1", "--dir", folder.path()]).await;
    let errors = run_with_psql(&database, &script, STOP).await;
    assert!(errors.contains("could not create unique index"), "{errors}");
    let status = run(&database, &["status", "--dir", folder.path()]).await.exits(0).stdout;
    assert!(status.contains("(1 of 3 statements is done; run `migrator repair`)"), "{status}");
    // The script does not start again on an incomplete migration.
    let errors = run_with_psql(&database, &script, STOP).await;
    assert!(errors.contains("a migration is incomplete; nothing was changed"), "{errors}");

    database.client().await.batch_execute("truncate t").await.expect("remove the duplicates");
    run(&database, &["repair", "--dir", folder.path()])
        .await
        .exits(0)
        .says("Dropped the invalid index public.t_id")
        .says("V2__unique can be resumed at statement 2 of 3");
    run(&database, &["up", "--dir", folder.path()]).await.exits(0);
    assert_eq!(invalid_indexes(&database).await, [""; 0]);
    assert_eq!(versions(&database).await, [1, 2, 3]);
}

/// A failed statement is not recorded as done, even if psql does not stop at errors.
#[tokio::test]
async fn where_psql_continues_a_failed_statement_is_not_recorded_as_done() {
    let database = TestDatabase::create().await;
    let folder = with_duplicates(&database).await;
    let script = script(&["sql", "--from", "1", "--dir", folder.path()]).await;
    run_with_psql(&database, &script, &[]).await;
    let status = run(&database, &["status", "--dir", folder.path()]).await.exits(0).stdout;
    assert!(status.contains("(1 of 3 statements is done; run `migrator repair`)"), "{status}");
    assert_eq!(
        tables(&database).await,
        ["migrator_incomplete", "refinery_schema_history", "t", "two"]
    );
    assert_eq!(versions(&database).await, [1]);
}
