//! Privileges that the API's role needs: for its statements, and for its health report.

use std::time::Duration;

use tokio_postgres::GenericClient;
use tokio_postgres::types::{Oid, ToSql, Type};

use super::statement::{GrantOptions, GrantStatement, Purpose};
use crate::error::Error;

/// The tables and the function that the rights are about, found as the API finds them: by search path.
const FIND_OBJECTS: &str = "\
select pg_catalog.to_regclass('tasks')::pg_catalog.oid,
       pg_catalog.to_regclass('users')::pg_catalog.oid,
       pg_catalog.to_regclass('idempotency_keys')::pg_catalog.oid,
       pg_catalog.to_regclass('refinery_schema_history')::pg_catalog.oid,
       pg_catalog.to_regprocedure('insert_task(text, text, text, text, text, text)')::pg_catalog.oid";

/// Resolves names in `pg_catalog`: a role that may create functions in a schema of the search path
/// cannot have them called here with an owner's privileges. And printed names are qualified.
const PIN_NAMES: &str = "set local search_path = pg_catalog, pg_temp";

/// A role, what it should be able to do, and the tables and the function that this is about.
pub(super) struct Target<'a> {
    pub(super) request: &'a GrantOptions,
    tasks: Oid,
    users: Oid,
    keys: Oid,
    history: Oid,
    /// None in an older schema.
    insert_task: Option<Oid>,
}

impl<'a> Target<'a> {
    /// Finds them, in a transaction, in which all later names must be qualified. Fails if the
    /// migrations that create the tables are not applied.
    pub(super) async fn find(
        client: &impl GenericClient,
        request: &'a GrantOptions,
    ) -> Result<Self, Error> {
        let refused = |source| Error::Query { action: "look for the tables", source };
        let row = client.query_typed_one(FIND_OBJECTS, &[]).await.map_err(refused)?;
        client.batch_execute(PIN_NAMES).await.map_err(refused)?;
        let names = ["tasks", "users", "idempotency_keys", "refinery_schema_history"];
        let found: [Option<Oid>; 4] = [row.get(0), row.get(1), row.get(2), row.get(3)];
        if let [Some(tasks), Some(users), Some(keys), Some(history)] = found {
            return Ok(Self { request, tasks, users, keys, history, insert_task: row.get(4) });
        }
        let missing = names.into_iter().zip(found).filter(|(_, found)| found.is_none());
        Err(Error::MissingTables { missing: missing.map(|(name, _)| name).collect() })
    }

    /// The parameters of [`wanted`].
    pub(super) fn params(&self) -> [(&(dyn ToSql + Sync), Type); 7] {
        [
            (&self.request.role, Type::TEXT),
            (&self.request.provision_users, Type::BOOL),
            (&self.tasks, Type::OID),
            (&self.users, Type::OID),
            (&self.keys, Type::OID),
            (&self.history, Type::OID),
            (&self.insert_task, Type::OID),
        ]
    }
}

/// SQL: the role and what it needs, as the API's statements have it. Inserts and updates are by column:
/// a column that the API does not know is not the role's to write. `$1` the role's name, `$2` whether it
/// makes users, `$3` to `$6` the tables of tasks, of users, of idempotency keys and of the history, `$7`
/// the function that inserts a task. A schema may be older, and a provider's table of users may have no email
/// address: of the columns, those count that are there. Every role may execute a function, unless its owner
/// has taken that away.
macro_rules! wanted {
    () => {
        "with role as (
  select oid, rolname from pg_roles where rolname = $1
), tables (oid, privileges) as (
  values ($3, array['SELECT', 'DELETE']),
         ($4, array['SELECT']),
         ($5, array['SELECT', 'DELETE']),
         ($6, array['SELECT'])
), written (oid, privilege, names) as (
  values ($3, 'INSERT', array['id', 'user_id', 'title', 'description', 'status', 'priority',
                              'created_at', 'updated_at']),
         ($3, 'UPDATE', array['title', 'description', 'status', 'priority']),
         -- An account follows the address in its user's token.
         ($4, 'INSERT', case when $2 then array['id', 'email'] end),
         ($4, 'UPDATE', case when $2 then array['email'] end),
         ($5, 'INSERT', array['user_id', 'key', 'fingerprint', 'task_id', 'created_at']),
         ($5, 'UPDATE', array['fingerprint', 'task_id', 'created_at'])
), wanted_columns (oid, attnum, attname, privilege) as (
  select oid, attnum, attname, privilege
    from written join pg_attribute on attrelid = oid and attname = any (names)
   where attnum > 0 and not attisdropped
), depends (oid) as (
  -- Owned by a column of the tasks, or named in its default.
  select objid from pg_depend
   where classid = 'pg_class'::regclass and refclassid = 'pg_class'::regclass
     and refobjid = $3 and deptype in ('a', 'i')
  union
  select refobjid from pg_depend
   where classid = 'pg_attrdef'::regclass and refclassid = 'pg_class'::regclass
     and objid in (select oid from pg_attrdef where adrelid = $3)
), wanted (kind, oid, privileges) as (
  select 'database', oid, array['CONNECT'] from pg_database where datname = current_database()
  union all
  select distinct 'schema', relnamespace, array['USAGE'] from pg_class join tables using (oid)
  union all
  select 'table', oid, privileges from tables
  union all
  select 'sequence', oid, array['USAGE'] from pg_class join depends using (oid) where relkind = 'S'
  union all
  select 'routine', $7, array['EXECUTE'] where not has_function_privilege('public', $7, 'execute')
)"
    };
}
pub(super) use wanted;

/// SQL: everything that can be granted on, but for the columns of tables. Kinds are as `grant` and
/// `revoke` write them; names are quoted, and qualified where they can be.
macro_rules! objects {
    () => {
        "objects (kind, oid, object, owner, acl) as (
  select case relkind when 'S' then 'sequence' else 'table' end, class.oid,
         format('%I.%I', nspname, relname), relowner, relacl
    from pg_class as class join pg_namespace as schema on schema.oid = relnamespace
   where relkind in ('r', 'p', 'v', 'm', 'f', 'S')
  union all
  select 'schema', oid, format('%I', nspname), nspowner,
         coalesce(nspacl, acldefault('n', nspowner)) from pg_namespace
  union all
  select 'database', oid, format('%I', datname), datdba, coalesce(datacl, acldefault('d', datdba))
    from pg_database where datname = current_database()
  union all
  select 'routine', proc.oid, format('%I.%I(%s)', nspname, proname, oidvectortypes(proargtypes)),
         proowner, proacl
    from pg_proc as proc join pg_namespace as schema on schema.oid = pronamespace
  union all
  select 'type', type.oid, format('%I.%I', nspname, typname), typowner, typacl
    from pg_type as type join pg_namespace as schema on schema.oid = typnamespace
  union all
  select 'language', oid, format('%I', lanname), lanowner, lanacl from pg_language
  union all
  select 'foreign data wrapper', oid, format('%I', fdwname), fdwowner, fdwacl
    from pg_foreign_data_wrapper
  union all
  select 'foreign server', oid, format('%I', srvname), srvowner, srvacl from pg_foreign_server
  union all
  select 'large object', oid, oid::text, lomowner, lomacl from pg_largeobject_metadata
  union all
  select 'tablespace', oid, format('%I', spcname), spcowner, spcacl from pg_tablespace
)"
    };
}
pub(super) use objects;

/// One statement for each object, and what it gives that the role was not granted yet.
const GRANT_WANTED: &str = concat!(
    wanted!(),
    ", ",
    objects!(),
    "
select format('grant %s on %s %s to %I', lower(array_to_string(privileges, ', ')), kind, object, rolname),
       (select format('%s on %s %s', lower(string_agg(privilege, ', ')), kind, object)
          from unnest(privileges) as privilege
         where not exists (select from aclexplode(acl)
                            where grantee = role.oid and privilege_type = privilege)
        having count(*) > 0)
  from role, wanted join objects using (kind, oid)
 order by array_position(array['database', 'schema', 'table', 'sequence', 'routine'], kind), object"
);

/// One statement for each table and privilege that the role has by column, and what it gives that the
/// role was not granted yet.
const GRANT_COLUMNS: &str = concat!(
    wanted!(),
    ", ",
    objects!(),
    ", columns as (
  select object, rolname, attnum, attname, lower(privilege) as privilege,
         exists (select from pg_attribute, aclexplode(attacl)
                  where attrelid = wanted_columns.oid
                    and pg_attribute.attnum = wanted_columns.attnum
                    and grantee = role.oid and privilege_type = privilege) as is_granted
    from role, wanted_columns join objects using (oid)
   where kind = 'table'
)
select format('grant %s (%s) on table %s to %I',
              privilege, string_agg(format('%I', attname), ', ' order by attnum), object, rolname),
       case when not bool_and(is_granted)
            then format('%s (%s) on table %s', privilege,
                        string_agg(format('%I', attname), ', ' order by attnum)
                          filter (where not is_granted), object) end
  from columns
 group by object, rolname, privilege
 order by object, privilege"
);

/// One statement for each setting, and what it changes. `$1` the role's name, `$2` the limit of a
/// statement, `$3` that of a transaction that does nothing, `$4` the cost of a page read out of order.
/// Indexes answer all statements of this role, and their pages are in memory or on flash. With
/// PostgreSQL's own cost, 4 for a disk with moving parts, it reads and sorts all tasks of a user with
/// more of them than others, for one page of their list.
const SET_FOR_ROLE: &str = "\
select format('alter role %I set %s = %L', rolname, name, value),
       case when not exists (select from pg_db_role_setting
                              where setrole = role.oid and setdatabase = 0
                                and name || '=' || value = any (setconfig))
            then name || ' = ' || value end
  from pg_roles as role,
       (values ('statement_timeout', $2), ('idle_in_transaction_session_timeout', $3),
               ('random_page_cost', $4))
         as settings (name, value)
 where rolname = $1";

/// The statements that give the role what it needs, also what it has already: they can be run by
/// hand, and again.
pub(super) async fn statements(
    client: &impl GenericClient,
    target: &Target<'_>,
) -> Result<Vec<GrantStatement>, Error> {
    let refused = |source| Error::Query { action: "read what was granted", source };
    let mut grants = client.query_typed(GRANT_WANTED, &target.params()).await.map_err(refused)?;
    grants.extend(client.query_typed(GRANT_COLUMNS, &target.params()).await.map_err(refused)?);
    let Target { request, .. } = target;
    let statement = setting(request.statement_timeout);
    let idle = setting(request.idle_in_transaction_timeout);
    let cost = request.random_page_cost.to_string();
    let settings = client
        .query_typed(
            SET_FOR_ROLE,
            &[
                (&request.role, Type::TEXT),
                (&statement, Type::TEXT),
                (&idle, Type::TEXT),
                (&cost, Type::TEXT),
            ],
        )
        .await
        .map_err(refused)?;
    let purposes = [(Purpose::Grant, grants), (Purpose::Setting, settings)];
    let statements = purposes.into_iter().flat_map(|(purpose, rows)| {
        rows.into_iter().map(move |row| GrantStatement {
            purpose,
            sql: row.get(0),
            change: row.get(1),
        })
    });
    Ok(statements.collect())
}

/// A time as PostgreSQL's settings have it.
fn setting(time: Duration) -> String {
    match (time.as_secs(), time.subsec_millis()) {
        (seconds, 0) => format!("{seconds}s"),
        _ => format!("{}ms", time.as_millis()),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::setting;

    #[test]
    fn times_are_written_in_whole_units() {
        for (milliseconds, text) in [(4_000, "4s"), (1_500, "1500ms"), (200, "200ms")] {
            assert_eq!(setting(Duration::from_millis(milliseconds)), text);
        }
    }
}
