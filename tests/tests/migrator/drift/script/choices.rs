//! Versions, histories and options.

use tests::TestDatabase;

use super::{execute, perform, script};
use crate::support::folder::Folder;
use crate::support::program::run;

#[tokio::test]
async fn it_leads_to_the_newest_applied_and_without_a_history_to_the_newest() {
    let folder = Folder::with_three_migrations();
    let database = TestDatabase::create().await;
    assert_eq!(script(&database, &folder, &[]).await["leads_to"], 3);
    assert_eq!(script(&database, &folder, &["--to", "1"]).await["leads_to"], 1);
    run(&database, &["up", "--to", "2", "--dir", folder.path()]).await.exits(0);
    execute(&database, "drop table one; create table own (id int)").await;
    let document = script(&database, &folder, &[]).await;
    assert_eq!(document["leads_to"], 2);
    perform(&database, &document).await;
    let output = run(&database, &["drift", "--ignore", "own", "--dir", folder.path()]).await;
    let _ = output.exits(0);
}

#[tokio::test]
async fn an_adopted_database_goes_on_from_there() {
    let folder = Folder::with_three_migrations();
    for version in ["2", "3"] {
        let database = TestDatabase::create().await;
        execute(&database, "create table one (id int, own text not null)").await;
        let document = script(&database, &folder, &["--to", version]).await;
        perform(&database, &document).await;
        run(&database, &["baseline", version, "--yes", "--dir", folder.path()]).await.exits(0);
        run(&database, &["up", "--dir", folder.path()]).await.exits(0);
        let output = run(&database, &["drift", "--json", "--dir", folder.path()]).await.exits(1);
        assert_eq!(output.json()["differences"].as_array().map(Vec::len), Some(1));
    }
}

#[tokio::test]
async fn what_is_ignored_is_left_as_it_is() {
    let folder = Folder::new(&[(
        "V1__all.sql",
        "create table t (a int, b text not null); create table u (id int)",
    )]);
    let database = TestDatabase::create().await;
    execute(&database, "create table t (a text, b text)").await;
    let document = script(&database, &folder, &["--ignore", "t.a", "--ignore", "u"]).await;
    let sql = document["sql"].as_str().expect("a script");
    assert!(sql.contains("alter column b set not null"), "{sql}");
    assert!(!sql.contains("column a") && !sql.contains("create table u"), "{sql}");
}

#[tokio::test]
async fn options_of_the_script_need_it() {
    let database = TestDatabase::create().await;
    for arguments in [
        &["drift", "--drop-extra"][..],
        &["drift", "--assume-timezone", "UTC"],
        &["drift", "--output", "x.sql"],
        &["drift", "--script", "--grants"],
    ] {
        run(&database, arguments).await.exits(2);
    }
}

#[tokio::test]
async fn a_statement_that_fails_in_the_copy_is_an_error_and_no_script() {
    let folder = Folder::new(&[("V1__all.sql", "create table t (id int)")]);
    let database = TestDatabase::create().await;
    execute(&database, "create view t as select 1 as id").await;
    let arguments = ["drift", "--script", "--dir", folder.path()];
    let output = run(&database, &arguments).await.exits(2);
    assert_eq!(output.stdout, "");
    let _ = output
        .says("a statement of the script fails in a copy of the schema")
        .says("create table t");
}
