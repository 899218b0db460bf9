//! Migrations whose main schema is one that they create themselves: all commands with a shadow database
//! work with them.

use tests::TestDatabase;

use crate::support::folder::Folder;
use crate::support::program::run_with;

/// Runs everything that uses a shadow database.
async fn round(database: &TestDatabase, url: &str, folder: &Folder, by_hand: &str) {
    let dir = folder.path();
    let run = async |arguments: &[&str], code| {
        let variables = [("DATABASE_URL", url)];
        let output = run_with(&variables, &[arguments, &["--dir", dir]].concat()).await;
        assert!(output.has_exited_with(code), "{arguments:?}: {output:#?}");
        output
    };
    let allow = ["--allow", "pending", "--allow", "lint"];
    run(&[&["check"], &allow[..]].concat(), 0).await;
    run(&["dump", "--output", "-"], 0).await;
    run(&["up"], 0).await;
    run(&["check"], 0).await;
    run(&["drift"], 0).await;
    let dump = run(&["dump", "--output", "-"], 0).await;
    assert!(dump.stdout.contains("create table t ("), "{dump:#?}");
    database.client().await.batch_execute(by_hand).await.expect(by_hand);
    run(&["drift"], 1).await;
    run(&["new", "by_hand", "--from-drift"], 0).await.says("Tried in a shadow database");
    run(&["baseline", "2", "--yes"], 0).await;
    run(&["drift"], 0).await;
    run(&["check"], 0).await;
}

fn folder(create: &str, schema: &str) -> Folder {
    Folder::new(&[
        ("V1__app.sql", &format!("{create}; create table t (a bigint);")),
        ("V1__app.down.sql", &format!("drop schema {schema} cascade;")),
    ])
}

#[tokio::test]
async fn a_schema_of_the_search_path_in_the_address() {
    for create in [
        "create schema app",
        "create schema if not exists app",
        "do $$ begin execute 'create schema app'; end $$",
    ] {
        let database = TestDatabase::create().await;
        let url = database.url().to_connection_string();
        let url = format!("{url}&options=-c%20search_path%3Dapp,public");
        round(&database, &url, &folder(create, "app"), "alter table app.t add by_hand int").await;
    }
}

#[tokio::test]
async fn a_schema_of_the_databases_search_path() {
    let database = TestDatabase::create().await;
    let name = database.name();
    let client = database.client().await;
    let set = format!("alter database {name} set search_path = \"The App\", public");
    client.batch_execute(&set).await.expect("set the path");
    let url = database.url().to_connection_string();
    let folder = folder("create schema \"The App\"", "\"The App\"");
    round(&database, &url, &folder, "alter table \"The App\".t add by_hand int").await;
}

#[tokio::test]
async fn a_schema_that_is_named_like_the_role() {
    for create in ["create schema ROLE", "create schema authorization current_user"] {
        let database = TestDatabase::create().await;
        let role = database.role("owner").await;
        let name = role.quoted();
        let grant = format!(
            "alter role {name} createdb; grant all on database {} to {name}; grant all on schema public to {name}",
            database.name()
        );
        database.client().await.batch_execute(&grant).await.expect("grant");
        let url = database.url_as(&role).to_connection_string();
        let folder = folder(&create.replace("ROLE", &name), &name);
        let by_hand = format!("set role {name}; alter table {name}.t add by_hand int");
        round(&database, &url, &folder, &by_hand).await;
    }
}

#[tokio::test]
async fn a_schema_that_is_alone_in_the_search_path() {
    let database = TestDatabase::create().await;
    let url = database.url().to_connection_string();
    let url = format!("{url}&options=-c%20search_path%3Dapp");
    let folder = folder("create schema app", "app");
    let variables = [("DATABASE_URL", url.as_str())];
    let run = async |arguments: &[&str]| {
        run_with(&variables, &[arguments, &["--dir", folder.path()]].concat()).await
    };
    // Before it is there, and after.
    run(&["check", "--allow", "pending"]).await.exits(0);
    run(&["dump", "--output", "-"]).await.exits(0);
    let sql = "create schema app; create table app.t (a bigint)";
    database.client().await.batch_execute(sql).await.expect(sql);
    run(&["check", "--allow", "pending"]).await.exits(0);
    run(&["drift", "--to", "1"]).await.exits(0);
    run(&["dump", "--output", "-"]).await.exits(0);
}

#[tokio::test]
async fn a_schema_that_was_there_before_stays_the_main_one() {
    let database = TestDatabase::create().await;
    let url = database.url().to_connection_string();
    let url = format!("{url}&options=-c%20search_path%3Dapp");
    database.client().await.batch_execute("create schema app").await.expect("create a schema");
    let folder = Folder::new(&[
        ("V1__one.sql", "create table one (a bigint);"),
        ("V2__two.sql", "create schema if not exists app; create table two (a bigint);"),
    ]);
    let variables = [("DATABASE_URL", url.as_str())];
    run_with(&variables, &["up", "--dir", folder.path()]).await.exits(0);
    run_with(&variables, &["drift", "--dir", folder.path()]).await.exits(0);
}
