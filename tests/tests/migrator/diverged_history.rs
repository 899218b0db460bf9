//! Histories that do not match the files.

use tests::TestDatabase;

use crate::support::catalog::versions;
use crate::support::folder::Folder;
use crate::support::program::run;

/// A database with all three migrations applied.
async fn with_three_applied() -> (TestDatabase, Folder) {
    let database = TestDatabase::create().await;
    let folder = Folder::with_three_migrations();
    run(&database, &["up", "--dir", folder.path()]).await.exits(0);
    (database, folder)
}

#[tokio::test]
async fn an_edited_migration_stops_everything() {
    let (database, folder) = with_three_applied().await;
    folder.write("V2__two.sql", "create table two (id bigint);");
    folder.write("V4__four.sql", "create table four ();");
    run(&database, &["up", "--dir", folder.path()])
        .await
        .exits(4)
        .says("V2__two was edited after it was applied")
        .says("nothing was run");
    assert_eq!(versions(&database).await, [1, 2, 3]);
}

#[tokio::test]
async fn other_line_endings_are_named_as_such() {
    let text = "create table one (\n  id int\n);\n";
    for (applied, now, endings, attribute) in [
        (text.to_owned(), text.replace('\n', "\r\n"), "LF", "`*.sql text eol=lf`"),
        (text.replace('\n', "\r\n"), text.to_owned(), "CRLF", "`*.sql text eol=crlf`"),
        (text.to_owned(), text.replacen('\n', "\r\n", 1), "LF", "`*.sql text eol=lf`"),
    ] {
        let database = TestDatabase::create().await;
        let folder = Folder::new(&[("V1__one.sql", &applied)]);
        run(&database, &["up", "--dir", folder.path()]).await.exits(0);
        folder.write("V1__one.sql", &now);
        let message =
            format!("V1__one was applied with {endings} line endings, and the file has others");
        run(&database, &["up", "--dir", folder.path()])
            .await
            .exits(4)
            .says(&message)
            .says(attribute)
            .says("`.gitattributes`");
        let found = run(&database, &["check", "--dir", folder.path()]).await.exits(10).stdout;
        assert!(found.contains(&message), "{found}");
        let status = run(&database, &["status", "--dir", folder.path()]).await.stdout;
        assert!(status.contains(&message), "{status}");
    }
}

#[tokio::test]
async fn a_changed_text_with_other_line_endings_was_edited() {
    let (database, folder) = with_three_applied().await;
    folder.write("V2__two.sql", "create table two (\r\n  id bigint);");
    run(&database, &["up", "--dir", folder.path()]).await.exits(4).says("V2__two was edited");
}

#[tokio::test]
async fn a_renamed_migration_counts_as_edited() {
    let (database, folder) = with_three_applied().await;
    folder.write("V2__deux.sql", &folder.read("V2__two.sql"));
    folder.remove("V2__two.sql");
    folder.remove("V2__two.down.sql");
    run(&database, &["up", "--dir", folder.path()]).await.exits(4).says("V2__two was edited");
}

#[tokio::test]
async fn a_missing_migration_stops_everything() {
    let (database, folder) = with_three_applied().await;
    folder.remove("V3__three.sql");
    folder.remove("V3__three.down.sql");
    run(&database, &["up", "--dir", folder.path()])
        .await
        .exits(4)
        .says("V3__three is applied, but missing from the migrations");
}

#[tokio::test]
async fn a_late_migration_stops_everything() {
    let database = TestDatabase::create().await;
    let folder = Folder::new(&[("V1__one.sql", ""), ("V3__three.sql", "")]);
    run(&database, &["up", "--dir", folder.path()]).await.exits(0);
    folder.write("V2__two.sql", "");
    run(&database, &["up", "--dir", folder.path()])
        .await
        .exits(4)
        .says("V2__two is pending, but older than V3__three, which is applied");
    assert_eq!(versions(&database).await, [1, 3]);
}

#[tokio::test]
async fn every_difference_is_reported() {
    let (database, folder) = with_three_applied().await;
    folder.write("V1__one.sql", "-- edited");
    folder.remove("V2__two.sql");
    folder.remove("V2__two.down.sql");
    run(&database, &["up", "--dir", folder.path()])
        .await
        .exits(4)
        .says("have diverged: 2 problems")
        .says("V1__one was edited")
        .says("V2__two is applied, but missing");
}

#[tokio::test]
async fn status_shows_each_difference_and_check_says_so() {
    let (database, folder) = with_three_applied().await;
    folder.write("V2__two.sql", "-- edited");
    folder.remove("V3__three.sql");
    folder.remove("V3__three.down.sql");
    let arguments = ["status", "--check", "--dir", folder.path()];
    let output = run(&database, &arguments).await.exits(4);
    let states: Vec<&str> =
        output.stdout.lines().skip(1).filter_map(|line| line.split_whitespace().nth(2)).collect();
    assert_eq!(states, ["applied", "diverged", "missing"]);
}

#[tokio::test]
async fn status_without_check_only_reports() {
    let (database, folder) = with_three_applied().await;
    folder.write("V2__two.sql", "-- edited");
    run(&database, &["status", "--dir", folder.path()]).await.exits(0);
}

#[tokio::test]
async fn an_edited_migration_is_not_undone() {
    let (database, folder) = with_three_applied().await;
    folder.write("V3__three.sql", "-- edited");
    run(&database, &["down", "--yes", "--dir", folder.path()]).await.exits(4);
    assert_eq!(versions(&database).await, [1, 2, 3]);
}

#[tokio::test]
async fn undoing_resolves_a_late_migration() {
    let database = TestDatabase::create().await;
    let folder = Folder::with_three_migrations();
    let two = folder.read("V2__two.sql");
    folder.remove("V2__two.sql");
    folder.remove("V2__two.down.sql");
    run(&database, &["up", "--dir", folder.path()]).await.exits(0);
    folder.write("V2__two.sql", &two);
    run(&database, &["down", "--yes", "--dir", folder.path()]).await.exits(0);
    run(&database, &["up", "--dir", folder.path()]).await.exits(0);
    assert_eq!(versions(&database).await, [1, 2, 3]);
}
