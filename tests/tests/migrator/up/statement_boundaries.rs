//! Where the statements of a script begin and end, and what in them only psql knows.

use tests::TestDatabase;

use crate::support::catalog::{tables, versions};
use crate::support::folder::Folder;
use crate::support::program::run;

/// Words of PostgreSQL that are names here, and three statements after them.
const NAMES: &str = r#"
create table t (begin date, "end" date, atomic int, commit int);
create function overlaps(begin date, "end" date default '2030-01-01') returns boolean
  language sql immutable as 'select true';
create function spans() returns table (begin date, "end" date)
  language sql begin atomic
    select t.begin, case when t.atomic = 1 then case t.commit when 2 then t.begin end end from t;
    select begin, t."end" as end from t;
  end;
create procedure clear(begin date) begin atomic delete from t where t.begin = clear.begin; end;
create function begin() returns int language sql as 'select 1';
select begin, atomic end, t.commit from t;
alter table t rename begin to start;
create table last ();
"#;

#[tokio::test]
async fn words_that_are_names_do_not_swallow_the_rest_of_a_script() {
    let database = TestDatabase::create().await;
    let script = format!("-- migrator: no-transaction\n{NAMES}vacuum t;\nselect 1 / 0;");
    let folder = Folder::new(&[("V1__names.sql", &script)]);
    run(&database, &["up", "--dir", folder.path()])
        .await
        .exits(6)
        .says("line 17, column 1: division by zero")
        .says("statements 1 to 9 of 10 are done, 10 failed");
    assert_eq!(
        tables(&database).await,
        ["last", "migrator_incomplete", "refinery_schema_history", "t"]
    );
}

#[tokio::test]
async fn transaction_control_after_such_names_is_refused_before_anything_runs() {
    for control in ["commit", "begin", "rollback", "end", "start transaction"] {
        let database = TestDatabase::create().await;
        let script = format!("{NAMES}{control};\n");
        let folder = Folder::new(&[("V1__names.sql", &script)]);
        let name = control.to_uppercase();
        run(&database, &["up", "--dir", folder.path()])
            .await
            .exits(5)
            .says(&format!("line 15, column 1: `{name}` would end the transaction"))
            .says("nothing is applied; nothing was run");
        assert_eq!(tables(&database).await, [""; 0], "{control}");
    }
}

#[tokio::test]
async fn commands_of_psql_are_named_with_what_to_write_instead() {
    for (script, place, hint) in [
        (
            "-- a dump\n\n\\restrict 5bVX\n\nset lock_timeout = 0;\n",
            r"line 3, column 1: `\restrict` is a command of psql",
            "write the dump with `pg_dump … | sed -E '/^\\\\(un)?restrict /d'`",
        ),
        (
            "create table a ();\n\\connect other\ncreate table b ();",
            r"line 2, column 1: `\connect` is a command of psql",
            "`pg_dump` without `--create`",
        ),
        (
            "create table a ();\n  \\i b.sql",
            r"line 2, column 3: `\i` is a command of psql",
            "put the content of that file in its place",
        ),
        (
            "create table a ();\n\\copy a from 'a.csv'",
            r"line 2, column 1: `\copy` is a command of psql",
            "`insert` statements",
        ),
        (
            "-- migrator: no-transaction\nselect 'create table a ()' \\gexec\n",
            r"line 2, column 28: `\gexec` is a command of psql",
            "in a `do` block",
        ),
        (
            "\\set a 1\n",
            r"line 1, column 1: `\set` is a command of psql",
            "write what it does in SQL",
        ),
    ] {
        let database = TestDatabase::create().await;
        let folder = Folder::new(&[("V1__psql.sql", script)]);
        run(&database, &["up", "--dir", folder.path()])
            .await
            .exits(5)
            .says(place)
            .says(hint)
            .says("nothing was run");
        run(&database, &["sql", "--dir", folder.path()]).await.exits(5).says(place);
        assert_eq!(tables(&database).await, [""; 0], "{script}");
    }
}

#[tokio::test]
async fn backslashes_in_texts_are_not_for_psql() {
    let database = TestDatabase::create().await;
    let folder = Folder::new(&[(
        "V1__texts.sql",
        "create table a (t text default E'\\\\i', \"\\\\x\" int);\n\
         insert into a values ('\\restrict', 1), ($$\\copy$$, 2); -- \\set\n/* \\i */\n",
    )]);
    run(&database, &["up", "--dir", folder.path()]).await.exits(0);
    assert_eq!(versions(&database).await, [1]);
}

#[tokio::test]
async fn a_copy_to_the_client_is_refused_before_anything_runs() {
    for (script, place) in [
        ("create table a ();\ncopy a to stdout;", "line 2, column 1: `COPY … TO STDOUT`"),
        (
            "-- migrator: no-transaction\ncreate table stdin (a int);\ncopy (select a from stdin) to stdout;",
            "line 3, column 1: `COPY … TO STDOUT`",
        ),
        ("create table a ();\ncopy a from stdin;", "line 2, column 1: `COPY … FROM STDIN`"),
    ] {
        let database = TestDatabase::create().await;
        let folder = Folder::new(&[("V1__a.sql", script)]);
        run(&database, &["up", "--dir", folder.path()]).await.exits(5).says(place);
        assert_eq!(tables(&database).await, [""; 0], "{script}");
    }
}
