//! `migrator drift --script`: written, run, and compared again.

mod choices;
mod kept;
mod names;
mod output;
mod predecessor;
mod round_trip;
mod rows;
mod types;

use serde_json::Value;
use tests::TestDatabase;

use super::execute;
use crate::support::catalog::objects;
use crate::support::folder::Folder;
use crate::support::program::run;

/// A folder with one migration, and a database without a history to which `live` was done.
async fn adopted(migration: &str, live: &str) -> (TestDatabase, Folder) {
    let folder = Folder::new(&[("V1__all.sql", migration)]);
    let database = TestDatabase::create().await;
    execute(&database, live).await;
    (database, folder)
}

/// The document of a script, which has changed nothing in the database.
async fn script(database: &TestDatabase, folder: &Folder, more: &[&str]) -> Value {
    let before = objects(database).await;
    let mut arguments = vec!["drift", "--script", "--json", "--dir", folder.path()];
    arguments.extend(more);
    let output = run(database, &arguments).await;
    let document = output.json();
    let code = i32::from(document["complete"] != true);
    let _ = output.exits(code);
    assert_eq!(objects(database).await, before, "{document:#}");
    document
}

/// Runs a script.
async fn perform(database: &TestDatabase, document: &Value) {
    let sql = document["sql"].as_str().expect("a script");
    let done = database.client().await.batch_execute(sql).await;
    done.unwrap_or_else(|error| panic!("{error:?}\n{sql}"));
}

/// The objects that differ from the migrations.
async fn differing(database: &TestDatabase, folder: &Folder) -> Vec<String> {
    let arguments = ["drift", "--to", "1", "--json", "--dir", folder.path()];
    let document = run(database, &arguments).await.json();
    strings(document["differences"].as_array().expect("differences"), "object")
}

fn strings(list: &[Value], member: &str) -> Vec<String> {
    list.iter().map(|item| item[member].as_str().expect("a text").to_owned()).collect()
}

/// A single value of a query, as text.
async fn value(database: &TestDatabase, query: &str) -> Option<String> {
    let query = format!("select ({query})::text");
    database.client().await.query_one(&query, &[]).await.expect(&query).get(0)
}
