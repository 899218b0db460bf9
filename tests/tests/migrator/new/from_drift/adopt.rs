//! Adopting the new migration where the change was made by hand: `migrator baseline` with a history.

use super::{base, changed_by_hand, write};
use crate::support::catalog::{objects, versions};
use crate::support::program::run;

const BY_HAND: &str = "alter table items add due timestamptz; create index on items (due);";

#[tokio::test]
async fn a_manual_change_is_recorded_and_not_run() {
    let folder = base();
    let database = changed_by_hand(&folder, BY_HAND).await;
    write(&database, &folder).await;
    let dir = folder.path();
    let before = objects(&database).await;

    let plan = run(&database, &["baseline", "2", "--dry-run", "--dir", dir]).await.exits(0);
    assert_eq!(plan.stdout, "V2__by_hand\n");
    assert_eq!(versions(&database).await, [1]);

    run(&database, &["baseline", "2", "--yes", "--dir", dir])
        .await
        .exits(0)
        .says("V2__by_hand adopted; nothing was run");
    assert_eq!(versions(&database).await, [1, 2]);
    assert_eq!(objects(&database).await, before);
    run(&database, &["status", "--check", "--dir", dir]).await.exits(0);
    run(&database, &["drift", "--dir", dir]).await.exits(0);
    run(&database, &["down", "--yes", "--dir", dir]).await.exits(0);
    run(&database, &["drift", "--dir", dir]).await.exits(0);
}

#[tokio::test]
async fn a_database_where_it_was_not_done_is_refused() {
    let folder = base();
    let database = changed_by_hand(&folder, BY_HAND).await;
    write(&database, &folder).await;
    let other = changed_by_hand(&base(), "alter table items add due date;").await;
    for (label, database) in [("at all", &other), ("entirely", &database)] {
        let more = "create table more ()";
        database.client().await.batch_execute(more).await.expect("create a table");
        run(database, &["baseline", "2", "--yes", "--dir", folder.path()])
            .await
            .exits(2)
            .says("the schema is not what V2__by_hand leaves")
            .says("only the database has table more")
            .says("nothing was written");
        assert_eq!(versions(database).await, [1], "{label}");
    }
    run(&other, &["baseline", "2", "--yes", "--dir", folder.path()])
        .await
        .exits(2)
        .says("column items.due has another type")
        .says("only the migrations make index items_due_idx on items");
}

#[tokio::test]
async fn what_is_applied_already_cannot_be_adopted() {
    let folder = base();
    let database = changed_by_hand(&folder, "").await;
    run(&database, &["baseline", "1", "--yes", "--dir", folder.path()])
        .await
        .exits(2)
        .says("the database has a history already: it is at V1__base");
}
