//! Generated scripts that do not work: PostgreSQL alters no column of a partition key, so that an
//! enumerated type there cannot be recreated.

use super::{changed_by_hand, write_and_fail};
use crate::support::folder::Folder;
use crate::support::program::run;

const BASE: &str =
    "create type kind as enum ('a', 'b'); create table parts (k kind) partition by list (k);";

const FEWER_LABELS: &str = "drop table parts; drop type kind; create type kind as enum ('a');
                            create table parts (k kind) partition by list (k);";

fn base() -> Folder {
    Folder::new(&[("V1__base.sql", BASE), ("V1__base.down.sql", "select 1;")])
}

#[tokio::test]
async fn a_script_that_fails_is_the_exit_code() {
    let folder = base();
    let database = changed_by_hand(&folder, FEWER_LABELS).await;
    let document = write_and_fail(&database, &folder).await;
    let problems = document["problems"].to_string();
    assert!(
        problems.contains("tried and failed: failed to apply V2__by_hand.sql: line "),
        "{problems}"
    );
    assert!(problems.contains("cannot alter column"), "{problems}");
    assert_eq!(
        folder.names(),
        ["V1__base.down.sql", "V1__base.sql", "V2__by_hand.down.sql", "V2__by_hand.sql"]
    );
}

#[tokio::test]
async fn an_undo_script_that_fails_is_the_exit_code() {
    let folder = base();
    let database = changed_by_hand(&folder, "alter type kind add value 'c'").await;
    let arguments = ["new", "by hand", "--from-drift", "--dir", folder.path()];
    let output = run(&database, &arguments).await.exits(1).says(
        "warning: tried and failed: the script that undoes it fails: failed to undo V2__by_hand.down.sql: line ",
    );
    assert!(!output.stderr.contains("Tried in a shadow database"), "{}", output.stderr);
    assert_eq!(folder.names().len(), 4);
}
