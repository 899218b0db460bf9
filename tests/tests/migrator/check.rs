//! `migrator check`

use insta::{assert_json_snapshot, assert_snapshot};
use serde_json::Value;
use tests::{CliOutput, TestDatabase};

use crate::support::catalog::{objects, versions};
use crate::support::folder::Folder;
use crate::support::program::{run, run_in, run_with};

/// `FINDING MIGRATION` of each finding.
fn found(output: &CliOutput) -> Vec<String> {
    let document = output.json();
    let findings = document["findings"].as_array().expect("a list of findings");
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    findings
        .iter()
        .map(|finding| format!("{} {}", text(&finding["finding"]), text(&finding["migration"])))
        .collect()
}

async fn check(database: &TestDatabase, folder: &Folder, more: &[&str]) -> CliOutput {
    let arguments = ["check", "--json", "--dir", folder.path()];
    run(database, &[&arguments[..], more].concat()).await
}

fn valid_folder() -> Folder {
    Folder::new(&[
        ("V1__one.sql", "create table one (id bigint);"),
        ("V1__one.down.sql", "drop table one;"),
        ("V2__two.sql", "create table two (id bigint);"),
        ("V2__two.down.sql", "drop table two;"),
    ])
}

#[tokio::test]
async fn the_built_in_migrations_have_no_findings() {
    let database = TestDatabase::migrated().await;
    let before = objects(&database).await;
    let output = run(&database, &["check"]).await.exits(0).says("No findings in 5 migrations");
    assert_eq!(output.stdout, "");
    assert_eq!(objects(&database).await, before);
}

#[tokio::test]
async fn what_is_pending_is_found_unless_that_is_allowed() {
    let (database, folder) = (TestDatabase::create().await, valid_folder());
    run(&database, &["up", "--to", "1", "--dir", folder.path()]).await.exits(0);
    let output = check(&database, &folder, &[]).await.exits(17);
    assert_eq!(found(&output), ["pending V2__two"]);
    check(&database, &folder, &["--allow", "pending"]).await.exits(0);
    assert_eq!(versions(&database).await, [1]);
}

#[tokio::test]
async fn what_is_wrong_with_the_history_is_found_and_the_most_severe_counts() {
    let (database, folder) = (TestDatabase::create().await, valid_folder());
    folder.write("V4__four.sql", "create table four ();");
    folder.write("V4__four.down.sql", "drop table four;");
    run(&database, &["up", "--dir", folder.path()]).await.exits(0);
    folder.write("V1__one.sql", "create table one (id bigint, more text);");
    folder.remove("V2__two.sql");
    folder.remove("V2__two.down.sql");
    folder.write("V3__three.sql", "create table three ();");
    let output = check(&database, &folder, &[]).await.exits(10);
    let all =
        ["edited V1__one", "missing V2__two", "out_of_order V3__three", "no_undo_script V3__three"];
    assert_eq!(found(&output), all);
    for (allowed, code) in [
        (&["edited"][..], 11),
        (&["edited", "missing"], 12),
        (&["edited", "missing", "out_of_order"], 15),
        (&["edited", "missing", "out_of_order", "no_undo_script"], 0),
    ] {
        let options: Vec<&str> = allowed.iter().flat_map(|kind| ["--allow", kind]).collect();
        let output = check(&database, &folder, &options).await.exits(code);
        assert_eq!(found(&output), all[allowed.len()..], "{allowed:?}");
    }
}

#[tokio::test]
async fn a_pending_migration_is_linted_and_an_applied_one_is_not() {
    let database = TestDatabase::create().await;
    let folder = Folder::new(&[
        ("V1__one.sql", "create table one (id int);"),
        ("V1__one.down.sql", "drop table one;"),
    ]);
    run(&database, &["up", "--dir", folder.path()]).await.exits(0);
    check(&database, &folder, &[]).await.exits(0);
    folder.write("V2__two.sql", "create table two ();\ncreate index on one (id);");
    folder.write("V2__two.down.sql", "drop table two;\ndrop index one_id_idx;");
    let output = check(&database, &folder, &[]).await.exits(16);
    assert_eq!(found(&output), ["lint V2__two", "lint V2__two", "pending V2__two"]);
    let finding = &output.json()["findings"][0];
    assert_eq!(
        (&finding["rule"], &finding["line"]),
        (&"require-concurrent-index-creation".into(), &2.into())
    );
    check(&database, &folder, &["--allow", "pending", "--allow", "lint"]).await.exits(0);
}

#[tokio::test]
async fn an_undo_script_must_restore_the_schema() {
    let database = TestDatabase::create().await;
    for (label, apply, undo, message) in [
        (
            "leaves something",
            "create table two (id bigint); create index two_id on two (id); create function f() returns int language sql return 1;",
            "drop table two;",
            "undoing V2__two does not leave what was there before",
        ),
        (
            "takes too much",
            "alter table one add column more text;",
            "drop table one; create table one ();",
            "undoing V2__two does not leave what was there before",
        ),
        (
            "forgets a comment",
            "comment on table one is 'x';",
            "select 1;",
            "undoing V2__two does not leave what was there before",
        ),
        (
            "forgets a right",
            "grant select on one to public;",
            "select 1;",
            "undoing V2__two does not leave what was there before",
        ),
        (
            "fails",
            "create table two ();",
            "drop table three;",
            "the script that undoes V2__two fails",
        ),
    ] {
        let folder = valid_folder();
        folder.write("V2__two.sql", apply);
        folder.write("V2__two.down.sql", undo);
        let allowed = ["--allow", "pending", "--allow", "lint"];
        let output = check(&database, &folder, &allowed).await.exits(14);
        let finding = &output.json()["findings"][0];
        assert_eq!(finding["finding"], "undo", "{label}");
        assert_eq!(finding["message"], message, "{label}");
        assert_ne!(finding["details"].to_string(), "[]", "{label}");
        let allowed = [&allowed[..], &["--allow", "undo"]].concat();
        check(&database, &folder, &allowed).await.exits(0);
    }
}

#[tokio::test]
async fn what_cannot_be_applied_again_is_found() {
    let (database, folder) = (TestDatabase::create().await, valid_folder());
    folder.write("V2__two.down.sql", "select 1;");
    let output = check(&database, &folder, &["--allow", "pending"]).await.exits(14);
    assert_eq!(found(&output), ["undo V2__two", "undo V2__two"]);
    let document = output.json();
    assert_eq!(document["findings"][0]["details"], serde_json::json!(["table two is left"]));
    assert_eq!(
        document["findings"][1]["message"],
        "V2__two cannot be applied again once it is undone"
    );
}

#[tokio::test]
async fn a_migration_with_another_result_the_second_time_is_found() {
    let (database, folder) = (TestDatabase::create().await, valid_folder());
    // Only the history table keeps state between the two runs.
    folder.write(
        "V2__two.sql",
        "do $$ begin
           if obj_description('refinery_schema_history'::regclass) = 'again' then
             create table two (id bigint, more text);
           else
             create table two (id bigint);
           end if;
         end $$;",
    );
    let undo = "drop table two; comment on table refinery_schema_history is 'again';";
    folder.write("V2__two.down.sql", undo);
    let output = check(&database, &folder, &["--allow", "pending"]).await.exits(14);
    let document = output.json();
    let message = &document["findings"][0]["message"];
    assert_eq!(message, "V2__two makes something else once it was undone");
}

#[tokio::test]
async fn a_migration_that_fails_is_an_error() {
    let (database, folder) = (TestDatabase::create().await, valid_folder());
    folder.write("V2__two.sql", "create table two (id nothing);");
    let output = check(&database, &folder, &[]).await.exits(5);
    assert_eq!(output.json()["error"]["kind"], "failed_migration");
    assert_eq!(versions(&database).await, [0; 0]);
}

#[tokio::test]
async fn the_text_names_each_finding_with_its_place() {
    let folder = Folder::new(&[]);
    std::fs::create_dir(format!("{}/sql", folder.path())).expect("create a folder");
    for (name, sql) in [
        ("sql/V1__one.sql", "create table one (id bigint);"),
        ("sql/V1__one.down.sql", "drop table one;"),
        ("sql/V2__two.sql", "create table two (id bigint);\ncomment on table one is 'One.';"),
        ("sql/V2__two.down.sql", "alter table two rename to three;"),
        ("sql/V3__three.sql", "drop table one;"),
    ] {
        folder.write(name, sql);
    }
    let database = TestDatabase::create().await;
    let url = database.url().to_connection_string();
    let variables = [("DATABASE_URL", url.as_str())];
    let up = ["up", "--to", "2", "--dir", "sql"];
    run_in(folder.path().as_ref(), &variables, &up).await.exits(0);
    let arguments = ["check", "--dir", "sql"];
    let output = run_in(folder.path().as_ref(), &variables, &arguments).await.exits(14);
    assert_snapshot!(output.stdout, @r"
    undo: undoing V2__two does not leave what was there before
      ~ table one
          comment
          + One.
      + table three

    no_undo_script: V3__three has no script that undoes it

    warning[ban-drop-table]: Dropping a table may break existing clients.
     --> sql/V3__three.sql:1:1
      |
    1 | drop table one;
      | ^^^^^^^^^^^^^^^
      |
      = note: see https://squawkhq.com/docs/ban-drop-table
      = note: to accept it: -- migrator: allow ban-drop-table because …

    pending: V3__three is pending
    ");
    assert_snapshot!(output.stderr, @r"
    Building a shadow database from 3 migrations
    4 findings in 3 migrations
    ");
}

#[tokio::test]
async fn a_machine_gets_one_document() {
    let (database, folder) = (TestDatabase::create().await, valid_folder());
    folder.write("V1__one.down.sql", "drop table one; create table other ();");
    folder.remove("V2__two.down.sql");
    run(&database, &["up", "--dir", folder.path()]).await.exits(0);
    let output = check(&database, &folder, &[]).await.exits(14);
    assert_json_snapshot!(output.json(), @r#"
    {
      "command": "check",
      "findings": [
        {
          "details": [
            "table other is left"
          ],
          "exit_code": 14,
          "finding": "undo",
          "message": "undoing V1__one does not leave what was there before",
          "migration": "V1__one"
        },
        {
          "details": [],
          "exit_code": 15,
          "finding": "no_undo_script",
          "message": "V2__two has no script that undoes it",
          "migration": "V2__two"
        }
      ],
      "migrations": 2
    }
    "#);
}

#[tokio::test]
async fn an_unknown_finding_cannot_be_allowed() {
    run_with(&[], &["check", "--allow", "nothing"])
        .await
        .exits(2)
        .says("[possible values: edited, missing, out_of_order, incomplete, undo");
}

#[tokio::test]
async fn a_database_that_cannot_be_reached_is_an_error_as_ever() {
    run_with(&[], &["check"]).await.exits(2).says("no database URL given");
    let variables = [("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")];
    run_with(&variables, &["check", "--connect-timeout", "0"]).await.exits(3);
}

#[tokio::test]
async fn the_shadow_database_can_be_elsewhere() {
    let (database, other) = (TestDatabase::migrated().await, TestDatabase::create().await);
    let shadow = other.url().to_connection_string();
    run(&database, &["check", "--shadow-url", &shadow]).await.exits(0);
}

#[tokio::test]
async fn a_broken_undo_script_does_not_keep_later_ones_from_being_tried() {
    let database = TestDatabase::create().await;
    let folder = Folder::new(&[
        ("V1__one.sql", "create table one (id bigint);"),
        ("V1__one.down.sql", "select * from nothing;"),
        ("V2__two.sql", "create table two (id bigint);"),
        ("V2__two.down.sql", "select 1;"),
        ("V3__three.sql", "create table three (id bigint);"),
        ("V3__three.down.sql", "select 1;"),
        ("V4__four.sql", "create table four (id bigint);"),
        ("V4__four.down.sql", "drop table four;"),
    ]);
    run(&database, &["up", "--dir", folder.path()]).await.exits(0);
    let document = check(&database, &folder, &[]).await.exits(14).json();
    let findings = document["findings"].as_array().expect("a list").iter();
    let found: Vec<_> = findings.map(|finding| finding["migration"].as_str()).collect();
    // What an undo script leaves behind also makes the second application fail.
    let expected = ["V1__one", "V2__two", "V2__two", "V3__three", "V3__three"].map(Some);
    assert_eq!(found, expected, "{document}");
}

#[tokio::test]
async fn what_is_incomplete_is_found() {
    let database = TestDatabase::create().await;
    let folder = Folder::new(&[
        (
            "V1__one.sql",
            "-- migrator: no-transaction\ncreate table one (id bigint);\nselect 1 / 0;",
        ),
        ("V1__one.down.sql", "drop table if exists one;"),
    ]);
    run(&database, &["up", "--dir", folder.path()]).await.exits(6);
    folder.write(
        "V1__one.sql",
        "-- migrator: no-transaction\ncreate table one (id bigint);\nselect 1;",
    );
    let document = check(&database, &folder, &[]).await.exits(13).json();
    assert_eq!(document["findings"][0]["finding"], "incomplete", "{document}");
}
