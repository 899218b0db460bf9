//! Migrations that fail, and files that are not migrations.

use tests::TestDatabase;

use crate::support::catalog::{objects, tables, versions};
use crate::support::folder::Folder;
use crate::support::program::{run, run_with};

#[tokio::test]
async fn the_place_of_the_error_is_named() {
    let database = TestDatabase::create().await;
    let folder = Folder::new(&[
        ("V1__good.sql", "create table good ();"),
        ("V2__bad.sql", "create table bad (id int);\n-- größer\nselect 'ä', * from\n\tnowhere;\n"),
        ("V3__later.sql", "create table later ();"),
    ]);
    let output = run(&database, &["up", "--dir", folder.path()]).await.exits(5);
    let error = output.stderr.split_once("error: ").expect("an error").1;
    insta::assert_snapshot!(error.replace(folder.path(), "migrations"), @r#"
    failed to apply V2__bad.sql: line 4, column 2: relation "nowhere" does not exist (42P01)
       --> migrations/V2__bad.sql:4:2
        |
      4 |  nowhere;
        |  ^
      V1 and earlier are applied; V2 was rolled back; V3 was not started
    hint: fix V2 and run `migrator up` again; `migrator status` shows the history
    "#);
}

#[tokio::test]
async fn a_failed_migration_leaves_the_database_as_it_was() {
    let database = TestDatabase::create().await;
    let folder = Folder::new(&[("V1__good.sql", "create table good ();")]);
    run(&database, &["up", "--dir", folder.path()]).await.exits(0);
    let before = objects(&database).await;
    folder.write(
        "V2__bad.sql",
        "create table bad (); insert into good default values; select 1 / 0;",
    );
    run(&database, &["up", "--dir", folder.path()]).await.exits(5).says("(22012)");
    assert_eq!(objects(&database).await, before);
    assert_eq!(versions(&database).await, [1]);
}

#[tokio::test]
async fn a_failed_migration_can_be_fixed_and_applied() {
    let database = TestDatabase::create().await;
    let folder = Folder::new(&[("V1__bad.sql", "create table bad (id nothing);")]);
    run(&database, &["up", "--dir", folder.path()]).await.exits(5);
    folder.write("V1__bad.sql", "create table bad (id int);");
    run(&database, &["up", "--dir", folder.path()]).await.exits(0);
    assert_eq!(versions(&database).await, [1]);
}

#[tokio::test]
async fn an_error_without_a_position_names_its_statement() {
    let database = TestDatabase::create().await;
    let folder = Folder::new(&[(
        "V1__twice.sql",
        "create table t (id int primary key);\ninsert into t values (1);\n  insert into t values (1);",
    )]);
    run(&database, &["up", "--dir", folder.path()])
        .await
        .exits(5)
        .says("line 3, column 3: duplicate key value")
        .says("detail: Key (id)=(1) already exists.");
}

#[tokio::test]
async fn an_error_at_commit_is_a_failed_migration() {
    let database = TestDatabase::create().await;
    let folder = Folder::new(&[(
        "V1__deferred.sql",
        "create table t (id int primary key, other int references t deferrable initially deferred);
         insert into t values (1, 2);",
    )]);
    run(&database, &["up", "--dir", folder.path()]).await.exits(5).says("(23503)");
    assert_eq!(tables(&database).await, ["refinery_schema_history"]);
    assert_eq!(versions(&database).await, [0; 0]);
}

#[tokio::test]
async fn a_statement_that_cannot_run_in_a_transaction_is_explained() {
    let database = TestDatabase::create().await;
    let folder = Folder::new(&[
        ("V1__t.sql", "create table t (id int);"),
        ("V2__i.sql", "create index concurrently i on t (id);"),
    ]);
    run(&database, &["up", "--dir", folder.path()])
        .await
        .exits(5)
        .says("hint: each file runs in a transaction");
}

/// In a `do` block and in a procedure, which PostgreSQL reports with another code.
#[tokio::test]
async fn a_block_that_commits_in_a_transaction_is_explained() {
    for block in [
        "do $$ begin commit; end $$;",
        "do $$ begin rollback; end $$;",
        "create procedure p() language plpgsql as $$ begin commit; end $$;\ncall p();",
    ] {
        let database = TestDatabase::create().await;
        let folder = Folder::new(&[("V1__a.sql", block)]);
        let output = run(&database, &["up", "--dir", folder.path()]).await.exits(5);
        let hint = "give it a file of its own whose first line is `-- migrator: no-transaction`";
        assert!(output.stderr.contains(hint), "{block}: {}", output.stderr);
        folder.write("V1__a.sql", &format!("-- migrator: no-transaction\n{block}"));
        run(&database, &["up", "--dir", folder.path()]).await.exits(0);
    }
}

#[tokio::test]
async fn a_function_that_commits_is_explained_where_there_is_no_transaction() {
    let database = TestDatabase::create().await;
    let folder = Folder::new(&[(
        "V1__a.sql",
        "-- migrator: no-transaction
create function f() returns int language plpgsql as $$ begin commit; return 1; end $$;
select f();",
    )]);
    run(&database, &["up", "--dir", folder.path()])
        .await
        .exits(6)
        .says("(2D000)")
        .says("only a `do`, and a procedure that `call` runs by itself, can commit or roll back");
}

#[tokio::test]
async fn a_migration_that_commits_is_refused_before_anything_runs() {
    let database = TestDatabase::create().await;
    let folder = Folder::new(&[
        ("V1__good.sql", "create table good ();"),
        ("V2__commits.sql", "create table half ();\ncommit;\ncreate table other_half ();"),
    ]);
    run(&database, &["up", "--dir", folder.path()])
        .await
        .exits(5)
        .says("V2__commits.sql: line 2, column 1: `COMMIT` would end the transaction")
        .says("nothing is applied; nothing was run");
    assert_eq!(objects(&database).await, [""; 0]);
}

#[tokio::test]
async fn an_undo_script_that_commits_is_refused_before_anything_runs() {
    let database = TestDatabase::create().await;
    let folder = Folder::with_three_migrations();
    folder.write("V2__two.down.sql", "drop table two; end;");
    run(&database, &["up", "--dir", folder.path()]).await.exits(0);
    run(&database, &["down", "--to", "0", "--yes", "--dir", folder.path()])
        .await
        .exits(5)
        .says("`END` would end the transaction");
    assert_eq!(versions(&database).await, [1, 2, 3]);
}

#[tokio::test]
async fn an_undetected_commit_is_reported_and_not_recorded() {
    let database = TestDatabase::create().await;
    // If backslashes escape, these are two strings with a statement between them, not three strings.
    let options = "options=-c%20standard_conforming_strings%3Doff";
    let url = format!("{}&{options}", database.url().to_connection_string());
    let folder = Folder::new(&[(
        "V1__hidden.sql",
        r"create table half (); select '\''; commit; select '\'';",
    )]);
    run_with(&[("DATABASE_URL", &url)], &["up", "--dir", folder.path()])
        .await
        .exits(5)
        .says("the script ended the transaction that it ran in")
        .says("V1 was left unfinished");
    assert_eq!(versions(&database).await, [0; 0]);
}

#[tokio::test]
async fn words_that_only_look_like_transaction_control_are_fine() {
    let database = TestDatabase::create().await;
    let folder = Folder::new(&[(
        "V1__words.sql",
        "-- begin; commit;
         create table t (note text default 'commit; rollback;');
         do $$ begin perform 1; end $$;
         create function f() returns int language sql begin atomic select case when true then 1 end; end;
         savepoint here; insert into t values ('x'); rollback to savepoint here; release here;",
    )]);
    run(&database, &["up", "--dir", folder.path()]).await.exits(0);
    assert_eq!(versions(&database).await, [1]);
}

#[tokio::test]
async fn a_table_that_is_there_already_is_explained() {
    let database = TestDatabase::create().await;
    database.client().await.batch_execute("create table tasks ()").await.expect("create a table");
    run(&database, &["up"])
        .await
        .exits(5)
        .says("relation \"tasks\" already exists (42P07)")
        .says("hint: something of that name is there already");
    assert_eq!(versions(&database).await, [0; 0]);
}

#[tokio::test]
async fn files_that_are_no_migrations_are_a_usage_error() {
    let database = TestDatabase::create().await;
    let folder = Folder::new(&[
        ("V1__one.sql", ""),
        ("V01__other.sql", ""),
        ("V2__gone.down.sql", ""),
        ("notes.sql", ""),
        ("README.md", "not looked at"),
    ]);
    run(&database, &["up", "--dir", folder.path()])
        .await
        .exits(2)
        .says("`V1__one.sql`: version 1 is taken by `V01__other.sql` already")
        .says("`V2__gone.down.sql`: there is no `V2__gone.sql` that it could undo")
        .says("`notes.sql`: not named like `V1__what_it_does.sql`");
    assert_eq!(objects(&database).await, [""; 0]);
}

#[tokio::test]
async fn a_folder_that_is_not_there_is_a_usage_error() {
    let database = TestDatabase::create().await;
    run(&database, &["up", "--dir", "nowhere"]).await.exits(2).says("cannot read `nowhere`");
}

#[tokio::test]
async fn a_role_without_privileges_gets_a_hint() {
    let database = TestDatabase::create().await;
    let set_up = "revoke create on schema public from public; create schema other;";
    database.client().await.batch_execute(set_up).await.expect("take rights away");
    let options = "options=-c%20role%3Dpg_monitor";
    let url = format!("{}&{options}", database.url().to_connection_string());
    run_with(&[("DATABASE_URL", &url)], &["up"])
        .await
        .exits(3)
        .says("the database refused to create the history table: permission denied")
        .says("hint: the role needs the right");
}

#[tokio::test]
async fn a_role_that_does_not_own_the_tables_gets_a_hint() {
    let database = TestDatabase::create().await;
    run(&database, &["up", "--to", "1"]).await.exits(0);
    let role = database.role("worker").await;
    let rights = format!(
        "grant create on schema public to {role};
         grant select, insert on refinery_schema_history to {role}",
        role = role.quoted()
    );
    database.client().await.batch_execute(&rights).await.expect("give some rights");
    let url = database.url_as(&role).to_connection_string();
    run_with(&[("DATABASE_URL", &url)], &["up"])
        .await
        .exits(5)
        .says("must be owner of table tasks (42501)")
        .says("V1 and earlier are applied; V2 was rolled back; V3 to V5 were not started")
        .says("hint: the role lacks a right: connect as the owner of the schema's tables");
    assert_eq!(versions(&database).await, [1]);
}

#[tokio::test]
async fn a_read_only_replica_is_distinguished_from_the_primary() {
    let database = TestDatabase::create().await;
    let options = "options=-c%20default_transaction_read_only%3Don";
    let url = format!("{}&{options}", database.url().to_connection_string());
    run_with(&[("DATABASE_URL", &url)], &["up"])
        .await
        .exits(3)
        .says("hint: this is a read-only replica");
    assert_eq!(objects(&database).await, [""; 0]);
}
