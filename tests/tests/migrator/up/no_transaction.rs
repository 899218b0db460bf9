//! Migrations without a transaction: `-- migrator: no-transaction`.

use insta::assert_snapshot;
use tests::{TestDatabase, until};
use tokio_postgres::Client;

use crate::support::catalog::{objects, objects_without_history, tables, versions};
use crate::support::folder::Folder;
use crate::support::program::{run, run_with, start, wait};

/// A migration with a table, and one that builds an index concurrently.
pub(crate) fn with_an_index() -> Folder {
    Folder::new(&[
        ("V1__t.sql", "create table t (id int);"),
        ("V1__t.down.sql", "drop table t;"),
        (
            "V2__index.sql",
            "-- migrator: no-transaction\ncreate index concurrently t_id on t (id);\n",
        ),
        ("V2__index.down.sql", "-- migrator: no-transaction\ndrop index concurrently t_id;\n"),
    ])
}

/// A table with a duplicate value, and a migration whose second statement fails because of it.
pub(crate) async fn with_duplicates(database: &TestDatabase) -> Folder {
    let folder = Folder::new(&[
        ("V1__t.sql", "create table t (id int); insert into t values (1), (1);"),
        ("V1__t.down.sql", "drop table t;"),
        (
            "V2__unique.sql",
            "-- migrator: no-transaction\n\
             create table two ();\n\
             create unique index concurrently t_id on t (id); -- ids are unique\n\
             create table three ();\n",
        ),
        (
            "V2__unique.down.sql",
            "drop table if exists three; drop index if exists t_id; drop table two;",
        ),
        ("V3__four.sql", "create table four ();"),
    ]);
    run(database, &["up", "--to", "1", "--dir", folder.path()]).await.exits(0);
    folder
}

/// A session with a snapshot, for which every concurrent index build has to wait.
pub(crate) async fn old_transaction(database: &TestDatabase) -> Client {
    let other = database.client().await;
    let begin = "begin isolation level repeatable read; select from pg_class limit 1";
    other.batch_execute(begin).await.expect("a snapshot");
    other
}

/// Waits until an index build has waited for other sessions for 500 ms: longer than the lock timeout of
/// these tests.
pub(crate) async fn build_waits(database: &TestDatabase) {
    let client = database.client().await;
    let waiting = "select from pg_stat_progress_create_index as progress
        join pg_stat_activity as activity using (pid)
        where progress.datname = current_database() and phase like 'waiting%'
          and query_start < clock_timestamp() - interval '500 ms'";
    until("the build waits", async || {
        client.query_opt(waiting, &[]).await.expect("query").map(|_| ())
    })
    .await;
}

/// The invalid indexes in a database.
pub(crate) async fn invalid_indexes(database: &TestDatabase) -> Vec<String> {
    let query = "select indexrelid::regclass::text from pg_index where not indisvalid order by 1";
    let rows = database.client().await.query(query, &[]).await.expect("list the indexes");
    rows.iter().map(|row| row.get(0)).collect()
}

#[tokio::test]
async fn an_index_can_be_built_and_dropped_concurrently() {
    let database = TestDatabase::create().await;
    let folder = with_an_index();
    run(&database, &["up", "--dir", folder.path()])
        .await
        .exits(0)
        .says("Applying V2__index ... done")
        .says("2 migrations applied, the database is at V2__index");
    assert_eq!(tables(&database).await, ["refinery_schema_history", "t"]);
    let created = objects(&database).await;
    assert!(created.iter().any(|object| object.contains("CREATE INDEX t_id")), "{created:?}");
    run(&database, &["status", "--check", "--dir", folder.path()]).await.exits(0);
    run(&database, &["down", "--to", "0", "--yes", "--dir", folder.path()]).await.exits(0);
    assert_eq!(objects_without_history(&database).await, [""; 0]);
    run(&database, &["up", "--dir", folder.path()]).await.exits(0);
    assert_eq!(objects(&database).await, created);
}

#[tokio::test]
async fn refinery_continues_after_it() {
    let database = TestDatabase::create().await;
    let folder = with_an_index();
    run(&database, &["up", "--dir", folder.path()]).await.exits(0);
    folder.remove("V1__t.down.sql");
    folder.remove("V2__index.down.sql");
    folder.write("V3__three.sql", "create table three ();");
    let migrations = refinery::load_sql_migrations(folder.path()).expect("read the migrations");
    let runner = refinery::Runner::new(&migrations);
    let mut client = database.client().await;
    let report = runner.run_async(&mut client).await.expect("agree with the history");
    let applied: Vec<u32> =
        report.applied_migrations().iter().map(|one| one.version().unsigned_abs()).collect();
    assert_eq!(applied, [3]);
    run(&database, &["status", "--check", "--dir", folder.path()]).await.exits(0);
}

#[tokio::test]
async fn directives_that_mean_nothing_are_usage_errors() {
    let database = TestDatabase::create().await;
    let folder = Folder::new(&[
        ("V1__a.sql", "-- migrator: no-transactions\nselect 1;"),
        ("V2__b.sql", "-- An index.\n-- migrator: no-transaction\nselect 1;"),
        ("V3__c.sql", "select 1; -- \0"),
    ]);
    run(&database, &["up", "--dir", folder.path()])
        .await
        .exits(2)
        .says("`V1__a.sql`: there is no directive `-- migrator: no-transactions`; there are `no-transaction` and `allow RULE`")
        .says("`V2__b.sql`: `-- migrator: no-transaction` has to be the first line")
        .says("`V3__c.sql`: contains a null byte, which PostgreSQL does not take");
    assert_eq!(objects(&database).await, [""; 0]);
}

#[tokio::test]
async fn what_cannot_be_run_statement_by_statement_is_refused_before_anything_runs() {
    let database = TestDatabase::create().await;
    for (statement, message) in [
        ("begin", "V1__a.sql: line 3, column 1: `BEGIN` in a script without a transaction"),
        ("commit", "`COMMIT` in a script without a transaction"),
        ("create index concurrently on a (id)", "an index that is built concurrently needs a name"),
        ("copy a from stdin", "`COPY … FROM STDIN` has no input here"),
    ] {
        let script = format!("-- migrator: no-transaction\ncreate table a (id int);\n{statement};");
        let folder = Folder::new(&[("V1__a.sql", script.as_str())]);
        run(&database, &["up", "--dir", folder.path()]).await.exits(5).says(message);
        assert_eq!(objects(&database).await, [""; 0], "{statement}");
    }
}

#[tokio::test]
async fn every_kind_of_statement_runs() {
    let database = TestDatabase::create().await;
    let folder = Folder::new(&[
        (
            "V1__all.sql",
            "-- migrator: no-transaction
             create schema apart;
             set search_path = apart;
             create table t (id int primary key);
             create procedure fill() language plpgsql as $$
             begin insert into apart.t values (1); commit; insert into apart.t values (2); end $$;
             call fill();
             do $$ begin insert into t values (3); commit; insert into t values (4); end $$;
             do $$ begin insert into t values (5); end $$;
             vacuum analyze t;
             create index concurrently if not exists t_id on t (id);
             reindex index concurrently t_id;
             reindex (verbose, concurrently) table t;
             drop index concurrently t_id;
             alter system reset work_mem;
             comment on table t is 'it''s; \\ done'",
        ),
        ("V2__next.sql", "create table next ();"),
    ]);
    run(&database, &["up", "--dir", folder.path()]).await.exits(0);
    let row = database.client().await.query_one("select count(*) from apart.t", &[]).await;
    assert_eq!(row.expect("count").get::<_, i64>(0), 5);
    assert_eq!(tables(&database).await, ["next", "refinery_schema_history"]);
}

#[tokio::test]
async fn a_first_statement_that_fails_leaves_nothing() {
    let database = TestDatabase::create().await;
    let folder = Folder::new(&[
        ("V1__t.sql", "create table t (id int); insert into t values (1), (1);"),
        (
            "V2__unique.sql",
            "-- migrator: no-transaction\ncreate unique index concurrently t_id on t (id);",
        ),
        ("V3__typo.sql", "-- migrator: no-transaction\ncreate tabel x ();"),
    ]);
    run(&database, &["up", "--dir", folder.path()])
        .await
        .exits(5)
        .says("V2__unique.sql:2:1")
        .says("(23505)")
        .says("the invalid index public.t_id that it left was dropped")
        .says("V1 and earlier are applied; V2 was rolled back");
    assert_eq!(invalid_indexes(&database).await, [""; 0]);
    assert_eq!(tables(&database).await, ["refinery_schema_history", "t"]);
    database.client().await.batch_execute("truncate t").await.expect("remove the duplicates");
    run(&database, &["up", "--dir", folder.path()])
        .await
        .exits(5)
        .says("V3__typo.sql:2:8")
        .says("V2 and earlier are applied; V3 was rolled back");
    run(&database, &["status", "--check", "--dir", folder.path()]).await.exits(1);
}

#[tokio::test]
async fn a_statement_that_fails_later_leaves_an_incomplete_migration() {
    let database = TestDatabase::create().await;
    let folder = with_duplicates(&database).await;
    let output = run(&database, &["up", "--dir", folder.path()]).await.exits(6);
    let error = output.stderr.split_once("error: ").expect("an error").1;
    assert_snapshot!(error.replace(folder.path(), "migrations"), @r#"
    failed to apply V2__unique.sql: line 3, column 1: could not create unique index "t_id" (23505)
       --> migrations/V2__unique.sql:3:1
        |
      3 | create unique index concurrently t_id on t (id); -- ids are unique
        | ^
      detail: Key (id)=(1) is duplicated.
      the invalid index public.t_id that it left was dropped
      V1 and earlier are applied; V2 is incomplete: statement 1 of 3 is done, 2 failed; run `migrator repair`; V3 was not started
    hint: make the rest of `V2__unique.sql` possible, then run `migrator repair` and `migrator up`
    "#);
    assert!(output.stderr.contains("2        unique  incomplete "), "{}", output.stderr);
    assert!(output.stderr.contains("3        four    not started  -\n"), "{}", output.stderr);
    assert_eq!(invalid_indexes(&database).await, [""; 0]);
    assert_eq!(versions(&database).await, [1]);
    let before = objects(&database).await;

    let status = run(&database, &["status", "--dir", folder.path()]).await.exits(0).stdout;
    let line = status.lines().nth(2).expect("a line").to_owned();
    assert_eq!(
        line,
        "2        unique  incomplete  -  (1 of 3 statements is done; run `migrator repair`)"
    );
    run(&database, &["status", "--check", "--dir", folder.path()]).await.exits(6);
    for command in [
        &["up"][..],
        &["up", "--dry-run"],
        &["down", "--yes"],
        &["down", "--dry-run"],
        &["baseline", "1", "--yes"],
    ] {
        run(&database, &[command, &["--dir", folder.path()]].concat())
            .await
            .exits(6)
            .says("error: V2__unique is incomplete: 1 of 3 statements is done")
            .says("hint: `migrator repair` ");
    }
    let document = run(&database, &["up", "--json", "--dir", folder.path()]).await.exits(6).json();
    assert_eq!(document["error"]["kind"], "incomplete");
    assert_eq!(document["error"]["details"][0], "nothing was run");
    let health = run(&database, &["health", "--dir", folder.path()])
        .await
        .exits(0)
        .says("warning: a migration is incomplete");
    assert!(health.stdout.contains("at V1: 1 applied, 1 pending, 1 incomplete"), "{health:?}");
    assert_eq!(objects(&database).await, before);
}

#[tokio::test]
async fn an_undo_script_can_be_incomplete_too() {
    let database = TestDatabase::create().await;
    let folder = with_an_index();
    folder.write(
        "V2__index.down.sql",
        "-- migrator: no-transaction\ndrop index concurrently t_id;\ndrop table nowhere;\n",
    );
    run(&database, &["up", "--dir", folder.path()]).await.exits(0);
    run(&database, &["down", "--yes", "--dir", folder.path()])
        .await
        .exits(6)
        .says("the database is at V2; the undoing of V2 is incomplete: statement 1 of 2 is done, 2 failed");
    run(&database, &["status", "--check", "--dir", folder.path()]).await.exits(6);
    run(&database, &["up", "--dir", folder.path()]).await.exits(6);
    folder.write(
        "V2__index.down.sql",
        "-- migrator: no-transaction\ndrop index concurrently t_id;\ndrop table if exists nowhere;\n",
    );
    run(&database, &["repair", "--dir", folder.path()])
        .await
        .exits(0)
        .says("V2__index can be resumed at statement 2 of 2: `migrator down`");
    run(&database, &["up", "--dir", folder.path()])
        .await
        .exits(6)
        .says("hint: `migrator down` resumes it");
    run(&database, &["down", "--yes", "--dir", folder.path()])
        .await
        .exits(0)
        .says("Resuming V2__index at statement 2 of 2 ... ");
    assert_eq!(versions(&database).await, [1]);
    assert_eq!(tables(&database).await, ["refinery_schema_history", "t"]);
}

/// `drop index concurrently` first marks the index as invalid, which it stays if the drop is cancelled.
#[tokio::test]
async fn a_half_dropped_index_leaves_the_undoing_incomplete() {
    let database = TestDatabase::create().await;
    let folder = with_an_index();
    run(&database, &["up", "--dir", folder.path()]).await.exits(0);
    let other = database.client().await;
    other.batch_execute("begin; select from t").await.expect("use the table");
    let down = ["down", "--yes", "--statement-timeout", "300ms", "--dir", folder.path()];
    run(&database, &down)
        .await
        .exits(6)
        .says("the undoing of V2 is incomplete: statement 1 of 1 failed; run `migrator repair`");
    assert_eq!(invalid_indexes(&database).await, ["t_id"]);
    other.batch_execute("commit").await.expect("let go of the table");
    run(&database, &["repair", "--dir", folder.path()]).await.exits(0);
    run(&database, &down).await.exits(0);
    assert_eq!(invalid_indexes(&database).await, [""; 0]);
    assert_eq!(versions(&database).await, [1]);
}

#[tokio::test]
async fn a_build_waits_for_old_transactions_as_long_as_it_takes() {
    let database = TestDatabase::create().await;
    let folder = with_an_index();
    run(&database, &["up", "--to", "1", "--dir", folder.path()]).await.exits(0);
    let other = old_transaction(&database).await;
    let up = ["up", "--lock-timeout", "100ms", "--lock-retries", "0", "--dir", folder.path()];
    let program = start(&database, &up).await;
    build_waits(&database).await;
    run(&database, &["status", "--dir", folder.path()]).await.exits(0);
    let document =
        run(&database, &["status", "--json", "--dir", folder.path()]).await.exits(0).json();
    let problem = document["migrations"][1]["problem"].to_string();
    assert!(problem.contains("0 of 1 statements are done; a migrator is at work: "), "{problem}");
    // No writer is blocked meanwhile.
    let writer = database.client().await;
    let write = "set lock_timeout = '5s'; insert into t values (1);";
    writer.batch_execute(write).await.expect("write while the index is built");
    other.batch_execute("commit").await.expect("let go");
    wait(program).await.exits(0);
    assert_eq!(invalid_indexes(&database).await, [""; 0]);
    assert_eq!(versions(&database).await, [1, 2]);
}

/// A migrator that waits for the lock must not hold a snapshot: the index build would wait for it.
#[tokio::test]
async fn two_that_are_started_together_do_not_wait_for_each_other() {
    let database = TestDatabase::create().await;
    let folder = with_an_index();
    run(&database, &["up", "--to", "1", "--dir", folder.path()]).await.exits(0);
    let other = old_transaction(&database).await;
    let first = start(&database, &["up", "--dir", folder.path()]).await;
    build_waits(&database).await;
    let second = start(&database, &["up", "--dir", folder.path()]).await;
    let client = database.client().await;
    let present = "select count(*) from pg_stat_activity
        where datname = current_database() and application_name = 'taskie-migrator'";
    until("both are there", async || {
        let row = client.query_one(present, &[]).await.expect("query");
        (row.get::<_, i64>(0) == 2).then_some(())
    })
    .await;
    other.batch_execute("commit").await.expect("let go");
    let (first, second) = tokio::join!(wait(first), wait(second));
    first.exits(0).says("1 migration applied");
    second.exits(0).says("Another migrator is at work").says("Nothing to do");
    assert_eq!(versions(&database).await, [1, 2]);
}

#[tokio::test]
async fn a_statement_that_times_out_on_a_lock_is_retried() {
    let database = TestDatabase::create().await;
    let folder = with_an_index();
    folder.write(
        "V2__index.sql",
        "-- migrator: no-transaction\ncreate table two ();\nalter table t add column note text;",
    );
    run(&database, &["up", "--to", "1", "--dir", folder.path()]).await.exits(0);
    let other = database.client().await;
    other.batch_execute("begin; select from t").await.expect("use the table");
    let limits = ["--lock-timeout", "50ms", "--lock-retries", "1", "--dir", folder.path()];
    run(&database, &[&["up"], &limits[..]].concat())
        .await
        .exits(6)
        .says("V2__index timed out waiting for a table lock; retrying in ")
        .says("tried 2 times in ")
        .says("V2 is incomplete: statement 1 of 2 is done, 2 failed; run `migrator repair`");
    other.batch_execute("commit").await.expect("let go of the table");
    run(&database, &["repair", "--dir", folder.path()]).await.exits(0);
    run(&database, &["up", "--dir", folder.path()]).await.exits(0);
}

#[tokio::test]
async fn an_existing_invalid_index_is_not_taken_for_a_valid_one() {
    let database = TestDatabase::create().await;
    let folder = with_duplicates(&database).await;
    let client = database.client().await;
    let build = "create unique index concurrently t_id on t (id)";
    client.batch_execute(build).await.expect_err("there are duplicates");
    client.batch_execute("truncate t").await.expect("remove the duplicates");
    folder.write(
        "V2__unique.sql",
        "-- migrator: no-transaction\ncreate unique index concurrently if not exists t_id on t (id);",
    );
    run(&database, &["up", "--to", "2", "--dir", folder.path()])
        .await
        .exits(5)
        .says("the index was not built: one of that name is there and invalid, or on another table")
        .says("hint: drop what is there, with `drop index concurrently`, or choose another name");
    assert_eq!(invalid_indexes(&database).await, ["t_id"]);
    assert_eq!(versions(&database).await, [1]);
    client.batch_execute("drop index t_id").await.expect("drop it");
    run(&database, &["up", "--dir", folder.path()]).await.exits(0);
}

#[tokio::test]
async fn a_lost_lock_stops_it_between_statements() {
    let database = TestDatabase::create().await;
    let folder = Folder::new(&[(
        "V1__a.sql",
        "-- migrator: no-transaction\nselect pg_advisory_unlock_all();\ncreate table a ();",
    )]);
    run(&database, &["up", "--dir", folder.path()])
        .await
        .exits(3)
        .says("error: the migration lock was lost: a script released the locks of the session")
        .says("hint: take that out of the script")
        .does_not_print("pooler")
        .says("V1__a runs without a transaction: it is incomplete until `migrator repair`")
        .says("1        a     incomplete  ");
    run(&database, &["status", "--check", "--dir", folder.path()]).await.exits(6);
    assert_eq!(tables(&database).await, ["migrator_incomplete", "refinery_schema_history"]);
}

#[tokio::test]
async fn discarding_the_session_is_refused_before_anything_runs() {
    for script in [
        "create table a ();\ndiscard all;",
        "-- migrator: no-transaction\nDISCARD ALL;\ncreate table a ();",
    ] {
        let database = TestDatabase::create().await;
        let folder = Folder::new(&[("V1__a.sql", script)]);
        run(&database, &["up", "--dir", folder.path()])
            .await
            .exits(5)
            .says("line 2, column 1: `DISCARD ALL` would release the lock")
            .does_not_print("pooler");
        assert_eq!(tables(&database).await, [""; 0]);
    }
}

#[tokio::test]
async fn a_session_that_is_ended_between_statements_leaves_an_accurate_status() {
    let database = TestDatabase::create().await;
    let folder = Folder::new(&[(
        "V1__ends.sql",
        "-- migrator: no-transaction\ncreate table a ();\nselect pg_terminate_backend(pg_backend_pid());",
    )]);
    run(&database, &["up", "--dir", folder.path()])
        .await
        .exits(3)
        .says("lost the connection to the database during V1__ends: terminating connection due to")
        .says("it is incomplete until `migrator repair` has looked at it")
        .says("1        ends  incomplete  ");
    let status = run(&database, &["status", "--dir", folder.path()]).await.exits(0).stdout;
    assert!(status.contains("(1 of 2 statements is done; run `migrator repair`)"), "{status}");
}

#[tokio::test]
async fn a_schema_created_without_a_transaction_can_be_adopted() {
    let (database, model) = (TestDatabase::create().await, TestDatabase::create().await);
    let folder = with_an_index();
    run(&model, &["up", "--dir", folder.path()]).await.exits(0);
    database.client().await.batch_execute("create table t (id int)").await.expect("create a table");
    run(&database, &["baseline", "2", "--yes", "--dir", folder.path()])
        .await
        .exits(2)
        .says("no index t_id on t");
    database
        .client()
        .await
        .batch_execute("create index t_id on t (id)")
        .await
        .expect("create an index");
    run(&database, &["baseline", "2", "--yes", "--dir", folder.path()]).await.exits(0);
    assert_eq!(objects(&database).await, objects(&model).await);
}

#[tokio::test]
async fn a_role_that_is_no_superuser_can_run_it() {
    let database = TestDatabase::create().await;
    let (owner, other) = (database.role("owner").await, database.role("other").await);
    let rights = format!(
        "grant create on schema public to {owner}, {other}; grant {other} to {owner};",
        owner = owner.quoted(),
        other = other.quoted()
    );
    database.client().await.batch_execute(&rights).await.expect("give rights");
    let folder = with_duplicates(&TestDatabase::create().await).await;
    folder.write(
        "V3__other.sql",
        &format!(
            "-- migrator: no-transaction\nset role {other};\ncreate table four (id int);\n\
             create index concurrently on_four on four (id);\nreset role;\nvacuum t;",
            other = other.quoted()
        ),
    );
    folder.remove("V3__four.sql");
    let url = database.url_as(&owner).to_connection_string();
    let variables = [("DATABASE_URL", url.as_str())];
    let up = ["up", "--dir", folder.path()];
    run_with(&variables, &up)
        .await
        .exits(6)
        .says("the invalid index public.t_id that it left was dropped");
    database.client().await.batch_execute("truncate t").await.expect("remove the duplicates");
    run_with(&variables, &["repair", "--dir", folder.path()]).await.exits(0);
    run_with(&variables, &up).await.exits(0).says("2 migrations applied");
    let query = "select tableowner::text from pg_tables where tablename = 'four'";
    let row = database.client().await.query_one(query, &[]).await.expect("query");
    assert_eq!(row.get::<_, &str>(0), other.name);
}

#[tokio::test]
async fn a_schema_in_the_connection_options_is_used() {
    let database = TestDatabase::create().await;
    database.client().await.batch_execute("create schema apart").await.expect("create a schema");
    let url = format!("{}&options=-c%20search_path%3Dapart", database.url().to_connection_string());
    let folder = with_an_index();
    folder.write(
        "V2__index.sql",
        "-- migrator: no-transaction\nset search_path = ''; set role pg_monitor; reset role;\n\
         create index concurrently t_id on apart.t (id);",
    );
    let variables = [("DATABASE_URL", url.as_str())];
    run_with(&variables, &["up", "--dir", folder.path()]).await.exits(0);
    run_with(&variables, &["status", "--check", "--dir", folder.path()]).await.exits(0);
    assert_eq!(tables(&database).await, [""; 0]);
}

/// If the migrator's lexer found other string boundaries than PostgreSQL, it would send parts of
/// statements.
#[tokio::test]
async fn escape_strings_end_where_they_end_for_postgresql() {
    let database = TestDatabase::create().await;
    let folder = Folder::new(&[(
        "V1__a.sql",
        "-- migrator: no-transaction\n\
         create table a (t text);\n\
         insert into a values (e'it''s \\'); drop table a; --');\n\
         insert into a select e'two'\n  ' lines\\'; drop table a; --';\n",
    )]);
    run(&database, &["up", "--dir", folder.path()]).await.exits(0);
    let rows = database.client().await.query("select t from a order by 1", &[]).await;
    let texts: Vec<String> = rows.expect("read").iter().map(|row| row.get(0)).collect();
    assert_eq!(texts, ["it's '); drop table a; --", "two lines'; drop table a; --"]);
}

/// For example the API's role, with which `health` connects.
#[tokio::test]
async fn a_role_that_can_read_the_history_sees_what_is_incomplete() {
    let database = TestDatabase::create().await;
    let folder = with_duplicates(&database).await;
    let reader = database.role("reader").await;
    let grant = format!("grant select on refinery_schema_history to {}", reader.quoted());
    database.client().await.batch_execute(&grant).await.expect("let it read");
    run(&database, &["up", "--dir", folder.path()]).await.exits(6);
    let url = database.url_as(&reader).to_connection_string();
    let variables = [("DATABASE_URL", url.as_str())];
    let status = run_with(&variables, &["status", "--dir", folder.path()]).await.exits(0).stdout;
    assert!(status.contains("(1 of 3 statements is done; run `migrator repair`)"), "{status}");
    let report = run_with(&variables, &["health", "--json", "--dir", folder.path()]).await.json();
    assert_eq!(report["migrations"]["incomplete"], 1, "{report}");
}
