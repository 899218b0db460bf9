//! The contents of a database, to compare before and after.

use tests::{Role, TestDatabase};

/// Every relation, column, constraint, index, function and trigger with its definition and comment.
/// `not null` is part of the column: PostgreSQL 18 also has a constraint for it, whose name does not
/// change when a table is renamed.
const OBJECTS: &str = "\
with mine as (select 'public'::regnamespace::oid as schema)
select 'relation ' || relname || ' ' || relkind::text
       || coalesce(' -- ' || obj_description(pg_class.oid, 'pg_class'), '')
  from pg_class, mine where relnamespace = schema
union all
select 'column ' || relname || '.' || attname || ' ' || format_type(atttypid, atttypmod)
       || case when attnotnull then ' not null' else '' end
       || coalesce(' default ' || pg_get_expr(adbin, adrelid), '')
       || coalesce(' -- ' || col_description(attrelid, attnum), '')
  from mine, pg_attribute join pg_class on pg_class.oid = attrelid
       left join pg_attrdef on adrelid = attrelid and adnum = attnum
 where relnamespace = schema and relkind in ('r', 'v') and attnum > 0 and not attisdropped
union all
select 'constraint ' || conname || ' ' || pg_get_constraintdef(oid)
       || coalesce(' -- ' || obj_description(oid, 'pg_constraint'), '')
  from pg_constraint, mine where connamespace = schema and contype <> 'n'
union all
select 'index ' || pg_get_indexdef(indexrelid)
  from mine, pg_index join pg_class on pg_class.oid = indexrelid where relnamespace = schema
union all
select 'function ' || pg_get_functiondef(oid)
       || coalesce(' -- ' || obj_description(oid, 'pg_proc'), '')
  from pg_proc, mine where pronamespace = schema
union all
select 'trigger ' || pg_get_triggerdef(pg_trigger.oid)
       || coalesce(' -- ' || obj_description(pg_trigger.oid, 'pg_trigger'), '')
  from mine, pg_trigger join pg_class on pg_class.oid = tgrelid
 where relnamespace = schema and not tgisinternal";

/// The objects in a database, one text for each, sorted here: servers sort by their locale.
pub(crate) async fn objects(database: &TestDatabase) -> Vec<String> {
    let rows = database.client().await.query(OBJECTS, &[]).await.expect("read the catalog");
    let mut objects: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    objects.sort();
    objects
}

/// The objects in a database except the history table, which stays when everything is undone.
pub(crate) async fn objects_without_history(database: &TestDatabase) -> Vec<String> {
    let mut objects = objects(database).await;
    objects.retain(|object| !object.contains("refinery_schema_history"));
    objects
}

/// The names of the ordinary tables in a database, sorted.
pub(crate) async fn tables(database: &TestDatabase) -> Vec<String> {
    let query = "select tablename::text from pg_tables where schemaname = 'public' order by 1";
    let rows = database.client().await.query(query, &[]).await.expect("list the tables");
    rows.iter().map(|row| row.get(0)).collect()
}

/// The versions in the history, in order; none without a history.
pub(crate) async fn versions(database: &TestDatabase) -> Vec<i32> {
    if !tables(database).await.contains(&"refinery_schema_history".to_owned()) {
        return Vec::new();
    }
    let query = "select version from refinery_schema_history order by 1";
    let rows = database.client().await.query(query, &[]).await.expect("read the history");
    rows.iter().map(|row| row.get(0)).collect()
}

/// Every privilege, membership and setting, one text for each.
const PRIVILEGES: &str = "\
select concat_ws(' ', 'database', datname, datacl) from pg_database where datname = current_database()
union all
select concat_ws(' ', 'schema', nspname, nspacl) from pg_namespace where nspname !~ '^pg_'
union all
select concat_ws(' ', 'relation', relname, relacl) from pg_class where relacl is not null
union all
select concat_ws(' ', 'column', attrelid::regclass, attname, attacl) from pg_attribute
 where attacl is not null
union all
select concat_ws(' ', 'role', rolname, rolsuper, rolcreatedb, rolcreaterole) from pg_roles
 where rolname = $1
union all
select concat_ws(' ', 'member', roleid::regrole) from pg_auth_members
 where member = (select oid from pg_roles where rolname = $1)
union all
select concat_ws(' ', 'setting', setdatabase, setconfig) from pg_db_role_setting
 where setrole = (select oid from pg_roles where rolname = $1)";

/// All privileges in a database, and the memberships and settings of a role; sorted here.
pub(crate) async fn privileges(database: &TestDatabase, role: &Role) -> Vec<String> {
    let rows =
        database.client().await.query(PRIVILEGES, &[&role.name]).await.expect("read the catalog");
    let mut rights: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    rights.sort();
    rights
}
