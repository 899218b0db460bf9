//! `migrator new NAME`: an empty pair of files.

use tests::TestDatabase;

use crate::support::folder::Folder;
use crate::support::program::{run, run_in, run_with};

#[tokio::test]
async fn the_first_pair_of_files_is_version_one() {
    let folder = Folder::new(&[]);
    run_with(&[], &["new", "Add due date", "--dir", folder.path()]).await.exits(0);
    assert_eq!(folder.names(), ["V1__add_due_date.down.sql", "V1__add_due_date.sql"]);
}

#[tokio::test]
async fn the_next_pair_of_files_has_the_next_version() {
    let folder = Folder::new(&[("V1__one.sql", ""), ("V7__seven.sql", "")]);
    let output = run_with(&[], &["new", "eight", "--dir", folder.path()]).await.exits(0);
    let path = folder.path();
    assert_eq!(output.stdout, format!("{path}/V8__eight.sql\n{path}/V8__eight.down.sql\n"));
}

#[tokio::test]
async fn files_go_to_the_folder_migrations_by_default() {
    let folder = Folder::new(&[]);
    let output = run_in(folder.path().as_ref(), &[], &["new", "one"]).await.exits(0);
    assert_eq!(output.stdout, "migrations/V1__one.sql\nmigrations/V1__one.down.sql\n");
    folder.read("migrations/V1__one.sql");
}

#[tokio::test]
async fn a_new_pair_is_a_valid_set() {
    let folder = Folder::new(&[]);
    run_with(&[], &["new", "one", "--dir", folder.path()]).await.exits(0);
    let database = TestDatabase::create().await;
    run(&database, &["up", "--dir", folder.path()]).await.exits(0);
    run(&database, &["down", "--yes", "--dir", folder.path()]).await.exits(0);
}

#[tokio::test]
async fn nothing_is_overwritten() {
    // Not counted as a migration, so that the next version is 1 and the name is taken.
    let folder = Folder::new(&[]);
    std::fs::create_dir(format!("{}/V1__one.down.sql", folder.path())).expect("create a folder");
    run_with(&[], &["new", "one", "--dir", folder.path()]).await.exits(0);
    assert_eq!(folder.names(), ["V1__one.down.sql", "V2__one.down.sql", "V2__one.sql"]);
}

#[tokio::test]
async fn a_name_cannot_leave_the_folder() {
    let folder = Folder::new(&[]);
    run_with(&[], &["new", "../../outside", "--dir", folder.path()]).await.exits(0);
    assert_eq!(folder.names(), ["V1__outside.down.sql", "V1__outside.sql"]);
}

#[tokio::test]
async fn a_name_without_letters_or_digits_is_a_usage_error() {
    let folder = Folder::new(&[]);
    run_with(&[], &["new", "!?", "--dir", folder.path()])
        .await
        .exits(2)
        .says("cannot name a migration `!?`");
    assert_eq!(folder.names(), [""; 0]);
}
