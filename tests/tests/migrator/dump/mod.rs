//! `migrator dump`, and `schema.sql`, which it writes for this repository.

use insta::{assert_json_snapshot, assert_snapshot};
use tests::{TestDatabase, workspace};

use crate::support::folder::Folder;
use crate::support::program::{command, run, run_in, run_with};

/// Set by `cargo update-schema`: `schema.sql` is written before it is compared.
const UPDATE: &str = "TASKIE_UPDATE_SCHEMA";

/// Every kind of object that migrations may create, in an order that a sorted list would break.
pub(crate) const EVERYTHING: &str = include_str!("everything.sql");

async fn execute(database: &TestDatabase, sql: &str) {
    database
        .client()
        .await
        .batch_execute(sql)
        .await
        .unwrap_or_else(|error| panic!("{error:?}\n{sql}"));
}

#[tokio::test]
async fn the_file_in_this_repository_is_current() {
    let database = TestDatabase::create().await;
    let url = database.url().to_connection_string();
    let variables = [("DATABASE_URL", url.as_str())];
    if std::env::var_os(UPDATE).is_some() {
        run_in(workspace(), &variables, &["dump"]).await.exits(0);
    }
    let output = run_in(workspace(), &variables, &["dump", "--check"]).await;
    assert!(
        output.has_exited_with(0),
        "schema.sql is not what the migrations create: run `cargo update-schema` and look at the \
         difference\n{output:#?}"
    );
    output.says("`schema.sql` is current");
}

#[tokio::test]
async fn the_dump_creates_the_schema_of_the_migrations() {
    for (folder, version) in
        [(None, "5"), (Some(Folder::new(&[("V1__everything.sql", EVERYTHING)])), "1")]
    {
        let dir: Vec<&str> = folder.iter().flat_map(|folder| ["--dir", folder.path()]).collect();
        let migrations = TestDatabase::create().await;
        let dump =
            run(&migrations, &[&["dump", "--output", "-"][..], &dir].concat()).await.exits(0);
        let copy = TestDatabase::create().await;
        execute(&copy, &dump.stdout).await;
        let drift = [&["drift", "--to", version][..], &dir].concat();
        let output = run(&copy, &drift).await;
        assert_eq!(output.stdout, "");
        output.exits(0);
        // A dump of the copy is the same, except for its first line.
        let again = run(&copy, &["dump", "--live", "--output", "-"]).await.exits(0);
        let body = |text: &str| text.lines().skip(1).map(ToOwned::to_owned).collect::<Vec<_>>();
        assert_eq!(body(&again.stdout), body(&dump.stdout));
        assert!(again.stdout.starts_with("-- What is in a database.\n"), "{}", again.stdout);
    }
}

#[tokio::test]
async fn grants_are_written_when_they_are_asked_for() {
    let database = TestDatabase::create().await;
    let role = database.role("reader").await;
    let reader = role.quoted();
    let grants = format!(
        "create table t (id serial, a integer);
         grant select, update on t to {reader}; grant insert (a) on t to {reader} with grant option;
         grant usage on sequence t_id_seq to {reader};
         create function f() returns integer language sql as 'select 1';
         revoke execute on function f() from public; grant execute on function f() to {reader};
         create view v as select 1 as a; grant select on v to public;
         create type e as enum (); revoke usage on type e from public;
         create schema side; grant usage on schema side to {reader}"
    );
    let folder = Folder::new(&[("V1__grants.sql", &grants)]);
    let arguments = ["dump", "--output", "-", "--dir", folder.path(), "--grants"];
    let dump = run(&database, &arguments).await.exits(0).stdout;
    execute(&database, &dump).await;
    run(&database, &["drift", "--grants", "--to", "1", "--dir", folder.path()]).await.exits(0);
    let without = run(&database, &arguments[..5]).await.exits(0).stdout;
    assert!(!without.contains("grant "), "{without}");
    // In PostgreSQL 14, every role may create tables in `public`.
    let dump = dump.replace(&role.name, "reader").replace("grant create, usage", "grant usage");
    assert_snapshot!(dump, @r"
    -- What the migrations make, up to V1__grants.
    -- Written by `migrator dump`, never by hand: a change goes into a migration.

    create schema if not exists public;
    grant usage on schema public to public;

    create schema if not exists side;
    grant usage on schema side to reader;

    create type e as enum ();
    revoke all on type e from public;

    create function f()
      returns integer
      language sql
    as $function$select 1$function$;
    revoke all on function f() from public;
    grant execute on function f() to reader;

    create table t (
      id serial,
      a integer
    );

    grant select, update on t to reader;
    grant insert (a) on t to reader with grant option;
    grant usage on sequence t_id_seq to reader;

    create view v as
     select 1 as a;
    grant select on v to public;
    ");
}

#[tokio::test]
async fn the_file_is_written_checked_and_written_again() {
    let database = TestDatabase::create().await;
    let url = database.url().to_connection_string();
    let variables = [("DATABASE_URL", url.as_str())];
    let one = Folder::new(&[("V1__one.sql", "create table one (id integer primary key);")]);
    let here = Folder::new(&[]);
    let path = std::path::Path::new(here.path());
    let dump = |more: &'static [&'static str]| {
        let arguments = [&["dump", "--dir", one.path()][..], more].concat();
        async move { run_in(path, &variables, &arguments).await }
    };

    let output = dump(&["--check"]).await.exits(1);
    assert_snapshot!(output.stdout, @r"
    +-- What the migrations make, up to V1__one.
    +-- Written by `migrator dump`, never by hand: a change goes into a migration.
    +
    +create table one (
    +  id integer not null,
    +  constraint one_pkey primary key (id)
    +);
    ");
    assert_snapshot!(output.stderr, @r"
    Building a shadow database from 1 migration
    `schema.sql` does not exist
    hint: `migrator dump` writes it
    ");
    assert_eq!(here.names(), [""; 0]);

    dump(&[]).await.exits(0).says("`schema.sql` written");
    assert_snapshot!(here.read("schema.sql"), @r"
    -- What the migrations make, up to V1__one.
    -- Written by `migrator dump`, never by hand: a change goes into a migration.

    create table one (
      id integer not null,
      constraint one_pkey primary key (id)
    );
    ");
    dump(&["--check"]).await.exits(0).says("`schema.sql` is current");
    dump(&[]).await.exits(0).says("`schema.sql` is current");
    here.write("schema.sql", &here.read("schema.sql").replace('\n', "\r\n"));
    dump(&["--check"]).await.exits(0);

    one.write("V2__two.sql", "alter table one add name text;");
    let output = dump(&["--check"]).await.exits(1).says("`schema.sql` is not current");
    assert_snapshot!(output.stdout, @r"
    --- What the migrations make, up to V1__one.
    +-- What the migrations make, up to V2__two.
     -- Written by `migrator dump`, never by hand: a change goes into a migration.

     create table one (
       id integer not null,
    +  name text,
       constraint one_pkey primary key (id)
     );
    ");
    dump(&["--output", "other.sql"]).await.exits(0);
    assert_eq!(here.names(), ["other.sql", "schema.sql"]);
    dump(&[]).await.exits(0).says("`schema.sql` written");
    assert_eq!(here.read("schema.sql"), here.read("other.sql"));
}

#[tokio::test]
async fn a_machine_can_read_it() {
    let database = TestDatabase::create().await;
    let url = database.url().to_connection_string();
    let variables = [("DATABASE_URL", url.as_str())];
    let one = Folder::new(&[("V1__one.sql", "create table one (id integer);")]);
    let here = Folder::new(&[]);
    let path = std::path::Path::new(here.path());
    let mut documents = Vec::new();
    for (more, code) in
        [(&["--check"][..], 1), (&[], 0), (&["--check"], 0), (&[], 0), (&["--output", "-"], 0)]
    {
        let arguments = [&["dump", "--json", "--dir", one.path()][..], more].concat();
        documents.push(run_in(path, &variables, &arguments).await.exits(code).json());
    }
    assert_json_snapshot!(documents, @r#"
    [
      {
        "command": "dump",
        "current": false,
        "difference": [
          "+-- What the migrations make, up to V1__one.",
          "+-- Written by `migrator dump`, never by hand: a change goes into a migration.",
          "+",
          "+create table one (",
          "+  id integer",
          "+);"
        ],
        "output": "schema.sql",
        "written": false
      },
      {
        "command": "dump",
        "current": true,
        "output": "schema.sql",
        "written": true
      },
      {
        "command": "dump",
        "current": true,
        "difference": [],
        "output": "schema.sql",
        "written": false
      },
      {
        "command": "dump",
        "current": true,
        "output": "schema.sql",
        "written": false
      },
      {
        "command": "dump",
        "current": null,
        "output": null,
        "sql": "-- What the migrations make, up to V1__one.\n-- Written by `migrator dump`, never by hand: a change goes into a migration.\n\ncreate table one (\n  id integer\n);\n"
      }
    ]
    "#);
}

#[tokio::test]
async fn another_server_needs_no_live_database() {
    let database = TestDatabase::create().await;
    let url = database.url().to_connection_string();
    let arguments = ["dump", "--output", "-"];
    let output = run_with(&[("MIGRATOR_SHADOW_URL", &url)], &arguments).await.exits(0);
    assert_eq!(output.stdout, run(&database, &arguments).await.exits(0).stdout);
    run_with(&[], &arguments).await.exits(2).says("no database URL given");
    // The search path of the connection string decides in which schema it is created.
    let url = format!("{url}&options=-c%20search_path%3Dapp");
    let output = run_with(&[("MIGRATOR_SHADOW_URL", &url)], &arguments).await.exits(0);
    assert!(output.stdout.contains("create table tasks ("), "{}", output.stdout);
}

#[tokio::test]
async fn what_cannot_be_read_or_written_is_an_error() {
    let database = TestDatabase::create().await;
    let here = Folder::new(&[("V1__one.sql", "select 1;")]);
    let folder = here.path();
    let missing = format!("{folder}/no/such.sql");
    for (output, more, message) in [
        ("-", Some("--check"), "error: cannot check standard output"),
        (folder, None, "error: cannot read `"),
        (missing.as_str(), None, "error: cannot write `"),
    ] {
        let mut arguments = vec!["dump", "--dir", folder, "--output", output];
        arguments.extend(more);
        let output =
            run(&database, &arguments).await.exits(2).says("hint: `--output` names the file");
        assert!(output.stderr.contains(message), "{message}: {}", output.stderr);
    }
}

#[tokio::test]
async fn a_closed_pipe_is_no_error() {
    let database = TestDatabase::create().await;
    let mut dump = command(&["dump", "--output", "-"]).await;
    dump.env("DATABASE_URL", database.url().to_connection_string());
    let mut dump = dump.spawn().expect("start the migrator");
    drop(dump.stdout.take());
    let status = dump.wait().await.expect("wait for the migrator");
    assert!(status.success(), "{status}");
}
