//! Versions that need 64 bits: the timestamps of 14 digits by which other tools number migrations.

use tests::TestDatabase;

use crate::support::catalog::tables;
use crate::support::folder::Folder;
use crate::support::program::{run, run_in};

const FIRST: i64 = 20_240_131_123_456;

fn folder() -> Folder {
    Folder::new(&[
        ("V1__one.sql", "create table one ();"),
        ("V1__one.down.sql", "drop table one;"),
        ("V20240131123456__two.sql", "create table two ();"),
        ("V20240131123456__two.down.sql", "drop table two;"),
        (
            "V20240131123500__three.sql",
            "-- migrator: no-transaction\ncreate table three (a int);\ncreate index concurrently on_a on three (a);",
        ),
        ("V20240131123500__three.down.sql", "drop table three;"),
    ])
}

/// The versions in the history, and the type of their column.
async fn history(database: &TestDatabase) -> (Vec<i64>, String) {
    let client = database.client().await;
    let query = "select version::int8 from refinery_schema_history order by 1";
    let rows = client.query(query, &[]).await.expect("read the history");
    let query = "select format_type(atttypid, atttypmod) from pg_attribute
                  where attrelid = 'refinery_schema_history'::regclass and attname = 'version'";
    let row = client.query_one(query, &[]).await.expect("read the catalog");
    (rows.iter().map(|row| row.get(0)).collect(), row.get(0))
}

#[tokio::test]
async fn timestamps_are_versions() {
    let database = TestDatabase::create().await;
    let folder = folder();
    let with_dir = |arguments: &[&str]| -> Vec<String> {
        arguments.iter().chain(&["--dir", folder.path()]).map(ToString::to_string).collect()
    };
    let run = async |arguments: &[&str]| {
        let arguments = with_dir(arguments);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        run(&database, &arguments).await
    };
    // Nothing that refinery and older migrators cannot read, until a version needs it.
    run(&["up", "--to", "1"]).await.exits(0);
    assert_eq!(history(&database).await, (vec![1], "integer".to_owned()));
    run(&["up"]).await.exits(0).says("the database is at V20240131123500__three");
    let all = vec![1, FIRST, 20_240_131_123_500];
    assert_eq!(history(&database).await, (all, "bigint".to_owned()));
    run(&["status", "--check"]).await.exits(0);
    run(&["check", "--allow", "lint"]).await.exits(0);
    run(&["drift"]).await.exits(0);
    let document = run(&["status", "--json"]).await.exits(0).json();
    assert_eq!(document["migrations"][1]["version"], FIRST);
    run(&["down", "--to", &FIRST.to_string(), "--yes"]).await.exits(0);
    assert_eq!(history(&database).await.0, [1, FIRST]);
    run(&["down", "--to", "0", "--yes"]).await.exits(0);
    run(&["up"]).await.exits(0);
    assert_eq!(history(&database).await.0.len(), 3);
}

#[tokio::test]
async fn an_incomplete_migration_may_have_such_a_version() {
    let database = TestDatabase::create().await;
    let script = "-- migrator: no-transaction\ncreate table two ();\nselect 1 / 0;";
    let folder = Folder::new(&[("V20240131123456__two.sql", script)]);
    run(&database, &["up", "--dir", folder.path()]).await.exits(6);
    let document = run(&database, &["status", "--json", "--dir", folder.path()]).await.json();
    assert_eq!(document["migrations"][0]["version"], FIRST);
    assert_eq!(document["migrations"][0]["state"], "incomplete");
    folder.write("V20240131123456__two.sql", &script.replace("1 / 0", "1"));
    run(&database, &["repair", "--dir", folder.path()]).await.exits(0);
    run(&database, &["up", "--dir", folder.path()]).await.exits(0);
    assert_eq!(history(&database).await, (vec![FIRST], "bigint".to_owned()));
}

#[tokio::test]
async fn a_script_to_run_by_hand_writes_them_too() {
    let database = TestDatabase::create().await;
    let folder = folder();
    run(&database, &["up", "--to", "1", "--dir", folder.path()]).await.exits(0);
    let to = FIRST.to_string();
    let script = ["sql", "--from", "1", "--to", &to, "--dir", folder.path()];
    let script = run(&database, &script).await.exits(0).stdout;
    database.client().await.batch_execute(&script).await.expect("run the script");
    assert_eq!(history(&database).await, (vec![1, FIRST], "bigint".to_owned()));
    run(&database, &["up", "--dir", folder.path()]).await.exits(0).says("1 migration applied");
}

#[tokio::test]
async fn a_schema_can_be_adopted_at_such_a_version() {
    let database = TestDatabase::create().await;
    let folder = folder();
    let create = "create table one (); create table two ();";
    database.client().await.batch_execute(create).await.expect("create the tables");
    let version = FIRST.to_string();
    run(&database, &["baseline", &version, "--yes", "--dir", folder.path()]).await.exits(0);
    assert_eq!(history(&database).await, (vec![1, FIRST], "bigint".to_owned()));
    assert_eq!(tables(&database).await, ["one", "refinery_schema_history", "two"]);
}

#[tokio::test]
async fn a_new_migration_follows_the_newest_in_its_style() {
    let folder = folder();
    run_in(folder.path().as_ref(), &[], &["new", "four", "--dir", folder.path()]).await.exits(0);
    let names = folder.names();
    let name = names.iter().find(|name| name.ends_with("__four.sql")).expect("a new file");
    let version = name.strip_prefix('V').and_then(|rest| rest.split_once("__")).expect("a name").0;
    assert_eq!(version.len(), 14, "{name}");
    assert!(version > "20250101000000", "{name}");

    let counted = Folder::with_three_migrations();
    run_in(counted.path().as_ref(), &[], &["new", "four", "--dir", counted.path()]).await.exits(0);
    assert!(counted.names().contains(&"V4__four.sql".to_owned()), "{:?}", counted.names());
}
