//! Shadow databases: where they are created, and that none is left.

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tests::{CliOutput, TestDatabase, until};
use tokio::process::Child;

use crate::support::catalog::tables;
use crate::support::folder::Folder;
use crate::support::program::{command, run, run_with};

/// The shadow databases of a database.
async fn shadow_databases(database: &TestDatabase) -> Vec<String> {
    let query = "select shadow.datname::text from pg_database as shadow
                   join pg_database as live on live.datname = current_database()
                  where shadow.datname like 'taskie\\_shadow\\_' || live.oid || '\\_%'";
    let rows = database.client().await.query(query, &[]).await.expect("list the databases");
    rows.iter().map(|row| row.get(0)).collect()
}

/// Starts a run and waits until it is in the middle of a migration in its shadow database.
async fn start_slow(database: &TestDatabase, folder: &Folder) -> Child {
    let before = shadow_databases(database).await;
    let mut slow = command(&["drift", "--to", "1", "--dir", folder.path()]).await;
    slow.env("DATABASE_URL", database.url().to_connection_string());
    let slow = slow.spawn().expect("start the migrator");
    let client = database.client().await;
    let sleeping = "select datname::text from pg_stat_activity where wait_event = 'PgSleep' and datname <> all ($1)";
    until("the migration runs in a shadow database", async || {
        let rows = client.query(sleeping, &[&before]).await.expect("query");
        let own = shadow_databases(database).await;
        rows.iter().map(|row| row.get::<_, String>(0)).find(|name| own.contains(name))
    })
    .await;
    slow
}

fn slow_folder() -> Folder {
    Folder::new(&[("V1__slow.sql", "create table half (); select pg_sleep(600);")])
}

#[tokio::test]
async fn none_is_left_by_a_run_that_ends_well() {
    let database = TestDatabase::migrated().await;
    run(&database, &["drift"]).await.exits(0);
    run(&database, &["dump", "--output", "-"]).await.exits(0);
    assert_eq!(shadow_databases(&database).await, [""; 0]);
}

/// A shadow database is dropped, so there is nothing to repair.
#[tokio::test]
async fn a_migration_without_a_transaction_that_fails_there_needs_no_repair() {
    let database = TestDatabase::create().await;
    let folder = Folder::new(&[(
        "V1__a.sql",
        "-- migrator: no-transaction\ncreate table a ();\ncreate table a ();",
    )]);
    for arguments in [&["drift", "--to", "1"][..], &["check"]] {
        let arguments = [arguments, &["--dir", folder.path()]].concat();
        run(&database, &arguments)
            .await
            .exits(5)
            .says("this was in a shadow database, which is removed; the live one was not touched")
            .says("nothing is applied; V1 was left unfinished")
            .does_not_print("repair");
    }
}

#[tokio::test]
async fn a_failure_in_the_shadow_database_is_reported_as_one() {
    let database = TestDatabase::create().await;
    let folder = Folder::new(&[
        ("V1__one.sql", "create table one ();"),
        ("V2__two.sql", "create table two ();\ncreate table one ();"),
    ]);
    let output = run(&database, &["drift", "--to", "2", "--dir", folder.path()]).await.exits(5);
    let messages = output.stderr.replace(folder.path(), "FOLDER");
    insta::assert_snapshot!(messages, @r#"
    Building a shadow database from 2 migrations
    error: failed to apply V2__two.sql: line 2, column 1: relation "one" already exists (42P07)
       --> FOLDER/V2__two.sql:2:1
        |
      2 | create table one ();
        | ^
      this was in a shadow database, which is removed; the live one was not touched
      V1 and earlier are applied; V2 was rolled back
    hint: fix V2: the migrations must run on an empty database
    "#);
    assert_eq!(tables(&database).await, [""; 0]);
    assert_eq!(shadow_databases(&database).await, [""; 0]);
    let document =
        run(&database, &["dump", "--json", "--dir", folder.path()]).await.exits(5).json();
    assert_eq!(document["error"]["migration"], "V2__two");
}

#[tokio::test]
async fn without_createdb_the_hint_names_the_shadow_url() {
    let database = TestDatabase::migrated().await;
    let reader = database.role("reader").await;
    let grant = format!("grant select on refinery_schema_history to {}", reader.quoted());
    database.client().await.batch_execute(&grant).await.expect("grant");
    let url = database.url_as(&reader).to_connection_string();
    let output = run_with(&[("DATABASE_URL", &url)], &["drift"]).await.exits(2);
    insta::assert_snapshot!(output.stderr, @r"
    error: cannot make a shadow database: permission denied to create database (42501)
      nothing was changed
    hint: with `--shadow-url` (`MIGRATOR_SHADOW_URL`) it is made on another server; or allow the role to make databases: alter role NAME createdb
    ");

    // With a shadow database on another server, a read-only role is enough.
    let server = TestDatabase::create().await;
    let shadow = server.url().to_connection_string();
    run_with(&[("DATABASE_URL", &url)], &["drift", "--shadow-url", &shadow]).await.exits(0);
    run_with(&[("DATABASE_URL", &url), ("MIGRATOR_SHADOW_URL", &shadow)], &["drift"])
        .await
        .exits(0);
    assert_eq!(
        (shadow_databases(&database).await, shadow_databases(&server).await),
        (Vec::new(), Vec::new())
    );
}

#[tokio::test]
async fn a_role_with_createdb_and_select_is_enough() {
    let database = TestDatabase::migrated().await;
    let reader = database.role("reader").await;
    let name = reader.quoted();
    let grant =
        format!("alter role {name} createdb; grant select on refinery_schema_history to {name}");
    database.client().await.batch_execute(&grant).await.expect("grant");
    let url = database.url_as(&reader).to_connection_string();
    run_with(&[("DATABASE_URL", &url)], &["drift"]).await.exits(0);
    assert_eq!(shadow_databases(&database).await, [""; 0]);
}

#[tokio::test]
async fn a_connection_string_that_cannot_be_used_keeps_its_password() {
    let database = TestDatabase::migrated().await;
    for (url, code) in [
        ("postgresql://ann:hunter2@127.0.0.1:1/shop", 3),
        ("postgresql://ann:hunter2@db.example.com/shop?sslmode=disable", 2),
        ("hunter2", 2),
    ] {
        run(&database, &["drift", "--shadow-url", url, "--connect-timeout", "100ms"])
            .await
            .exits(code)
            .says("error: ")
            .does_not_print("hunter2");
    }
}

#[tokio::test]
async fn none_is_left_by_a_run_that_is_asked_to_end() {
    let database = TestDatabase::create().await;
    let folder = slow_folder();
    for (signal, code, says) in [
        (Signal::SIGINT, 130, "error: interrupted"),
        (Signal::SIGTERM, 143, "error: asked to end"),
        (Signal::SIGHUP, 129, "error: the terminal is gone"),
    ] {
        let slow = start_slow(&database, &folder).await;
        let process = slow.id().and_then(|id| i32::try_from(id).ok()).expect("it runs");
        kill(Pid::from_raw(process), signal).expect("send the signal");
        let output = slow.wait_with_output().await.expect("wait for the migrator");
        CliOutput::new(output)
            .exits(code)
            .says(says)
            .says("the shadow database is removed; nothing was changed");
        assert_eq!(shadow_databases(&database).await, [""; 0], "{signal}");
    }
}

#[tokio::test]
async fn what_a_killed_run_left_is_removed_by_the_next_but_what_is_in_use_is_not() {
    let database = TestDatabase::create().await;
    let folder = slow_folder();
    let mut killed = start_slow(&database, &folder).await;
    let left = shadow_databases(&database).await;
    assert_eq!(left.len(), 1, "{left:?}");
    let mut busy = start_slow(&database, &folder).await;
    assert_eq!(shadow_databases(&database).await.len(), 2);
    let in_use: Vec<String> =
        shadow_databases(&database).await.into_iter().filter(|name| !left.contains(name)).collect();

    killed.kill().await.expect("kill the migrator");
    until("the killed run's sessions are over", async || {
        run(&database, &["drift"]).await.exits(0);
        Some(shadow_databases(&database).await).filter(|names| *names == in_use)
    })
    .await;

    busy.kill().await.expect("kill the migrator");
    until("nothing is left", async || {
        run(&database, &["drift"]).await.exits(0);
        shadow_databases(&database).await.is_empty().then_some(())
    })
    .await;
}

#[tokio::test]
async fn two_at_once_do_not_disturb_each_other() {
    let database = TestDatabase::migrated().await;
    let (one, other, dump) = tokio::join!(
        run(&database, &["drift"]),
        run(&database, &["drift"]),
        run(&database, &["dump", "--output", "-"])
    );
    for output in [one, other, dump] {
        output.exits(0);
    }
    assert_eq!(shadow_databases(&database).await, [""; 0]);
}

#[tokio::test]
async fn it_has_the_settings_of_the_database() {
    let database = TestDatabase::create().await;
    let admin = database.admin().await;
    let name = format!("{}_latin1", database.name());
    let create = format!(
        "create database {name} template template0 encoding 'LATIN1' lc_collate 'C' lc_ctype 'C'"
    );
    admin.batch_execute(&create).await.expect("create a database");
    let sql = "do $$ begin execute format('create table %I ()', (
                 select concat_ws(' ', pg_encoding_to_char(encoding), datcollate, datctype,
                                  current_setting('search_path'))
                   from pg_database where datname = current_database())); end $$";
    let folder = Folder::new(&[("V1__takes_after.sql", sql)]);
    let url = database.url().with_database(&name).to_connection_string();
    let variables = [("DATABASE_URL", url.as_str())];
    let up = run_with(&variables, &["up", "--dir", folder.path()]).await;
    let drift = run_with(&variables, &["drift", "--dir", folder.path()]).await;
    let dump = run_with(&variables, &["dump", "--output", "-", "--dir", folder.path()]).await;
    admin.batch_execute(&format!("drop database {name} with (force)")).await.expect("drop it");
    up.exits(0);
    drift.exits(0);
    assert!(dump.exits(0).stdout.contains("create table \"LATIN1 C C "), "the encoding");
}
