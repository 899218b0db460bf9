//! The output of findings, as text and as JSON.

use insta::{assert_json_snapshot, assert_snapshot};

use crate::support::folder::Folder;
use crate::support::program::{run_in, run_with};

const SQL: &str = "\
-- Größer.
create table t (id bigint);
alter table tasks
  add column due text not null,
  drop column title;
create unique index i
  on tasks (title);
-- migrator: allow ban-drop-view
drop view v;
";

#[tokio::test]
async fn the_text_has_the_place_and_a_hint() {
    let folder = Folder::new(&[]);
    std::fs::create_dir(format!("{}/sql", folder.path())).expect("create a folder");
    folder.write("sql/V1__x.sql", SQL);
    let output = run_in(folder.path().as_ref(), &[], &["lint", "--dir", "sql"]).await.exits(1);
    assert_eq!(output.stderr, "5 findings in 1 file\n");
    assert_snapshot!(output.stdout, @r"
    warning[adding-required-field]: Adding a new column that is `NOT NULL` and has no default value to an existing table effectively makes it required.
     --> sql/V1__x.sql:4:3
      |
    4 |   add column due text not null,
      |   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: Make the field nullable or add a non-VOLATILE DEFAULT
      = note: see https://squawkhq.com/docs/adding-required-field
      = note: to accept it: -- migrator: allow adding-required-field because …

    warning[ban-drop-column]: Dropping a column may break existing clients.
     --> sql/V1__x.sql:5:3
      |
    5 |   drop column title;
      |   ^^^^^^^^^^^^^^^^^
      |
      = note: see https://squawkhq.com/docs/ban-drop-column
      = note: to accept it: -- migrator: allow ban-drop-column because …

    warning[require-concurrent-index-creation]: During normal index creation, table updates are blocked, but reads are still allowed.
     --> sql/V1__x.sql:6:1
      |
    6 | / create unique index i
    7 | |   on tasks (title);
      | |___________________^
      |
      = help: Use `concurrently` to avoid blocking writes.
      = help: to run the script outside a transaction, write `-- migrator: no-transaction` on its first line
      = note: see https://squawkhq.com/docs/require-concurrent-index-creation
      = note: to accept it: -- migrator: allow require-concurrent-index-creation because …

    warning[allow-without-reason]: `ban-drop-view` is not accepted without a reason
     --> sql/V1__x.sql:8:1
      |
    8 | -- migrator: allow ban-drop-view
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: write `-- migrator: allow RULE because REASON`

    warning[ban-drop-view]: Dropping a view may break existing clients.
     --> sql/V1__x.sql:9:1
      |
    9 | drop view v;
      | ^^^^^^^^^^^^
      |
      = note: see https://squawkhq.com/docs/ban-drop-view
      = note: to accept it: -- migrator: allow ban-drop-view because …
    ");
}

#[tokio::test]
async fn a_machine_gets_one_document() {
    let folder = Folder::new(&[(
        "V1__x.sql",
        "create index\n  i on tasks (title);\ndrop table\n  -- migrator: allow ban-drop-table because x\n a;",
    )]);
    let output =
        run_in(folder.path().as_ref(), &[], &["lint", "--json", "--dir", "."]).await.exits(1);
    assert_json_snapshot!(output.json(), @r#"
    {
      "allowed": 1,
      "command": "lint",
      "files": 1,
      "findings": [
        {
          "column": 1,
          "end_column": 22,
          "end_line": 2,
          "file": "./V1__x.sql",
          "help": [
            "Use `concurrently` to avoid blocking writes.",
            "to run the script outside a transaction, write `-- migrator: no-transaction` on its first line"
          ],
          "line": 1,
          "message": "During normal index creation, table updates are blocked, but reads are still allowed.",
          "rule": "require-concurrent-index-creation",
          "url": "https://squawkhq.com/docs/require-concurrent-index-creation"
        }
      ]
    }
    "#);
}

#[tokio::test]
async fn no_findings_are_a_document_too() {
    let document = run_with(&[], &["lint", "--from", "2", "--json"]).await.exits(0).json();
    assert_json_snapshot!(document, @r#"
    {
      "allowed": 2,
      "command": "lint",
      "files": 6,
      "findings": []
    }
    "#);
}

#[tokio::test]
async fn a_folder_that_cannot_be_read_is_a_document_too() {
    let output = run_with(&[], &["lint", "--json", "--dir", "nowhere"]).await.exits(2);
    assert_eq!(output.json()["error"]["kind"], "migration_files");
}

#[tokio::test]
async fn no_database_is_needed() {
    let variables = [("DATABASE_URL", "postgresql://nobody@nowhere.invalid/none")];
    run_with(&variables, &["lint"]).await.exits(0);
}

#[tokio::test]
async fn quiet_leaves_the_findings_only() {
    let folder = Folder::new(&[("V1__x.sql", "drop table t;")]);
    let output = run_with(&[], &["lint", "--quiet", "--dir", folder.path()]).await.exits(1);
    assert_eq!(output.stderr, "");
    assert!(output.stdout.starts_with("warning[ban-drop-table]: "), "{}", output.stdout);
}
