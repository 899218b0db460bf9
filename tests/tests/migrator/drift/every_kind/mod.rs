//! Whatever a person can change in a database is a difference, or is named as not compared: a row for
//! every kind of object that `pg_dump` knows and for what can be set on it.

mod catalogs;
mod kinds;

use std::fmt::Write as _;

use serde_json::Value;
use tests::TestDatabase;

use self::kinds::{KINDS, NOT_WRITTEN};
use super::{applied, execute};
use crate::support::folder::Folder;
use crate::support::program::run;

/// A database with a migration for every row, and each row's change in it; and the rows that this
/// server has, with their schemas.
async fn changed(
    kinds: &[(i32, &'static str, &'static str, &str)],
) -> (TestDatabase, Folder, Vec<(&'static str, String)>) {
    let version = server_version().await;
    let mut migration = String::new();
    let mut rows = Vec::new();
    for (number, (since, before, change, object)) in kinds.iter().enumerate() {
        if *since <= version {
            let schema = format!("case_{number}");
            let _ = writeln!(
                migration,
                "create schema {schema}; set search_path = {schema}; {before};"
            );
            rows.push((*change, schema.clone(), object.replace("SCHEMA", &schema)));
        }
    }
    migration += "reset search_path;";
    let (database, folder) = applied(&migration).await;
    run(&database, &["drift", "--dir", folder.path()]).await.exits(0);
    for (change, schema, _) in &rows {
        execute(&database, &format!("set search_path = {schema}; {change}")).await;
    }
    let rows = rows.into_iter().map(|(change, _, object)| (change, object)).collect();
    (database, folder, rows)
}

async fn server_version() -> i32 {
    let database = TestDatabase::create().await;
    let query = "select current_setting('server_version_num')::int4 / 10000";
    database.client().await.query_one(query, &[]).await.expect("ask for the version").get(0)
}

fn objects(document: &Value) -> Vec<String> {
    let differences = document["differences"].as_array().expect("a list");
    let named = differences.iter().map(|one| one["object"].as_str().expect("a name").to_owned());
    named.collect()
}

#[tokio::test]
async fn each_is_a_difference() {
    for kinds in [KINDS, NOT_WRITTEN] {
        let (database, folder, rows) = changed(kinds).await;
        let output = run(&database, &["drift", "--json", "--dir", folder.path()]).await.exits(1);
        assert!(!output.stdout.contains("hunter2"), "a password: {}", output.stdout);
        let mut found = objects(&output.json());
        found.sort();
        let mut wanted: Vec<String> = rows.into_iter().map(|(_, object)| object).collect();
        wanted.sort();
        // PostgreSQL makes an operator family with a class.
        found.retain(|object| !object.starts_with("operator family ") || wanted.contains(object));
        assert_eq!(found, wanted);
    }
}

/// In one migration: each is written, and works there and back.
#[tokio::test]
async fn each_becomes_a_migration_that_can_be_undone() {
    let (database, folder, _) = changed(KINDS).await;
    let dir = folder.path();
    let arguments = ["new", "by hand", "--from-drift", "--json", "--dir", dir];
    let output = run(&database, &arguments).await;
    let document = output.json();
    let script = folder.read("V2__by_hand.sql");
    let undo = folder.read("V2__by_hand.down.sql");
    assert_eq!(document["problems"].to_string(), "[]", "{script}\n-- Undo:\n{undo}");
    output.exits(0);
    run(&database, &["drift", "--to", "2", "--dir", dir]).await.exits(0);
}

#[tokio::test]
async fn each_is_in_a_dump() {
    let (database, folder, _) = changed(KINDS).await;
    let dump = run(&database, &["dump", "--live", "--grants", "--output", "-"]).await.exits(0);
    drop(folder);
    let folder = Folder::new(&[("V1__dump.sql", &dump.stdout)]);
    let output = run(&database, &["drift", "--to", "1", "--dir", folder.path()]).await;
    assert!(output.has_exited_with(0), "{output:#?}\n{}", dump.stdout);
}

#[tokio::test]
async fn what_cannot_be_written_is_named_in_the_file_on_the_terminal_and_in_the_exit_code() {
    let (database, folder, rows) = changed(NOT_WRITTEN).await;
    let dir = folder.path();
    let output =
        run(&database, &["new", "x", "--from-drift", "--json", "--dir", dir]).await.exits(1);
    let mut output = output.says("warning: tried and failed");
    let document = output.json();
    let files = [folder.read("V2__x.sql"), folder.read("V2__x.down.sql")];
    for (_, object) in rows {
        let todo = format!("make this by hand, if it is needed: {object}");
        assert!(document["todos"].to_string().contains(&todo), "{object}: {document:#}");
        assert!(files[0].contains(&format!("TODO: {todo}")), "{object}: {}", files[0]);
        let undo = format!("TODO: undo this by hand, if it has to go: {object}");
        assert!(files[1].contains(&undo), "{object}: {}", files[1]);
        output = output.says(&format!("warning: TODO: {todo}"));
    }
    let dump = run(&database, &["dump", "--live", "--output", "-"]).await.exits(0);
    let dump = dump.says("warning: not in the script: ");
    assert!(dump.stdout.contains("-- Not in this script: language other.\n"), "{}", dump.stdout);
}

#[tokio::test]
async fn what_is_not_compared_is_named() {
    let (database, folder) =
        applied("create table t (id integer); create view v as select 1 as a").await;
    let role = database.role("reader").await;
    let reader = role.quoted();
    let by_hand = format!(
        "grant select on t to {reader}; grant update (id) on t to {reader};
         alter default privileges in schema public grant select on tables to {reader};
         select lo_create(1)"
    );
    execute(&database, &by_hand).await;
    let arguments = ["drift", "--dir", folder.path()];
    run(&database, &arguments)
        .await
        .exits(0)
        .says("privileges of roles (`--grants` does) on default acl ")
        .says(", table t, column t.id")
        .says("1 large objects");
    let text = run(&database, &[&arguments[..], &["--grants"]].concat()).await.exits(1).stdout;
    for object in ["default acl for role", "~ table t\n", "~ column id\n"] {
        assert!(text.contains(object), "{object}: {text}");
    }
    // They are lost with an object that is recreated.
    execute(&database, &format!("grant select on v to {reader}")).await;
    execute(&database, "create or replace view v as select 1 as a, 2 as b").await;
    let arguments = ["new", "x", "--from-drift", "--dir", folder.path()];
    run(&database, &arguments)
        .await
        .exits(0)
        .says("view v is recreated, and the privileges of roles");
}

#[tokio::test]
async fn a_subscription_is_named() {
    let (database, folder) = applied("create table t (id integer)").await;
    let create = "create subscription s connection 'dbname=x password=hunter2' publication p with (connect = false)";
    execute(&database, create).await;
    let output = run(&database, &["drift", "--dir", folder.path()]).await;
    execute(&database, "alter subscription s set (slot_name = none)").await;
    execute(&database, "drop subscription s").await;
    assert_eq!(output.exits(1).stdout, "+ subscription s\n");
}

#[tokio::test]
async fn a_tablespace_is_a_difference() {
    if server_version().await < 15 {
        return;
    }
    let (database, folder) =
        applied("create table t (a integer primary key); create index i on t (a); create materialized view m as select 1").await;
    let name = format!("space_of_{}", database.name());
    let client = database.client().await;
    client.batch_execute("set allow_in_place_tablespaces = on").await.expect("a setting");
    let create = format!("create tablespace {name} location ''");
    client.batch_execute(&create).await.expect("a tablespace");
    execute(
        &database,
        &format!(
            "alter table t set tablespace {name}; alter index t_pkey set tablespace {name};
             alter index i set tablespace {name}; alter materialized view m set tablespace {name}"
        ),
    )
    .await;
    let dir = folder.path();
    let found = objects(&run(&database, &["drift", "--json", "--dir", dir]).await.exits(1).json());
    let written = run(&database, &["new", "x", "--from-drift", "--dir", dir]).await;
    execute(&database, "drop table t").await;
    execute(&database, "drop materialized view m").await;
    execute(&database, &format!("drop tablespace {name}")).await;
    assert_eq!(found, ["table t", "constraint t_pkey on t", "index i on t", "materialized view m"]);
    written.exits(0);
}
