//! `migrator repair`

use insta::assert_json_snapshot;
use tests::{TestDatabase, until};

use crate::support::catalog::{objects, tables, versions};
use crate::support::folder::Folder;
use crate::support::program::{run, start, wait};
use crate::up::no_transaction::{
    build_waits, invalid_indexes, old_transaction, with_an_index, with_duplicates,
};

/// Leaves the second migration incomplete after its first statement.
async fn incomplete(database: &TestDatabase) -> Folder {
    let folder = with_duplicates(database).await;
    run(database, &["up", "--dir", folder.path()]).await.exits(6);
    folder
}

async fn remove_duplicates(database: &TestDatabase) {
    database.client().await.batch_execute("truncate t").await.expect("remove the duplicates");
}

/// Kills a migrator, and waits until its session has ended.
async fn kill(database: &TestDatabase, mut program: tokio::process::Child) {
    program.kill().await.expect("kill the migrator");
    let client = database.client().await;
    let present = "select from pg_stat_activity
        where datname = current_database() and application_name = 'taskie-migrator'";
    until("the session ends", async || {
        client.query_opt(present, &[]).await.expect("query").is_none().then_some(())
    })
    .await;
}

/// Waits until a migrator's statement sleeps.
async fn until_sleeping(database: &TestDatabase) {
    let client = database.client().await;
    let sleeping = "select from pg_stat_activity
        where datname = current_database() and application_name = 'taskie-migrator'
          and wait_event = 'PgSleep'";
    until("the statement runs", async || {
        client.query_opt(sleeping, &[]).await.expect("query").map(|_| ())
    })
    .await;
}

#[tokio::test]
async fn with_nothing_incomplete_there_is_nothing_to_do() {
    let database = TestDatabase::create().await;
    for arguments in [&["repair"][..], &["repair", "--dry-run"], &["repair", "--undo", "--yes"]] {
        run(&database, arguments).await.exits(0).says("Nothing to do: no migration is incomplete");
    }
    let document = run(&database, &["repair", "--json"]).await.exits(0).json();
    assert_json_snapshot!(document, @r#"
    {
      "command": "repair",
      "dry_run": false,
      "repaired": null
    }
    "#);
    assert_eq!(objects(&database).await, [""; 0]);
}

#[tokio::test]
async fn a_migration_resumes_after_the_cause_of_its_failure_is_fixed() {
    let database = TestDatabase::create().await;
    let folder = incomplete(&database).await;
    remove_duplicates(&database).await;
    run(&database, &["repair", "--dir", folder.path()])
        .await
        .exits(0)
        .says("V2__unique can be resumed at statement 2 of 3: `migrator up`");
    let status = run(&database, &["status", "--dir", folder.path()]).await.exits(0).stdout;
    assert!(status.contains("(1 of 3 statements is done; `migrator up` resumes it)"), "{status}");
    run(&database, &["status", "--check", "--dir", folder.path()]).await.exits(6);
    run(&database, &["down", "--yes", "--dir", folder.path()])
        .await
        .exits(6)
        .says("error: V2__unique is repaired and not finished")
        .says("hint: `migrator up` resumes it; `migrator repair --undo` gives it up");
    let plan = run(&database, &["up", "--dry-run", "--json", "--dir", folder.path()]).await;
    assert_eq!(plan.exits(0).json()["would_apply"][0]["resumes_at"], 2);
    run(&database, &["up", "--dir", folder.path()])
        .await
        .exits(0)
        .says("Resuming V2__unique at statement 2 of 3 ... done")
        .says("2 migrations applied, the database is at V3__four");
    assert_eq!(versions(&database).await, [1, 2, 3]);
    assert_eq!(tables(&database).await, ["four", "refinery_schema_history", "t", "three", "two"]);
    run(&database, &["status", "--check", "--dir", folder.path()]).await.exits(0);
}

#[tokio::test]
async fn other_line_endings_of_what_is_done_are_no_edit() {
    let database = TestDatabase::create().await;
    let script = "-- migrator: no-transaction\ncreate table one (\n  id int\n);\nselect 1 / 0;\n";
    let folder = Folder::new(&[("V1__one.sql", script)]);
    run(&database, &["up", "--dir", folder.path()]).await.exits(6);
    let mended = script.replace("/ 0", "/ 1");
    for script in [mended.replace('\n', "\r\n"), mended.clone(), mended.replace('\n', "\r\n")] {
        folder.write("V1__one.sql", &script);
        run(&database, &["repair", "--dir", folder.path()]).await.exits(0);
    }
    run(&database, &["up", "--dir", folder.path()]).await.exits(0);
    run(&database, &["status", "--check", "--dir", folder.path()]).await.exits(0);
}

#[tokio::test]
async fn what_is_left_to_do_may_be_edited_and_what_is_done_may_not() {
    let database = TestDatabase::create().await;
    let folder = incomplete(&database).await;
    let good = folder.read("V2__unique.sql");
    folder.write("V2__unique.sql", &good.replace("create table two ()", "create table zwei ()"));
    run(&database, &["repair", "--dir", folder.path()])
        .await
        .exits(2)
        .says("V2__unique.sql: the statements that are done are not those that the script begins with now")
        .says("hint: restore them and edit only what is left to do");
    folder.write("V2__unique.sql", &good.replace("-- migrator: no-transaction\n", ""));
    run(&database, &["repair", "--dir", folder.path()])
        .await
        .exits(2)
        .says("its first line does not say so any more");
    folder.remove("V2__unique.sql");
    folder.remove("V2__unique.down.sql");
    run(&database, &["repair", "--dir", folder.path()])
        .await
        .exits(2)
        .says("V2__unique is incomplete, and there is no file to apply it");
    let edited = good.replace("create unique index", "create  index").replace("-- ids", "-- IDs");
    folder.write("V2__unique.sql", &edited);
    run(&database, &["repair", "--dir", folder.path()]).await.exits(0);
    // Also after the repair, before `up`.
    folder.write("V2__unique.sql", &edited.replace("create table two ()", "create table zwei ()"));
    run(&database, &["up", "--dir", folder.path()])
        .await
        .exits(2)
        .says("the statements that are done are not those");
    folder.write("V2__unique.sql", &edited);
    run(&database, &["up", "--dir", folder.path()]).await.exits(0);
    // The history has the checksum of the last version of the file.
    run(&database, &["status", "--check", "--dir", folder.path()]).await.exits(0);
}

#[tokio::test]
async fn a_dry_run_changes_nothing() {
    let database = TestDatabase::create().await;
    let folder = incomplete(&database).await;
    let before = objects(&database).await;
    run(&database, &["repair", "--dry-run", "--dir", folder.path()]).await.exits(0).says(
        "V2__unique would be resumed at statement 2 of 3: `migrator up`; nothing was changed",
    );
    let arguments = ["repair", "--dry-run", "--json", "--dir", folder.path()];
    let document = run(&database, &arguments).await.exits(0).json();
    assert_json_snapshot!(document, @r#"
    {
      "command": "repair",
      "dry_run": true,
      "repaired": {
        "action": "go_on",
        "direction": "apply",
        "done": 1,
        "dropped_indexes": [],
        "name": "unique",
        "next_statement": 2,
        "statements": 3,
        "version": 2,
        "warnings": []
      }
    }
    "#);
    for action in ["--restart", "--applied", "--undo"] {
        let arguments = ["repair", "--dry-run", action, "--dir", folder.path()];
        run(&database, &arguments).await.exits(0).says("; nothing was changed");
    }
    assert_eq!(objects(&database).await, before);
    run(&database, &["up", "--dir", folder.path()]).await.exits(6);
}

#[tokio::test]
async fn a_migration_can_begin_again() {
    let database = TestDatabase::create().await;
    let folder = incomplete(&database).await;
    remove_duplicates(&database).await;
    let restart = ["repair", "--restart", "--dir", folder.path()];
    run(&database, &restart)
        .await
        .exits(0)
        .says("V2__unique begins at its first statement again: `migrator up`");
    assert_eq!(tables(&database).await, ["refinery_schema_history", "t", "two"]);
    database.client().await.batch_execute("drop table two").await.expect("undo by hand");
    run(&database, &["up", "--dir", folder.path()]).await.exits(0).says("Applying V2__unique ... ");
    assert_eq!(versions(&database).await, [1, 2, 3]);
}

#[tokio::test]
async fn a_migration_that_was_finished_by_hand_is_recorded() {
    let database = TestDatabase::create().await;
    let folder = incomplete(&database).await;
    run(&database, &["repair", "--applied", "--dir", folder.path()])
        .await
        .exits(0)
        .says("V2__unique is noted as applied");
    assert_eq!(versions(&database).await, [1, 2]);
    assert_eq!(tables(&database).await, ["refinery_schema_history", "t", "two"]);
    run(&database, &["up", "--dir", folder.path()]).await.exits(0);
    run(&database, &["status", "--check", "--dir", folder.path()]).await.exits(0);
}

#[tokio::test]
async fn a_migration_can_be_given_up() {
    let database = TestDatabase::create().await;
    let folder = incomplete(&database).await;
    let undo = ["repair", "--undo", "--dir", folder.path()];
    run(&database, &undo).await.exits(2).says("hint: add `--yes`");
    let sql = folder.read("V2__unique.down.sql");
    folder.write("V2__unique.down.sql", "drop table nowhere;");
    run(&database, &[&undo[..], &["--yes"]].concat())
        .await
        .exits(5)
        .says("the undoing of V2 was rolled back");
    run(&database, &["status", "--check", "--dir", folder.path()]).await.exits(6);
    folder.write("V2__unique.down.sql", &sql);
    run(&database, &[&undo[..], &["--yes"]].concat())
        .await
        .exits(0)
        .says("Undoing V2__unique ... ")
        .says("V2__unique is undone, and not applied");
    assert_eq!(versions(&database).await, [1]);
    assert_eq!(tables(&database).await, ["refinery_schema_history", "t"]);
}

#[tokio::test]
async fn giving_up_can_be_incomplete_too() {
    let database = TestDatabase::create().await;
    let folder = incomplete(&database).await;
    let undo = "-- migrator: no-transaction\ndrop table two;\ndrop table three;";
    folder.write("V2__unique.down.sql", undo);
    let arguments = ["repair", "--undo", "--yes", "--dir", folder.path()];
    folder.write("V2__unique.down.sql", &undo.replace("table two", "table nowhere"));
    run(&database, &arguments)
        .await
        .exits(6)
        .says("the undoing of V2 is incomplete: statement 1 of 2 failed; run `migrator repair`");
    folder.write("V2__unique.down.sql", undo);
    run(&database, &arguments)
        .await
        .exits(6)
        .says("the undoing of V2 is incomplete: statement 1 of 2 is done, 2 failed");
    folder.write("V2__unique.down.sql", &undo.replace("table three", "table if exists three"));
    run(&database, &["repair", "--dir", folder.path()])
        .await
        .exits(0)
        .says("V2__unique can be resumed at statement 2 of 2: `migrator repair --undo`");
    run(&database, &["down", "--yes", "--dir", folder.path()]).await.exits(6);
    run(&database, &arguments).await.exits(0).says("Resuming V2__unique at statement 2 of 2 ... ");
    assert_eq!(versions(&database).await, [1]);
    assert_eq!(tables(&database).await, ["refinery_schema_history", "t"]);
}

#[tokio::test]
async fn settings_of_the_statements_that_are_done_hold_for_the_rest() {
    let database = TestDatabase::create().await;
    let folder = Folder::new(&[(
        "V1__apart.sql",
        "-- migrator: no-transaction
         create schema apart;
         set search_path = apart;
         select 1 / 0;
         create table t ();",
    )]);
    run(&database, &["up", "--dir", folder.path()]).await.exits(6);
    folder.write("V1__apart.sql", &folder.read("V1__apart.sql").replace("1 / 0", "1"));
    run(&database, &["repair", "--dir", folder.path()]).await.exits(0);
    run(&database, &["up", "--dir", folder.path()]).await.exits(0);
    let row = database.client().await.query_one("select to_regclass('apart.t')::text", &[]).await;
    assert_eq!(row.expect("query").get::<_, Option<&str>>(0), Some("apart.t"));
}

#[tokio::test]
async fn a_killed_migrator_leaves_an_accurate_status() {
    let database = TestDatabase::create().await;
    let folder = Folder::new(&[(
        "V1__slow.sql",
        "-- migrator: no-transaction\ncreate table a ();\nselect pg_sleep(600);\ncreate table c ();",
    )]);
    let program = start(&database, &["up", "--dir", folder.path()]).await;
    until_sleeping(&database).await;
    let repair = ["repair", "--dry-run", "--dir", folder.path()];
    run(&database, &repair).await.exits(3).says("another migrator is at work");
    kill(&database, program).await;

    let status = run(&database, &["status", "--dir", folder.path()]).await.exits(0).stdout;
    assert!(status.contains("(1 of 3 statements is done; run `migrator repair`)"), "{status}");
    run(&database, &["up", "--dir", folder.path()])
        .await
        .exits(6)
        .says("the migrator stopped in the middle; nothing was run");
    folder.write("V1__slow.sql", &folder.read("V1__slow.sql").replace("600", "0"));
    let output = run(&database, &["repair", "--dir", folder.path()]).await.exits(0);
    assert!(!output.stderr.contains("warning"), "it was in a transaction: {output:?}");
    run(&database, &["up", "--dir", folder.path()]).await.exits(0).says("at statement 2 of 3");
    assert_eq!(tables(&database).await, ["a", "c", "refinery_schema_history"]);
}

#[tokio::test]
async fn a_statement_that_may_be_partly_done_is_reported_to_run_again() {
    let database = TestDatabase::create().await;
    let folder = Folder::new(&[(
        "V1__slow.sql",
        "-- migrator: no-transaction\ncreate table a (id int);
         do $$ begin insert into a values (1); commit; perform pg_sleep(600); end $$;",
    )]);
    let program = start(&database, &["up", "--dir", folder.path()]).await;
    until_sleeping(&database).await;
    kill(&database, program).await;
    folder.write("V1__slow.sql", &folder.read("V1__slow.sql").replace("600", "0"));
    run(&database, &["repair", "--dir", folder.path()])
        .await
        .exits(0)
        .says("warning: statement 2 was running when the migrator stopped: it runs again");
    run(&database, &["up", "--dir", folder.path()]).await.exits(0);
    let row = database.client().await.query_one("select count(*) from a", &[]).await;
    assert_eq!(row.expect("count").get::<_, i64>(0), 2);
}

#[tokio::test]
async fn an_index_that_was_being_built_is_dropped_and_built_again() {
    let database = TestDatabase::create().await;
    let folder = with_an_index();
    run(&database, &["up", "--to", "1", "--dir", folder.path()]).await.exits(0);
    let other = old_transaction(&database).await;
    let program = start(&database, &["up", "--dir", folder.path()]).await;
    build_waits(&database).await;
    kill(&database, program).await;
    assert_eq!(invalid_indexes(&database).await, ["t_id"]);
    other.batch_execute("commit").await.expect("let go");

    run(&database, &["up", "--dir", folder.path()]).await.exits(6);
    run(&database, &["repair", "--dry-run", "--dir", folder.path()])
        .await
        .exits(0)
        .says("Would drop the invalid index public.t_id");
    assert_eq!(invalid_indexes(&database).await, ["t_id"]);
    let document =
        run(&database, &["repair", "--json", "--dir", folder.path()]).await.exits(0).json();
    assert_json_snapshot!(document, @r#"
    {
      "command": "repair",
      "dry_run": false,
      "repaired": {
        "action": "go_on",
        "direction": "apply",
        "done": 0,
        "dropped_indexes": [
          "public.t_id"
        ],
        "name": "index",
        "next_statement": 1,
        "statements": 1,
        "version": 2,
        "warnings": []
      }
    }
    "#);
    assert_eq!(invalid_indexes(&database).await, [""; 0]);
    run(&database, &["up", "--dir", folder.path()]).await.exits(0);
    run(&database, &["status", "--check", "--dir", folder.path()]).await.exits(0);
}

/// As when the migrator dies after the server has finished, before it has recorded that.
#[tokio::test]
async fn an_index_that_was_finished_is_not_built_again() {
    let database = TestDatabase::create().await;
    let folder = with_an_index();
    run(&database, &["up", "--to", "1", "--dir", folder.path()]).await.exits(0);
    let other = old_transaction(&database).await;
    let program = start(&database, &["up", "--dir", folder.path()]).await;
    build_waits(&database).await;
    kill(&database, program).await;
    other.batch_execute("commit").await.expect("let go");
    let finish = "drop index t_id; create index t_id on t (id);";
    database.client().await.batch_execute(finish).await.expect("build the index");
    run(&database, &["repair", "--dir", folder.path()]).await.exits(0).says(
        "V2__index can be resumed, with all statements done: `migrator up` writes the history",
    );
    run(&database, &["up", "--dir", folder.path()]).await.exits(0);
    assert_eq!(versions(&database).await, [1, 2]);
}

#[tokio::test]
async fn what_a_broken_reindex_leaves_is_dropped() {
    let database = TestDatabase::create().await;
    let folder = with_an_index();
    folder.write("V3__again.sql", "-- migrator: no-transaction\nreindex table concurrently t;");
    run(&database, &["up", "--to", "2", "--dir", folder.path()]).await.exits(0);
    let other = old_transaction(&database).await;
    let up = ["up", "--statement-timeout", "2s", "--dir", folder.path()];
    let program = start(&database, &up).await;
    build_waits(&database).await;
    // It fails at its time limit; dropping the index waits only for sessions that use the table.
    wait(program)
        .await
        .exits(5)
        .says("the invalid index public.t_id_ccnew that it left was dropped");
    other.batch_execute("commit").await.expect("let go");
    assert_eq!(invalid_indexes(&database).await, [""; 0]);

    let other = old_transaction(&database).await;
    let program = start(&database, &["up", "--dir", folder.path()]).await;
    build_waits(&database).await;
    kill(&database, program).await;
    other.batch_execute("commit").await.expect("let go");
    assert_eq!(invalid_indexes(&database).await, ["t_id_ccnew"]);
    run(&database, &["repair", "--dir", folder.path()])
        .await
        .exits(0)
        .says("Dropped the invalid index public.t_id_ccnew");
    assert_eq!(invalid_indexes(&database).await, [""; 0]);
    run(&database, &["up", "--dir", folder.path()]).await.exits(0);
}

#[tokio::test]
async fn what_a_broken_reindex_leaves_on_partitions_is_dropped() {
    let database = TestDatabase::create().await;
    let folder = Folder::new(&[
        (
            "V1__p.sql",
            "create table p (id int) partition by range (id);
             create table p1 partition of p for values from (0) to (10);
             create index p_id on p (id);",
        ),
        ("V2__again.sql", "-- migrator: no-transaction\nreindex (concurrently) table p;"),
    ]);
    run(&database, &["up", "--to", "1", "--dir", folder.path()]).await.exits(0);
    let other = old_transaction(&database).await;
    let up = ["up", "--statement-timeout", "2s", "--dir", folder.path()];
    let program = start(&database, &up).await;
    build_waits(&database).await;
    wait(program)
        .await
        .exits(5)
        .says("the invalid index public.p1_id_idx_ccnew that it left was dropped");
    other.batch_execute("commit").await.expect("let go");
    assert_eq!(invalid_indexes(&database).await, [""; 0]);
}

/// An index that another session is building is not dropped.
#[tokio::test]
async fn an_index_that_another_session_builds_is_not_dropped() {
    let database = TestDatabase::create().await;
    let folder = incomplete(&database).await;
    remove_duplicates(&database).await;
    let other = old_transaction(&database).await;
    let by_hand = database.client().await;
    let build = tokio::spawn(async move {
        by_hand.batch_execute("create unique index concurrently t_id on t (id)").await
    });
    build_waits(&database).await;
    for arguments in [&["repair", "--dry-run"][..], &["repair"]] {
        let arguments = [arguments, &["--dir", folder.path()]].concat();
        run(&database, &arguments)
            .await
            .exits(0)
            .does_not_print("the invalid index")
            .says("at statement 2 of 3");
    }
    other.batch_execute("commit").await.expect("let go");
    build.await.expect("the build ends").expect("the index is built");
    assert_eq!(invalid_indexes(&database).await, [""; 0]);
    let query = "select from pg_index where indexrelid = 't_id'::regclass and indisvalid";
    database.client().await.query_one(query, &[]).await.expect("the index is there");
}

/// It would conflict with the script that builds it again.
#[tokio::test]
async fn a_half_dropped_index_is_dropped_before_the_migration_is_undone() {
    let database = TestDatabase::create().await;
    let folder = Folder::new(&[
        ("V1__t.sql", "create table t (id int); create index t_id on t (id);"),
        ("V2__less.sql", "-- migrator: no-transaction\ndrop index concurrently t_id;"),
        ("V2__less.down.sql", "create index if not exists t_id on t (id);"),
    ]);
    run(&database, &["up", "--to", "1", "--dir", folder.path()]).await.exits(0);
    let other = old_transaction(&database).await;
    other.batch_execute("select from t").await.expect("use the table");
    let up = ["up", "--statement-timeout", "500ms", "--dir", folder.path()];
    run(&database, &up).await.exits(6);
    other.batch_execute("commit").await.expect("let go");
    assert_eq!(invalid_indexes(&database).await, ["t_id"]);

    run(&database, &["repair", "--undo", "--yes", "--dir", folder.path()])
        .await
        .exits(0)
        .says("Dropped the invalid index public.t_id");
    assert_eq!(invalid_indexes(&database).await, [""; 0]);
    let query = "select from pg_index where indexrelid = 't_id'::regclass";
    database.client().await.query_one(query, &[]).await.expect("the index is there again");
    assert_eq!(versions(&database).await, [1]);
}

/// The history has no row of it: without the record in `migrator_incomplete` it would be pending.
#[tokio::test]
async fn giving_up_can_begin_again() {
    let database = TestDatabase::create().await;
    let folder = incomplete(&database).await;
    let undo = "-- migrator: no-transaction\nselect 1;\ndrop table nothing;";
    folder.write("V2__unique.down.sql", undo);
    let give_up = ["repair", "--undo", "--yes", "--dir", folder.path()];
    run(&database, &give_up).await.exits(6);
    folder.write("V2__unique.down.sql", "drop table two;");
    run(&database, &give_up).await.exits(2).says("its first line does not say so any more");
    run(&database, &["repair", "--restart", "--dir", folder.path()])
        .await
        .exits(0)
        .says("V2__unique begins at its first statement again: `migrator repair --undo`");
    run(&database, &give_up).await.exits(0).says("V2__unique is undone, and not applied");
    assert_eq!(tables(&database).await, ["refinery_schema_history", "t"]);
}
