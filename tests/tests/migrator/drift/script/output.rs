//! The script as text, messages and a file.

use insta::assert_snapshot;
use tests::TestDatabase;

use super::{adopted, execute};
use crate::support::program::{run, run_in};

const MIGRATION: &str = "create table t (id int primary key, v varchar(3) not null, at timestamptz, price numeric(8, 2))";

const LIVE: &str =
    "create table t (id int primary key, v text, at timestamp, price numeric, own text not null);
    insert into t values (1, 'long', null, 1.234, 'x'), (2, null, null, null, 'y')";

#[tokio::test]
async fn everything_is_listed_first() {
    let (database, folder) = adopted(MIGRATION, LIVE).await;
    let output = run(&database, &["drift", "--script", "--dir", folder.path()]).await.exits(1);
    assert_snapshot!(output.stdout, @r"
    -- Takes this database to the schema of its migrations, up to V1__all.
    -- Written by `migrator drift --script`, which has tried it in a copy of the schema, without rows.
    --
    -- FIRST change these rows, or the script fails and changes nothing:
    --   1 row for column t.v: null
    --     select * from t where v is null;
    --   1 row for column t.v: more than 3 characters
    --     select * from t where length(v) > 3;
    --
    -- NOT DONE, to be decided:
    --   column t.at would change from timestamp without time zone to timestamp with time zone, and nothing says in which time zone its times are: name it with `--assume-timezone`
    --     alter table t alter column at type timestamptz using at at time zone 'UTC';
    --   column t.price would change from numeric to numeric(8,2), which may lose something or fail
    --     alter table t alter column price type numeric(8,2) using price::numeric(8,2);
    --
    -- MADE OPTIONAL, because what writes by the migrations gives no value:
    --   column t.own: null is allowed now, because the migrations do not have it
    --
    -- KEPT, as only this database has it:
    --   column t.own

    begin;

    set local search_path = public;
    set local client_min_messages = warning;

    -- Fails rather than wait for long, and can be run again.
    set local lock_timeout = '3s';

    lock table t in access exclusive mode;

    -- Fails where a row is in the way, with the query that finds it.
    do $check$
    begin
      if exists (select * from t where v is null) then
        raise exception using errcode = 'check_violation', message = 'column t.v: null',
          hint = 'select * from t where v is null';
      end if;
      if exists (select * from t where length(v) > 3) then
        raise exception using errcode = 'check_violation', message = 'column t.v: more than 3 characters',
          hint = 'select * from t where length(v) > 3';
      end if;
    end
    $check$;

    -- From text. Fails where a value does not fit.
    -- Fails where it is null in a row.
    alter table t
      alter column v type varchar(3) using v,
      alter column v set not null,
      alter column own drop not null;

    commit;
    ");
    assert_snapshot!(output.stderr, @r"
    Building a shadow database from 1 migration
    Trying the script in a copy of the schema
    warning: 1 row for column t.v: null
      select * from t where v is null
    warning: 1 row for column t.v: more than 3 characters
      select * from t where length(v) > 3
    warning: not done: column t.at would change from timestamp without time zone to timestamp with time zone, and nothing says in which time zone its times are: name it with `--assume-timezone`
    warning: not done: column t.price would change from numeric to numeric(8,2), which may lose something or fail
    Made optional: column t.own, which the migrations do not have
    Kept: column t.own
    hint: do by hand what is listed, and run the command again
    ");
}

#[tokio::test]
async fn it_can_be_written_to_a_file() {
    let (database, folder) = adopted("create table t (id int)", "").await;
    let place = tempfile::TempDir::new().expect("create a folder");
    let url = database.url().to_connection_string();
    let variables = [("DATABASE_URL", url.as_str())];
    let arguments = ["drift", "--script", "--output", "adopt.sql", "--dir", folder.path()];
    let output = run_in(place.path(), &variables, &arguments).await.exits(0);
    assert_eq!(output.stdout, "");
    let sql = std::fs::read_to_string(place.path().join("adopt.sql")).expect("read the script");
    execute(&database, &sql).await;
    let arguments = ["drift", "--script", "--output", "no/such/folder.sql", "--dir", folder.path()];
    let _ = run_in(place.path(), &variables, &arguments).await.exits(2).says("cannot write");
}

#[tokio::test]
async fn a_database_without_drift_needs_none() {
    let database = TestDatabase::migrated().await;
    let output = run(&database, &["drift", "--script"]).await.exits(0);
    assert!(output.stdout.ends_with("-- There is nothing to change.\n"), "{output:#?}");
}
