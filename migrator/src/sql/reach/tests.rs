//! Scripts that reach beyond their database, and those that do not.

use super::{Reach, Scripts};

/// What is found in a script that runs alone, with the text there.
fn found(script: &str) -> Vec<(String, Reach)> {
    let scripts = Scripts::survey([script].into_iter());
    let found = scripts.look_through(script).found.into_iter();
    found
        .map(|found| {
            let text: String = script[found.offset..].chars().take(12).collect();
            (text, found.reach)
        })
        .collect()
}

fn is_found(script: &str) -> bool {
    !found(script).is_empty()
}

#[test]
fn statements_beyond_the_database_are_found() {
    for script in [
        "create role api login password 'first'",
        "CREATE /* a */ USER api",
        "create\n-- comment\ngroup api",
        "drop role if exists api",
        "alter role api nologin",
        "alter role api set search_path = app",
        "alter role all in database mydb set work_mem = '1MB'",
        "alter user api password 'x'",
        "alter group a add user b",
        "grant reader to api",
        "grant reader, writer to api with admin option",
        "revoke reader from api",
        "revoke admin option for reader from api cascade",
        "grant connect on database mydb to api",
        "revoke all on database mydb from public",
        "grant create on tablespace fast to api",
        "grant set on parameter work_mem to api",
        "create database other",
        "alter database mydb set timezone = 'UTC'",
        "alter database mydb owner to api",
        "drop database if exists other",
        "create tablespace fast location '/x'",
        "drop tablespace fast",
        "alter system set work_mem = '1MB'",
        "create subscription s connection 'host=x' publication p",
        "alter subscription s disable",
        "drop subscription s",
        "drop owned by api",
        "reassign owned by api to other",
        "comment on role api is 'x'",
        "comment on database mydb is 'x'",
        "comment on tablespace fast is 'x'",
        "security label on role api is 'x'",
        "security label for provider on database mydb is 'x'",
        "copy t to program 'sh'",
        "copy t (a) from program 'sh' with (format csv)",
        "copy (select 1) to '/tmp/x'",
        "select pg_create_logical_replication_slot('s', 'pgoutput')",
        "select * from pg_catalog.pg_drop_replication_slot('s')",
        "select \"pg_replication_origin_create\"('x')",
        "select pg_reload_conf()",
        "select lo_export(1, '/tmp/x')",
        "select dblink_exec('dbname=x', 'drop table t')",
        "select * from ext.dblink('dbname=x', 'select 1') as t (a int)",
        "update pg_authid set rolcanlogin = false",
        "update only pg_catalog.pg_database set datallowconn = false",
        "with gone as (delete from pg_db_role_setting returning 1) select 1",
        "insert into pg_auth_members values (1)",
        "do $$ begin create role api; end $$",
        "do $do$ begin if true then\n create role api; end if; end $do$",
        "do language plpgsql 'begin create role api; end'",
        "do $$ begin execute 'create role api'; end $$",
        "do $$ begin execute format('create role %I', 'api'); end $$",
        "do $$ begin execute 'cre' || 'ate ro' || 'le ' || quote_ident('api'); end $$",
        "do $$ begin execute E'create\\x20role api'; end $$",
        "do $$ begin execute U&'create\\0020role api'; end $$",
        "do $o$ begin execute $x$do $y$ begin alter role api nologin; end $y$ $x$; end $o$",
        "do $$ begin execute 'do ''begin drop role api; end'''; end $$",
        "do $$ declare s text := 'create role api'; begin execute s; end $$",
        "do $$ declare s text; begin s := format('drop role %I', 'x'); execute s; end $$",
        "do $$ begin for r in execute 'drop role api' loop null; end loop; end $$",
        "do $$ begin perform pg_reload_conf(); exception when others then drop role api; end $$",
        "create function f() returns void language plpgsql as $$ begin alter role api nologin; end $$",
        "create or replace procedure p() as 'begin drop owned by api; end' language plpgsql",
        "create function f() returns void language sql as 'drop role api'",
        "create function f() returns void language sql begin atomic select 1; delete from pg_authid; end",
        "create function run(s text) returns void language plpgsql as $$ begin execute s; end $$;
         select run('create role api')",
        "do language plpython3u 'import os'",
        "create foreign table f (a int) server s; insert into f values (1)",
        "create role \"unfinished",
        "select U&\"pg\\005freload_conf\"()",
        "update u&\"pg_auth\\0069d\" set rolcanlogin = false",
        "create function f() returns bool language internal as 'pg_reload_conf'",
        "create function f(text) returns int language c strict as '/lib/x.so', 'system'",
        "create function f(text, text) returns text as '$libdir/dblink', 'dblink_exec' language c",
        "create function f() returns int as 'import os' language plpython3u",
        "create operator ==> (function = ext.dblink_exec, leftarg = text, rightarg = text)",
        "create aggregate a (text) (sfunc = dblink_exec, stype = text)",
        "create cast (a as text) with function dblink_exec(a)",
        "create foreign table f partition of p for values in (1) server s; insert into p values (1)",
        "create foreign table f (a int) inherits (x.p) server s; delete from p",
        "create foreign table f (a int) server s; alter table only p attach partition f default; insert into p values (1)",
        "create foreign table f (a int) server s; alter foreign table f inherit q; update x.q set a = 1",
        "create foreign table f (a int) server s; alter table c inherit f; create or replace view v as select * from f;
         create view w as select * from v; update w set a = 1",
        "create foreign table f (a int) server s; truncate table only t, f",
        "import foreign schema public from server s into app",
        "create foreign table f (a text) server s options (program 'sh')",
        "alter foreign table f options (add program 'sh')",
        "select query_to_xml('select pg_reload_conf()', true, true, '')",
        "select * from crosstab('select pg_reload_conf()', 'select 1') as c (a text)",
        "do $a$ begin execute $b$do $c$ begin execute $d$do $e$ begin execute $f$do $g$ begin execute
         $h$do $i$ begin execute $j$drop role api$j$; end $i$ $h$; end $g$ $f$; end $e$ $d$; end $c$ $b$; end $a$",
    ] {
        assert!(is_found(script), "{script}");
    }
}

#[test]
fn statements_within_the_database_are_not_found() {
    for script in [
        "create table role (database int, tablespace int)",
        "alter table t drop role, drop system, add column subscription int",
        "alter table t owner to api",
        "create user mapping for api server s",
        "drop user mapping if exists for api server s",
        "grant select on t to api with grant option",
        "grant usage on foreign server s to api",
        "grant all on all tables in schema app to api",
        "revoke grant option for select on t from api",
        "grant execute on function dblink_exec(text) to api",
        "grant execute on function f() to api; revoke execute on function f() from public",
        "alter default privileges for role api grant select on tables to reader",
        "comment on table t is 'create role api'",
        "comment on column role.database is 'drop database'",
        "security label on table t is 'x'",
        "copy t from '/tmp/x'",
        "copy t from stdin",
        "copy (select 1) to stdout",
        "insert into log values ('drop role api'), ('grant a to b')",
        "select coalesce('drop role api', 'create database x')",
        "create event trigger e on ddl_command_end execute function f()",
        "create trigger t before update on role for each row execute procedure f()",
        "create extension if not exists dblink",
        "create table dblink (a int)",
        "create function pg_reload_conf() returns int language sql as 'select 1'",
        "create publication p for all tables",
        "set role api; set session authorization api; reset role",
        "select set_config('role', 'api', true), pg_read_file('x'), pg_advisory_lock(1)",
        "select * from pg_authid join pg_database on true for update",
        "delete from other.authid",
        "do $$ begin raise notice 'create role api'; perform 1; end $$",
        "do $$ begin execute 'create table t ()'; execute format('drop table %I', 'x'); end $$",
        "do $$ begin execute format('grant select on %I to %I', 'a', 'b'); end $$",
        "create function f() returns text language sql as $$ select 'drop role api' $$",
        "-- create role api\n/* drop role api */ select 1",
        "select 1 from drop_role where create_role = 'x'",
        "create foreign table f (a int) server s; select * from f",
        "create function f() returns trigger as '$libdir/lo', 'lo_manage' language c",
        "create function f(int) returns int language internal as 'int4abs'",
        "create operator === (function = texteq, leftarg = text, rightarg = text, restrict = eqsel)",
        "create foreign table f (a int) server s; create view v as select * from f; insert into t select * from v",
        "create table program (program text default 'x'); select query_to_xml('select 1', true, true, '')",
        "load 'auto_explain'; notify x; listen y; checkpoint",
    ] {
        assert_eq!(found(script), [], "{script}");
    }
}

#[test]
fn the_place_is_that_of_the_inner_statement() {
    for (script, place) in [
        ("select 1;\n  Create Role a", "Create Role "),
        ("do $$ begin\n  drop role a; end $$", "drop role a;"),
        ("do $$ begin execute 'drop role a'; end $$", "drop role a'"),
        ("do $$ begin execute 'drop ' || 'role a'; end $$", "execute 'dro"),
        ("do 'begin execute ''drop role a''; end'", "'begin execu"),
    ] {
        assert_eq!(found(script)[0].0, place, "{script}");
    }
}

#[test]
fn dynamic_statements_are_reported_only_where_they_could_not_be_taken_back() {
    let unknown = "create procedure p(s text) language plpgsql as $$ begin execute s; end $$";
    for (script, expected) in [
        ("call p('x')", true),
        ("do $$ begin execute current_setting('x.y'); commit; end $$", true),
        ("do $$ begin execute format('create %s', 'x'); commit; end $$", true),
        ("do $$ begin execute format('update %I set a = 1', 't'); commit; end $$", false),
        ("do $$ begin update t set a = 1; commit; end $$", false),
        ("call q()", false),
    ] {
        let scripts = Scripts::survey([unknown, script].into_iter());
        assert!(scripts.look_through(script).found.is_empty(), "{script}");
        let found = scripts.look_through_non_transactional(script).found;
        assert_eq!(!found.is_empty(), expected, "{script}");
    }
}

#[test]
fn created_roles_and_schemas_are_named() {
    let script = "create role Api; create user \"The Api\"; create schema if not exists App;
                  create schema authorization owner; do $$ begin create schema inner_one; end $$";
    let contents = Scripts::default().look_through(script);
    assert_eq!(contents.roles.iter().collect::<Vec<_>>(), ["The Api", "api"]);
    let schemas = contents.schemas.iter();
    let schemas: Vec<_> =
        schemas.map(|schema| (schema.name.as_deref(), schema.if_not_exists)).collect();
    assert_eq!(schemas, [(Some("app"), true), (Some("inner_one"), false), (Some("owner"), false)]);
}
