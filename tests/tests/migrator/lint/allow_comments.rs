//! Allow comments: accepting a finding at its statement.

use super::found;

#[tokio::test]
async fn a_comment_accepts_one_rule_for_its_statement() {
    for (label, sql) in [
        ("above", "-- migrator: allow ban-drop-table because it is empty\ndrop table t;"),
        ("in the heading", "-- Why.\n-- migrator: allow ban-drop-table because x\n\ndrop table t;"),
        ("within", "drop table\n  -- migrator: allow ban-drop-table because x\n  t;"),
        ("behind", "drop table t; -- migrator: allow ban-drop-table because x"),
        (
            "behind, before another",
            "drop table t; -- migrator: allow ban-drop-table because x\nselect 1;",
        ),
        (
            "with carriage returns",
            "-- migrator: allow ban-drop-table because x\r\ndrop table t;\r\n",
        ),
        ("unspaced", "--migrator:allow ban-drop-table because x\ndrop table t;"),
        (
            "after others",
            "select 1;\nselect 2;\n-- migrator: allow ban-drop-table because ä\ndrop table t;",
        ),
        (
            "several",
            "-- migrator: allow ban-drop-column because x\n-- migrator: allow renaming-column because y\n\
             alter table t drop column a; alter table t rename b to c; -- migrator: allow renaming-column because z",
        ),
        (
            "of syntax",
            "-- migrator: allow syntax because it is newer than the parser\nselec a b c;",
        ),
        (
            "many of a kind",
            "alter table t drop column a, drop column b; -- migrator: allow ban-drop-column because x",
        ),
    ] {
        let found = found(sql).await;
        let expected: &[&str] = if label == "several" { &["unused-allow 2:1"] } else { &[] };
        assert_eq!(found, expected, "{label}: {sql}");
    }
}

#[tokio::test]
async fn several_comments_stand_together() {
    let sql = "-- migrator: allow ban-drop-column because x\n-- migrator: allow adding-required-field because y\nalter table t drop column a, add column b text not null;";
    assert_eq!(found(sql).await, [""; 0]);
}

#[tokio::test]
async fn a_comment_accepts_nothing_else() {
    for (label, sql, findings) in [
        (
            "the next statement but one",
            "-- migrator: allow ban-drop-table because x\nselect 1;\ndrop table t;",
            &["unused-allow 1:1", "ban-drop-table 3:1"][..],
        ),
        (
            "the statement before",
            "drop table t;\n-- migrator: allow ban-drop-table because x\nselect 1;",
            &["ban-drop-table 1:1", "unused-allow 2:1"],
        ),
        (
            "the statement before, with nothing behind",
            "drop table t;\n-- migrator: allow ban-drop-table because x\n",
            &["ban-drop-table 1:1", "unused-allow 2:1"],
        ),
        (
            "another rule",
            "-- migrator: allow ban-drop-view because x\ndrop table t;",
            &["unused-allow 1:1", "ban-drop-table 2:1"],
        ),
        (
            "the same twice",
            "-- migrator: allow ban-drop-table because x\n-- migrator: allow ban-drop-table because x\ndrop table t;",
            &["unused-allow 2:1"],
        ),
        (
            "in a string",
            "select '\n-- migrator: allow ban-drop-table because x\n'; drop table t;",
            &["ban-drop-table 3:4"],
        ),
        (
            "in a comment of the other kind",
            "/* -- migrator: allow ban-drop-table because x */ drop table t;",
            &["ban-drop-table 1:51"],
        ),
    ] {
        assert_eq!(found(sql).await, findings, "{label}");
    }
}

#[tokio::test]
async fn mistakes_in_comments_are_found_and_accept_nothing() {
    for (comment, finding) in [
        ("-- migrator: allow ban-drop-table", "allow-without-reason"),
        ("-- migrator: allow ban-drop-table because", "allow-without-reason"),
        ("-- migrator: allow ban-drop-table since it is empty", "allow-without-reason"),
        ("-- migrator: allow ban-drop-tables because x", "unknown-rule"),
        ("-- migrator: allow prefer-identity because x", "unknown-rule"),
        ("-- migrator: allow unused-allow because x", "unknown-rule"),
        ("-- migrator: allow", "unknown-rule"),
        ("-- migrator: alow ban-drop-table because x", "unknown-comment"),
        ("-- migrator: allowing ban-drop-table because x", "unknown-comment"),
        ("-- squawk-ignore ban-drop-table", "unknown-comment"),
        ("-- squawk-ignore-file", "unknown-comment"),
        ("/* squawk-ignore */", "unknown-comment"),
        ("-- migrator: no-transaction", "unknown-comment"),
    ] {
        let sql = format!("select 1;\n  {comment}\ndrop table t;");
        let expected = [format!("{finding} 2:3"), "ban-drop-table 3:1".to_owned()];
        assert_eq!(found(&sql).await, expected, "{comment}");
    }
}
