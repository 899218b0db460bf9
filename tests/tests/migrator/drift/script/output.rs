//! The script as text, messages and a file.

use insta::assert_snapshot;
use tests::TestDatabase;

use super::{adopted, execute};
use crate::support::program::{run, run_in};

const MIGRATION: &str = "create table t (id int primary key, v varchar(3) not null, at timestamptz, price numeric(8, 2))";

const LIVE: &str =
    "create table t (id int primary key, v text, at timestamp, price numeric, own text not null);
    insert into t values (1, 'long', null, 1.234, 'x'), (2, null, null, null, 'y')";

#[tokio::test]
async fn everything_is_listed_first() {
    let (database, folder) = adopted(MIGRATION, LIVE).await;
    let output = run(&database, &["drift", "--script", "--dir", folder.path()]).await.exits(1);
    assert_snapshot!(output.stdout, @"");
    assert_snapshot!(output.stderr, @"");
}

#[tokio::test]
async fn it_can_be_written_to_a_file() {
    let (database, folder) = adopted("create table t (id int)", "").await;
    let place = tempfile::TempDir::new().expect("create a folder");
    let url = database.url().to_connection_string();
    let variables = [("DATABASE_URL", url.as_str())];
    let arguments = ["drift", "--script", "--output", "adopt.sql", "--dir", folder.path()];
    let output = run_in(place.path(), &variables, &arguments).await.exits(0);
    assert_eq!(output.stdout, "");
    let sql = std::fs::read_to_string(place.path().join("adopt.sql")).expect("read the script");
    execute(&database, &sql).await;
    let arguments = ["drift", "--script", "--output", "no/such/folder.sql", "--dir", folder.path()];
    let _ = run_in(place.path(), &variables, &arguments).await.exits(2).says("cannot write");
}

#[tokio::test]
async fn a_database_without_drift_needs_none() {
    let database = TestDatabase::migrated().await;
    let output = run(&database, &["drift", "--script"]).await.exits(0);
    assert!(output.stdout.ends_with("-- There is nothing to change.\n"), "{output:#?}");
}
