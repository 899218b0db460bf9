//! Cases in which nothing is written.

use tests::TestDatabase;

use super::{base, changed_by_hand};
use crate::support::folder::Folder;
use crate::support::program::{run, run_with};

#[tokio::test]
async fn no_drift_is_nothing_to_write() {
    let folder = base();
    let database = changed_by_hand(&folder, "").await;
    let arguments = ["new", "x", "--from-drift", "--dir", folder.path()];
    let output = run(&database, &arguments).await.exits(0).says("No drift: nothing to write");
    assert_eq!(output.stdout, "");
    assert_eq!(folder.names(), ["V1__base.down.sql", "V1__base.sql"]);
    let document = run(&database, &[&arguments[..], &["--json"]].concat()).await.exits(0).json();
    assert_eq!(document["files"], serde_json::json!([]));
    assert!(document["version"].is_null());
}

#[tokio::test]
async fn pending_migrations_come_first() {
    let folder = base();
    let database = changed_by_hand(&folder, "create table by_hand ()").await;
    folder.write("V2__later.sql", "create table later ();");
    run(&database, &["new", "x", "--from-drift", "--dir", folder.path()])
        .await
        .exits(2)
        .says("not every migration is applied: V2__later pending")
        .says("nothing was written")
        .says("hint: apply them first: `migrator up`");
    assert_eq!(folder.names(), ["V1__base.down.sql", "V1__base.sql", "V2__later.sql"]);
}

#[tokio::test]
async fn a_history_that_has_diverged_comes_first() {
    let folder = base();
    let database = changed_by_hand(&folder, "create table by_hand ()").await;
    folder.write("V1__base.sql", "create table other ();");
    run(&database, &["new", "x", "--from-drift", "--dir", folder.path()])
        .await
        .exits(4)
        .says("V1__base was edited after it was applied");
    assert_eq!(folder.names(), ["V1__base.down.sql", "V1__base.sql"]);
}

#[tokio::test]
async fn a_folder_is_needed() {
    let database = TestDatabase::create().await;
    run(&database, &["new", "x", "--from-drift"]).await.exits(2).says("cannot read `migrations`");
}

#[tokio::test]
async fn an_empty_folder_is_enough() {
    let folder = Folder::new(&[]);
    let database = TestDatabase::create().await;
    let table = database.client().await.batch_execute("create table t (id bigint)").await;
    table.expect("create a table");
    run(&database, &["new", "x", "--from-drift", "--dir", folder.path()]).await.exits(0);
    assert!(folder.read("V1__x.sql").contains("create table t (\n  id bigint\n);"));
}

#[tokio::test]
async fn a_shadow_database_can_be_elsewhere() {
    let folder = base();
    let database = changed_by_hand(&folder, "create table by_hand ()").await;
    let (url, other) = (database.url().to_connection_string(), TestDatabase::create().await);
    let shadow = other.url().to_connection_string();
    let variables = [("DATABASE_URL", url.as_str()), ("MIGRATOR_SHADOW_URL", shadow.as_str())];
    run_with(&variables, &["new", "x", "--from-drift", "--dir", folder.path()]).await.exits(0);
    assert!(folder.read("V2__x.sql").contains("create table by_hand ();"));
}
