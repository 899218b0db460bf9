//! `migrator down`

use tests::TestDatabase;

use crate::support::catalog::{objects, objects_without_history, tables, versions};
use crate::support::folder::Folder;
use crate::support::program::run;

#[tokio::test]
async fn one_step_is_the_default() {
    let database = TestDatabase::create().await;
    let folder = Folder::with_three_migrations();
    run(&database, &["up", "--dir", folder.path()]).await.exits(0);
    run(&database, &["down", "--yes", "--dir", folder.path()])
        .await
        .exits(0)
        .says("Undoing V3__three ... done")
        .says("1 migration undone");
    assert_eq!(versions(&database).await, [1, 2]);
    assert_eq!(tables(&database).await, ["one", "refinery_schema_history", "two"]);
}

#[tokio::test]
async fn steps_sets_the_number_of_undone_migrations() {
    let database = TestDatabase::create().await;
    let folder = Folder::with_three_migrations();
    run(&database, &["up", "--dir", folder.path()]).await.exits(0);
    run(&database, &["down", "--steps", "2", "-y", "--dir", folder.path()]).await.exits(0);
    assert_eq!(versions(&database).await, [1]);
}

#[tokio::test]
async fn down_to_a_version_keeps_that_version() {
    let database = TestDatabase::create().await;
    let folder = Folder::with_three_migrations();
    run(&database, &["up", "--dir", folder.path()]).await.exits(0);
    run(&database, &["down", "--to", "1", "--yes", "--dir", folder.path()]).await.exits(0);
    assert_eq!(versions(&database).await, [1]);
}

#[tokio::test]
async fn down_to_zero_removes_everything() {
    let database = TestDatabase::create().await;
    run(&database, &["up"]).await.exits(0);
    run(&database, &["down", "--to", "0", "--yes"]).await.exits(0);
    assert_eq!(objects_without_history(&database).await, [""; 0]);
    assert_eq!(versions(&database).await, [0; 0]);
}

#[tokio::test]
async fn up_after_down_leaves_no_trace() {
    let database = TestDatabase::create().await;
    run(&database, &["up"]).await.exits(0);
    let before = objects(&database).await;
    run(&database, &["down", "--to", "0", "--yes"]).await.exits(0);
    run(&database, &["up"]).await.exits(0);
    assert_eq!(objects(&database).await, before);
}

#[tokio::test]
async fn every_step_down_restores_the_schema_before_the_step_up() {
    let database = TestDatabase::create().await;
    let mut steps = Vec::new();
    for version in ["1", "2", "3", "4", "5"] {
        run(&database, &["up", "--to", version]).await.exits(0);
        steps.push(objects(&database).await);
    }
    run(&database, &["down", "--to", "4", "--yes"]).await.exits(0);
    assert_eq!(objects(&database).await, steps[3]);
    run(&database, &["down", "--to", "3", "--yes"]).await.exits(0);
    assert_eq!(objects(&database).await, steps[2]);
    run(&database, &["down", "--to", "2", "--yes"]).await.exits(0);
    assert_eq!(objects(&database).await, steps[1]);
    run(&database, &["down", "--to", "1", "--yes"]).await.exits(0);
    assert_eq!(objects(&database).await, steps[0]);
    run(&database, &["up"]).await.exits(0);
    assert_eq!(objects(&database).await, steps[4]);
    assert_eq!(versions(&database).await, [1, 2, 3, 4, 5]);
}

#[tokio::test]
async fn undoing_the_keys_loses_the_keys_and_nothing_else() {
    let database = TestDatabase::create().await;
    run(&database, &["up"]).await.exits(0);
    let client = database.client().await;
    let fill = "insert into users values ('u1', 'a@b');
        insert into tasks (user_id, title) values ('u1', 'x');
        insert into idempotency_keys
          select user_id, 'k', sha256('x'), id, created_at from tasks;";
    client.batch_execute(fill).await.expect("a task with a key");
    run(&database, &["down", "--to", "2", "--yes"])
        .await
        .exits(0)
        .says("Undoing V3__idempotency_keys ... done");
    assert_eq!(tables(&database).await, ["refinery_schema_history", "tasks", "users"]);
    run(&database, &["up"]).await.exits(0);
    let count = "select (select count(*) from users), (select count(*) from tasks),
                        (select count(*) from idempotency_keys)";
    let row = client.query_one(count, &[]).await.expect("count");
    assert_eq!([row.get::<_, i64>(0), row.get(1), row.get(2)], [1, 1, 0]);
}

#[tokio::test]
async fn with_nothing_applied_there_is_nothing_to_do() {
    let database = TestDatabase::create().await;
    run(&database, &["down", "--yes"]).await.exits(0).says("Nothing to do");
    assert_eq!(objects(&database).await, [""; 0]);
}

#[tokio::test]
async fn without_a_terminal_and_without_yes_nothing_is_undone() {
    let database = TestDatabase::create().await;
    run(&database, &["up"]).await.exits(0);
    let before = objects(&database).await;
    run(&database, &["down"]).await.exits(2).says("hint: add `--yes`");
    assert_eq!(objects(&database).await, before);
    assert_eq!(versions(&database).await, [1, 2, 3, 4, 5]);
}

#[tokio::test]
async fn a_version_that_is_not_applied_is_no_target() {
    let database = TestDatabase::create().await;
    run(&database, &["up"]).await.exits(0);
    run(&database, &["down", "--to", "7", "--yes"]).await.exits(2).says("version 7 is not applied");
    assert_eq!(versions(&database).await, [1, 2, 3, 4, 5]);
}

#[tokio::test]
async fn a_missing_undo_script_is_reported_before_anything_is_undone() {
    let database = TestDatabase::create().await;
    let folder = Folder::with_three_migrations();
    folder.remove("V1__one.down.sql");
    run(&database, &["up", "--dir", folder.path()]).await.exits(0);
    run(&database, &["down", "--to", "0", "--yes", "--dir", folder.path()])
        .await
        .exits(2)
        .says("cannot undo without an undo script: V1__one");
    assert_eq!(versions(&database).await, [1, 2, 3]);
}

#[tokio::test]
async fn a_failing_undo_script_changes_nothing_of_its_migration() {
    let database = TestDatabase::create().await;
    let folder = Folder::with_three_migrations();
    folder.write("V2__two.down.sql", "drop table two;\ndrop table nowhere;");
    run(&database, &["up", "--dir", folder.path()]).await.exits(0);
    run(&database, &["down", "--to", "0", "--yes", "--dir", folder.path()])
        .await
        .exits(5)
        .says("failed to undo V2__two.down.sql: line 2, column 1")
        .says("the database is at V2; the undoing of V2 was rolled back; V1 was not started");
    assert_eq!(versions(&database).await, [1, 2]);
    assert_eq!(tables(&database).await, ["one", "refinery_schema_history", "two"]);
}
