//! `lint.allow`: accepting findings in files that must not change any more.

use super::found_in;
use crate::support::folder::Folder;
use crate::support::program::run_with;

const DROP: (&str, &str) = ("V1__x.sql", "drop table a;\ndrop table b;\ndrop view c;");
const UNDO: (&str, &str) = ("V1__x.down.sql", "drop index i;");

#[tokio::test]
async fn a_line_accepts_a_rule_in_a_file() {
    let folder = Folder::new(&[
        DROP,
        UNDO,
        ("lint.allow", "# Why.\n\nV1__x allow ban-drop-table because they are empty\n"),
    ]);
    let expected =
        ["V1__x.sql ban-drop-view 3:1", "V1__x.down.sql require-concurrent-index-deletion 1:1"];
    assert_eq!(found_in(&folder).await, expected);
    folder.write(
        "lint.allow",
        "V1__x allow ban-drop-table because x\r\n\tV1__x allow ban-drop-view because ä\r\n\
         V1__x.down allow require-concurrent-index-deletion because y",
    );
    assert_eq!(found_in(&folder).await, [""; 0]);
}

#[tokio::test]
async fn mistakes_in_it_are_found_with_their_places() {
    for (line, rule) in [
        ("V1__x allow ban-drop-table", "allow-without-reason"),
        ("V1__x allow ban-drop-table because ", "allow-without-reason"),
        ("V1__x allow ban-drop-tables because x", "unknown-rule"),
        ("V1__x allow  because x", "unknown-rule"),
        ("V1__x.sql allow ban-drop-table because x", "unknown-file"),
        ("V2__y allow ban-drop-table because x", "unknown-file"),
        ("lint.allow allow ban-drop-table because x", "unknown-file"),
        ("V1__x ban-drop-table because x", "unknown-line"),
        ("V1__x", "unknown-line"),
        ("V1__x allow ban-drop-column because x", "unused-allow"),
        ("V1__x.down allow ban-drop-table because x", "unknown-file"),
    ] {
        let folder = Folder::new(&[DROP, ("lint.allow", &format!("# größer\n  {line}\n"))]);
        let expected = [
            "V1__x.sql ban-drop-table 1:1",
            "V1__x.sql ban-drop-table 2:1",
            "V1__x.sql ban-drop-view 3:1",
            &format!("lint.allow {rule} 2:3"),
        ];
        assert_eq!(found_in(&folder).await, expected, "{line}");
    }
}

#[tokio::test]
async fn a_comment_counts_before_a_line() {
    let sql = "drop table a; -- migrator: allow ban-drop-table because x";
    let line = "V1__x allow ban-drop-table because x";
    let folder = Folder::new(&[("V1__x.sql", sql), ("lint.allow", line)]);
    assert_eq!(found_in(&folder).await, ["lint.allow unused-allow 1:1"]);
}

#[tokio::test]
async fn a_line_is_checked_only_with_its_file() {
    let line = "V1__x allow ban-drop-column because x\nV9__x allow ban-drop-column because x";
    let folder = Folder::new(&[DROP, ("V2__y.sql", "drop table y;"), ("lint.allow", line)]);
    let arguments = ["lint", "--json", "--from", "1", "--dir", folder.path()];
    let document = run_with(&[], &arguments).await.exits(1).json();
    let rules: Vec<_> = (0..3).map(|n| document["findings"][n]["rule"].clone()).collect();
    assert_eq!(rules, ["ban-drop-table".into(), "unknown-file".into(), serde_json::Value::Null]);
    assert_eq!(document["files"], 1);
}

#[tokio::test]
async fn it_is_no_migration() {
    let folder = Folder::new(&[("V1__x.sql", ""), ("lint.allow", "nonsense")]);
    let database = tests::TestDatabase::create().await;
    crate::support::program::run(&database, &["up", "--dir", folder.path()]).await.exits(0);
}
