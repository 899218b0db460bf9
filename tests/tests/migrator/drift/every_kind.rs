//! Whatever a person can change in a database is a difference, or is named as not compared: a row for
//! every kind of object that `pg_dump` knows and for what can be set on it.

use serde_json::Value;
use tests::TestDatabase;

use super::{applied, execute};
use crate::support::folder::Folder;
use crate::support::program::run;

/// Versions of PostgreSQL that have the kind, a migration, a manual change after it, and the object
/// that differs. Each is in a schema of its own, whose name is `SCHEMA`.
const KINDS: &[(i32, &str, &str, &str)] = &[
    // What is set on tables, columns, indexes and constraints.
    (14, "create table t (a integer)", "alter table t replica identity full", "table SCHEMA.t"),
    (14, "create table t (a integer)", "alter table t replica identity nothing", "table SCHEMA.t"),
    (
        14,
        "create table t (a integer not null); create unique index i on t (a)",
        "alter table t replica identity using index i",
        "table SCHEMA.t",
    ),
    (
        14,
        "create table t (a integer primary key)",
        "alter table t cluster on t_pkey",
        "table SCHEMA.t",
    ),
    (
        14,
        "create materialized view m as select 1 as a; create index i on m (a)",
        "alter materialized view m cluster on i",
        "materialized view SCHEMA.m",
    ),
    (
        14,
        "create table t (a text)",
        "alter table t set (toast.autovacuum_enabled = false)",
        "table SCHEMA.t",
    ),
    (
        14,
        "create type y as (a integer); create table t (a integer)",
        "alter table t of y",
        "table SCHEMA.t",
    ),
    (
        15,
        "create access method other_heap type table handler heap_tableam_handler; create table t (a integer)",
        "alter table t set access method other_heap",
        "table SCHEMA.t",
    ),
    (14, "create table t (a integer)", "alter table t force row level security", "table SCHEMA.t"),
    (
        14,
        "create table t (a text)",
        "alter table t alter a set storage external",
        "column SCHEMA.t.a",
    ),
    (
        14,
        "create table t (a text)",
        "alter table t alter a set compression pglz",
        "column SCHEMA.t.a",
    ),
    (
        14,
        "create table t (a text)",
        "alter table t alter a set statistics 500",
        "column SCHEMA.t.a",
    ),
    (
        14,
        "create table t (a text)",
        "alter table t alter a set (n_distinct = 5)",
        "column SCHEMA.t.a",
    ),
    (
        14,
        "create materialized view m as select 'x'::text as a",
        "alter materialized view m alter a set statistics 500",
        "column SCHEMA.m.a",
    ),
    (
        14,
        "create table t (a integer); create index i on t ((a + 1), a)",
        "alter index i alter column 1 set statistics 500",
        "index i on SCHEMA.t",
    ),
    (
        14,
        "create table t (a integer, b integer, constraint k unique (a))",
        "alter table t drop constraint k, add constraint k unique (a) include (b)",
        "constraint k on SCHEMA.t",
    ),
    (
        14,
        "create table t (a integer, constraint k unique (a))",
        "alter table t drop constraint k, add constraint k unique (a) deferrable",
        "constraint k on SCHEMA.t",
    ),
    (
        15,
        "create table t (a integer, constraint k unique (a))",
        "alter table t drop constraint k, add constraint k unique nulls not distinct (a)",
        "constraint k on SCHEMA.t",
    ),
    (
        14,
        "create table t (a integer, constraint k unique (a) deferrable)",
        "alter index k set (fillfactor = 50)",
        "constraint k on SCHEMA.t",
    ),
    (
        18,
        "create table t (r int4range, s int4range, constraint k unique (r, s))",
        "alter table t drop constraint k, add constraint k unique (r, s without overlaps)",
        "constraint k on SCHEMA.t",
    ),
    (
        18,
        "create table t (a integer, constraint k check (a > 0))",
        "alter table t drop constraint k, add constraint k check (a > 0) not enforced",
        "constraint k on SCHEMA.t",
    ),
    (
        18,
        "create table t (a integer, b integer generated always as (a + 1) stored)",
        "alter table t drop b, add b integer generated always as (a + 1) virtual",
        "column SCHEMA.t.b",
    ),
    (
        18,
        "create table t (a integer not null)",
        "alter table t rename constraint t_a_not_null to n",
        "column SCHEMA.t.a",
    ),
    (
        18,
        "create table t (a integer not null)",
        "alter table t alter a drop not null, add constraint n not null a not valid",
        "column SCHEMA.t.a",
    ),
    (
        18,
        "create table t (a integer not null)",
        "alter table t alter constraint t_a_not_null no inherit",
        "column SCHEMA.t.a",
    ),
    (
        14,
        "create table t (a integer); alter table t add constraint k check (a > 0) not valid",
        "alter table t validate constraint k",
        "constraint k on SCHEMA.t",
    ),
    (
        14,
        "create table t (a integer generated always as identity)",
        "alter sequence t_a_seq rename to other",
        "column SCHEMA.t.a",
    ),
    (
        15,
        "create table t (a integer generated always as identity)",
        "alter sequence t_a_seq set unlogged",
        "column SCHEMA.t.a",
    ),
    (
        15,
        "create unlogged table t (a integer generated always as identity)",
        "alter sequence t_a_seq set logged",
        "column SCHEMA.t.a",
    ),
    (15, "create sequence s", "alter sequence s set unlogged", "sequence SCHEMA.s"),
    (
        15,
        "create table t (a serial)",
        "alter sequence t_a_seq set unlogged",
        "sequence SCHEMA.t_a_seq",
    ),
    // What is set on functions.
    (
        14,
        "create function f() returns integer language sql as 'select 1'",
        "alter function f cost 5 parallel safe set work_mem = '8MB'",
        "function SCHEMA.f()",
    ),
    (
        14,
        "create function f() returns setof integer language sql as 'select 1'",
        "alter function f rows 5 support generate_series_int4_support",
        "function SCHEMA.f()",
    ),
    (
        14,
        "create function f() returns integer language sql as 'select 1'",
        "revoke execute on function f from public",
        "function SCHEMA.f()",
    ),
    (14, "create table t (a integer)", "grant select on t to public", "table SCHEMA.t"),
    (14, "create table t (a integer)", "grant select (a) on t to public", "column SCHEMA.t.a"),
    (14, "create type e as enum ()", "revoke usage on type e from public", "enum SCHEMA.e"),
    // Parts of tables and domains.
    (
        14,
        "create table t (a integer)",
        "create rule r as on delete to t do instead nothing",
        "rule r on SCHEMA.t",
    ),
    (
        14,
        "create table t (a integer); create rule r as on delete to t do instead nothing",
        "alter table t disable rule r",
        "rule r on SCHEMA.t",
    ),
    (
        14,
        "create table t (a integer); create rule r as on delete to t do instead nothing",
        "comment on rule r on t is 'x'",
        "rule r on SCHEMA.t",
    ),
    (
        14,
        "create table t (a integer, b integer)",
        "create statistics s on a, b from t",
        "statistics s on SCHEMA.t",
    ),
    (
        14,
        "create table t (a integer, b integer); create statistics s on a, b from t",
        "alter statistics s set statistics 50",
        "statistics s on SCHEMA.t",
    ),
    (
        14,
        "create domain d as text",
        "alter domain d add constraint k check (value <> '') not valid",
        "domain constraint k on SCHEMA.d",
    ),
    (
        14,
        "create domain d as text constraint k check (value <> '')",
        "comment on constraint k on domain d is 'x'",
        "domain constraint k on SCHEMA.d",
    ),
    (14, "create type c as (a integer)", "comment on column c.a is 'x'", "column SCHEMA.c.a"),
    (
        14,
        "create view v as select 1 as a",
        "alter view v alter a set default 2",
        "column SCHEMA.v.a",
    ),
    // Standalone objects.
    (
        14,
        "select 1",
        "do $$ begin execute format('comment on schema %I is ''x''', current_schema()); end $$",
        "schema SCHEMA",
    ),
    (
        14,
        "select 1",
        "create aggregate total(integer) (sfunc = int4pl, stype = integer, initcond = '0')",
        "aggregate SCHEMA.total(integer)",
    ),
    (
        14,
        "create aggregate total(integer) (sfunc = int4pl, stype = integer, initcond = '0')",
        "create or replace aggregate total(integer) (sfunc = int4pl, stype = integer, initcond = '1', parallel = safe)",
        "aggregate SCHEMA.total(integer)",
    ),
    (
        14,
        "select 1",
        "create type span as range (subtype = float8, subtype_diff = float8mi)",
        "range type SCHEMA.span",
    ),
    (
        14,
        "select 1",
        "create type span as range (subtype = float8, multirange_type_name = spans)",
        "range type SCHEMA.span",
    ),
    (
        14,
        "select 1",
        "create collation k (provider = icu, locale = 'und', deterministic = false)",
        "collation SCHEMA.k",
    ),
    (14, "select 1", "create collation k (locale = 'C')", "collation SCHEMA.k"),
    (
        14,
        "select 1",
        "create operator === (function = int4eq, leftarg = integer, rightarg = integer, commutator = ===, hashes)",
        "operator SCHEMA.=== (integer, integer)",
    ),
    (
        14,
        "create type y as (a integer); create function f(y) returns integer language sql as 'select 1'",
        "create cast (y as integer) with function f(y) as assignment",
        "cast (SCHEMA.y as integer)",
    ),
    (
        14,
        "select 1",
        "create transform for integer language sql (from sql with function prsd_lextype(internal), to sql with function int4recv(internal))",
        "transform for integer language sql",
    ),
    (
        14,
        "select 1",
        "create access method more type index handler bthandler",
        "access method more",
    ),
    (
        14,
        "select 1",
        "create default conversion k for 'LATIN1' to 'UTF8' from iso8859_1_to_utf8",
        "conversion SCHEMA.k",
    ),
    (
        14,
        "select 1",
        "create text search dictionary d (template = snowball, language = 'english')",
        "text search dictionary SCHEMA.d",
    ),
    (
        14,
        "select 1",
        "create text search configuration c (copy = pg_catalog.english); alter text search configuration c drop mapping for word",
        "text search configuration SCHEMA.c",
    ),
    (
        14,
        "select 1",
        "create foreign data wrapper wrapper options (debug 'true')",
        "foreign data wrapper wrapper",
    ),
    (
        14,
        "create foreign data wrapper another",
        "create server there type 'a' version 'b' foreign data wrapper another options (host 'x')",
        "server there",
    ),
    (
        14,
        "create foreign data wrapper third; create server third foreign data wrapper third",
        "create foreign table far (a integer options (name 'b') not null, b text default 'x') server third options (name 'y')",
        "foreign table SCHEMA.far",
    ),
    (
        14,
        "create function f() returns event_trigger language plpgsql as 'begin end'",
        "create event trigger seen on ddl_command_end when tag in ('CREATE TABLE') execute function f(); alter event trigger seen disable",
        "event trigger seen",
    ),
    (
        14,
        "create table t (a integer, b integer)",
        "create publication few for table t with (publish = 'insert')",
        "publication few",
    ),
    (
        15,
        "create table t (a integer primary key, b integer)",
        "create publication part for table t (a) where (a > 0)",
        "publication part",
    ),
    (
        15,
        "select 1",
        "do $$ begin execute format('create publication all_in for tables in schema %I', current_schema()); end $$",
        "publication all_in",
    ),
    (14, "select 1", "create publication everything for all tables", "publication everything"),
];

/// As [`KINDS`], of kinds that are compared and cannot be written.
const NOT_WRITTEN: &[(i32, &str, &str, &str)] = &[
    (
        14,
        "select 1",
        "create operator family f using btree; alter operator family f using btree add function 1 (integer, integer) btint4cmp(integer, integer)",
        "operator family SCHEMA.f USING btree",
    ),
    (
        14,
        "select 1",
        "create operator class c for type integer using hash as operator 1 =, function 1 hashint4(integer)",
        "operator class SCHEMA.c USING hash",
    ),
    (14, "select 1", "create type unfinished", "type SCHEMA.unfinished"),
    (
        14,
        "select 1",
        "create text search parser p (start = prsd_start, gettoken = prsd_nexttoken, end = prsd_end, lextypes = prsd_lextype)",
        "text search parser SCHEMA.p",
    ),
    (
        14,
        "select 1",
        "create text search template p (init = dsimple_init, lexize = dsimple_lexize)",
        "text search template SCHEMA.p",
    ),
    (14, "select 1", "create language other handler plpgsql_call_handler", "language other"),
    (
        14,
        "create foreign data wrapper fourth; create server fourth foreign data wrapper fourth",
        "create user mapping for public server fourth options (user 'x', password 'hunter2')",
        "user mapping public on server fourth",
    ),
    (
        14,
        "create table t (a integer, b integer)",
        "do $$ begin execute format('create statistics public.elsewhere on a, b from %I.t', current_schema()); end $$",
        "statistics object public.elsewhere",
    ),
    (
        14,
        "create table p (a integer, b text default 'a') partition by range (a); create table q partition of p for values from (1) to (10)",
        "alter table q alter b set default 'b'",
        "what is inherited otherwise: table column SCHEMA.q.b",
    ),
    (
        14,
        "create table p (a integer, b text) partition by range (a); create table q partition of p for values from (1) to (10)",
        "alter table q alter b set storage external",
        "what is inherited otherwise: table column SCHEMA.q.b",
    ),
    (
        14,
        "create function f() returns trigger language plpgsql as 'begin return new; end'; create table p (a integer) partition by range (a); create table q partition of p for values from (1) to (10); create trigger g after insert on p for each row execute function f()",
        "alter table q disable trigger g",
        "whether it is on: trigger g on SCHEMA.q",
    ),
    (
        14,
        "create table p (a integer primary key) partition by range (a); create table q partition of p for values from (1) to (10)",
        "comment on column q.a is 'x'",
        "comment on table column SCHEMA.q.a",
    ),
    (
        14,
        "create table t (a integer generated always as identity)",
        "comment on sequence t_a_seq is 'x'",
        "comment on sequence SCHEMA.t_a_seq",
    ),
    (
        18,
        "create table t (a integer not null)",
        "comment on constraint t_a_not_null on t is 'x'",
        "comment on table constraint t_a_not_null on SCHEMA.t",
    ),
    (
        14,
        "create table t (a integer)",
        "insert into pg_seclabel values ('t'::regclass, 'pg_class'::regclass, 0, 'some', 'secret')",
        "security label of table SCHEMA.t",
    ),
];

/// A database with a migration for every row, and each row's change in it; and the rows that this
/// server has, with their schemas.
async fn changed(
    kinds: &[(i32, &'static str, &'static str, &str)],
) -> (TestDatabase, Folder, Vec<(&'static str, String)>) {
    let version = server_version().await;
    let mut migration = String::new();
    let mut rows = Vec::new();
    for (number, (since, before, change, object)) in kinds.iter().enumerate() {
        if *since <= version {
            let schema = format!("case_{number}");
            migration +=
                &format!("create schema {schema}; set search_path = {schema}; {before};\n");
            rows.push((*change, schema.clone(), object.replace("SCHEMA", &schema)));
        }
    }
    migration += "reset search_path;";
    let (database, folder) = applied(&migration).await;
    run(&database, &["drift", "--dir", folder.path()]).await.exits(0);
    for (change, schema, _) in &rows {
        execute(&database, &format!("set search_path = {schema}; {change}")).await;
    }
    let rows = rows.into_iter().map(|(change, _, object)| (change, object)).collect();
    (database, folder, rows)
}

async fn server_version() -> i32 {
    let database = TestDatabase::create().await;
    let query = "select current_setting('server_version_num')::int4 / 10000";
    database.client().await.query_one(query, &[]).await.expect("ask for the version").get(0)
}

fn objects(document: &Value) -> Vec<String> {
    let differences = document["differences"].as_array().expect("a list");
    let named = differences.iter().map(|one| one["object"].as_str().expect("a name").to_owned());
    named.collect()
}

#[tokio::test]
async fn each_is_a_difference() {
    for kinds in [KINDS, NOT_WRITTEN] {
        let (database, folder, rows) = changed(kinds).await;
        let output = run(&database, &["drift", "--json", "--dir", folder.path()]).await.exits(1);
        assert!(!output.stdout.contains("hunter2"), "a password: {}", output.stdout);
        let mut found = objects(&output.json());
        found.sort();
        let mut wanted: Vec<String> = rows.into_iter().map(|(_, object)| object).collect();
        wanted.sort();
        // PostgreSQL makes an operator family with a class.
        found.retain(|object| !object.starts_with("operator family ") || wanted.contains(object));
        assert_eq!(found, wanted);
    }
}

/// In one migration: each is written, and works there and back.
#[tokio::test]
async fn each_becomes_a_migration_that_can_be_undone() {
    let (database, folder, _) = changed(KINDS).await;
    let dir = folder.path();
    let arguments = ["new", "by hand", "--from-drift", "--json", "--dir", dir];
    let output = run(&database, &arguments).await;
    let document = output.json();
    let script = folder.read("V2__by_hand.sql");
    let undo = folder.read("V2__by_hand.down.sql");
    assert_eq!(document["problems"].to_string(), "[]", "{script}\n-- Undo:\n{undo}");
    output.exits(0);
    // A second look finds nothing more, in the database and in a copy of it by `dump`.
    run(&database, &["drift", "--to", "2", "--dir", dir]).await.exits(0);
}

#[tokio::test]
async fn each_is_in_a_dump() {
    let (database, folder, _) = changed(KINDS).await;
    let dump = run(&database, &["dump", "--live", "--grants", "--output", "-"]).await.exits(0);
    let folder = {
        let copy = Folder::new(&[("V1__dump.sql", &dump.stdout)]);
        drop(folder);
        copy
    };
    let output = run(&database, &["drift", "--to", "1", "--dir", folder.path()]).await;
    assert!(output.has_exited_with(0), "{output:#?}\n{}", dump.stdout);
}

#[tokio::test]
async fn what_cannot_be_written_is_named_in_the_file_on_the_terminal_and_in_the_exit_code() {
    let (database, folder, rows) = changed(NOT_WRITTEN).await;
    let dir = folder.path();
    let output =
        run(&database, &["new", "x", "--from-drift", "--json", "--dir", dir]).await.exits(1);
    let mut output = output.says("warning: tried and failed");
    let document = output.json();
    let files = [folder.read("V2__x.sql"), folder.read("V2__x.down.sql")];
    for (_, object) in rows {
        let todo = format!("make this by hand, if it is needed: {object}");
        assert!(document["todos"].to_string().contains(&todo), "{object}: {document:#}");
        assert!(files[0].contains(&format!("TODO: {todo}")), "{object}: {}", files[0]);
        let undo = format!("TODO: undo this by hand, if it has to go: {object}");
        assert!(files[1].contains(&undo), "{object}: {}", files[1]);
        output = output.says(&format!("warning: TODO: {todo}"));
    }
    let dump = run(&database, &["dump", "--live", "--output", "-"]).await.exits(0);
    let dump = dump.says("warning: not in the script: ");
    assert!(dump.stdout.contains("-- Not in this script: language other.\n"), "{}", dump.stdout);
}

#[tokio::test]
async fn what_is_not_compared_is_named() {
    let (database, folder) =
        applied("create table t (id integer); create view v as select 1 as a").await;
    let role = database.role("reader").await;
    let reader = role.quoted();
    let by_hand = format!(
        "grant select on t to {reader}; grant update (id) on t to {reader};
         alter default privileges in schema public grant select on tables to {reader};
         select lo_create(1)"
    );
    execute(&database, &by_hand).await;
    let arguments = ["drift", "--dir", folder.path()];
    run(&database, &arguments)
        .await
        .exits(0)
        .says("privileges of roles (`--grants` does) on default acl ")
        .says(", table t, column t.id")
        .says("1 large objects");
    let text = run(&database, &[&arguments[..], &["--grants"]].concat()).await.exits(1).stdout;
    for object in ["default acl for role", "~ table t\n", "~ column id\n"] {
        assert!(text.contains(object), "{object}: {text}");
    }
    // They are lost with an object that is recreated.
    execute(&database, &format!("grant select on v to {reader}")).await;
    execute(&database, "create or replace view v as select 1 as a, 2 as b").await;
    let arguments = ["new", "x", "--from-drift", "--dir", folder.path()];
    run(&database, &arguments)
        .await
        .exits(0)
        .says("view v is recreated, and the privileges of roles");
}

#[tokio::test]
async fn a_subscription_is_named() {
    let (database, folder) = applied("create table t (id integer)").await;
    let create = "create subscription s connection 'dbname=x password=hunter2' publication p with (connect = false)";
    execute(&database, create).await;
    let output = run(&database, &["drift", "--dir", folder.path()]).await;
    execute(&database, "alter subscription s set (slot_name = none)").await;
    execute(&database, "drop subscription s").await;
    assert_eq!(output.exits(1).stdout, "+ subscription s\n");
}

#[tokio::test]
async fn a_tablespace_is_a_difference() {
    if server_version().await < 15 {
        return;
    }
    let (database, folder) =
        applied("create table t (a integer primary key); create index i on t (a); create materialized view m as select 1").await;
    let name = format!("space_of_{}", database.name());
    execute(
        &database,
        &format!("set allow_in_place_tablespaces = on; create tablespace {name} location ''"),
    )
    .await;
    execute(
        &database,
        &format!(
            "alter table t set tablespace {name}; alter index t_pkey set tablespace {name};
             alter index i set tablespace {name}; alter materialized view m set tablespace {name}"
        ),
    )
    .await;
    let dir = folder.path();
    let found = objects(&run(&database, &["drift", "--json", "--dir", dir]).await.exits(1).json());
    let written = run(&database, &["new", "x", "--from-drift", "--dir", dir]).await;
    execute(&database, "drop table t; drop materialized view m").await;
    execute(&database, &format!("drop tablespace {name}")).await;
    assert_eq!(found, ["table t", "constraint t_pkey on t", "index i on t", "materialized view m"]);
    written.exits(0);
}

/// PostgreSQL's catalogs, each with what becomes of a change in it.
const CATALOGS: &[(&str, &str)] = &[
    ("pg_aggregate", "aggregate"),
    ("pg_am", "access method"),
    ("pg_amop", "operator class and family"),
    ("pg_amproc", "operator class and family"),
    ("pg_attrdef", "column"),
    ("pg_attribute", "column"),
    ("pg_auth_members", "of the cluster"),
    ("pg_authid", "of the cluster"),
    ("pg_cast", "cast"),
    ("pg_class", "table, view, materialized view, index, sequence, foreign table, composite type"),
    ("pg_collation", "collation"),
    ("pg_constraint", "constraint, domain constraint, not-null constraint of a column"),
    ("pg_conversion", "conversion"),
    ("pg_database", "of the cluster"),
    ("pg_db_role_setting", "of the cluster"),
    ("pg_default_acl", "default acl"),
    ("pg_depend", "made by PostgreSQL"),
    ("pg_description", "comment"),
    ("pg_enum", "labels"),
    ("pg_event_trigger", "event trigger"),
    ("pg_extension", "extension"),
    ("pg_foreign_data_wrapper", "foreign data wrapper"),
    ("pg_foreign_server", "server"),
    ("pg_foreign_table", "foreign table"),
    ("pg_index", "index, replica identity, cluster on"),
    ("pg_inherits", "inherits, partition of"),
    ("pg_init_privs", "made by PostgreSQL"),
    ("pg_language", "language"),
    ("pg_largeobject", "data"),
    ("pg_largeobject_metadata", "data"),
    ("pg_namespace", "schema"),
    ("pg_opclass", "operator class"),
    ("pg_operator", "operator"),
    ("pg_opfamily", "operator family"),
    ("pg_parameter_acl", "of the cluster"),
    ("pg_partitioned_table", "partition key"),
    ("pg_policy", "policy"),
    ("pg_proc", "function"),
    ("pg_publication", "publication"),
    ("pg_publication_namespace", "publication"),
    ("pg_publication_rel", "publication"),
    ("pg_range", "range type"),
    ("pg_replication_origin", "of the cluster"),
    ("pg_rewrite", "rule"),
    ("pg_seclabel", "security label"),
    ("pg_sequence", "sequence, identity"),
    ("pg_shdepend", "of the cluster"),
    ("pg_shdescription", "of the cluster"),
    ("pg_shseclabel", "of the cluster"),
    ("pg_statistic", "data"),
    ("pg_statistic_ext", "statistics"),
    ("pg_statistic_ext_data", "data"),
    ("pg_subscription", "subscription"),
    ("pg_subscription_rel", "data"),
    ("pg_tablespace", "of the cluster"),
    ("pg_transform", "transform"),
    ("pg_trigger", "trigger"),
    ("pg_ts_config", "text search configuration"),
    ("pg_ts_config_map", "text search configuration"),
    ("pg_ts_dict", "text search dictionary"),
    ("pg_ts_parser", "text search parser"),
    ("pg_ts_template", "text search template"),
    ("pg_type", "enum, domain, composite type, range type, type"),
    ("pg_user_mapping", "user mapping"),
];

/// A catalog that a new version of PostgreSQL brings has to be thought of.
#[tokio::test]
async fn every_catalog_is_thought_of() {
    let database = TestDatabase::create().await;
    let query = "select relname::text from pg_class
                  where relnamespace = 'pg_catalog'::regnamespace and relkind = 'r' order by 1";
    let rows = database.client().await.query(query, &[]).await.expect("list the catalogs");
    for row in rows {
        let name: &str = row.get(0);
        assert!(CATALOGS.iter().any(|(catalog, _)| *catalog == name), "{name}");
    }
}
