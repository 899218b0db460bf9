//! Privileges of the role that the API does not need, and the statements that revoke them.

use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{GenericClient, Row};

use super::required_privileges::{Target, objects, wanted};
use crate::error::Error;

/// Privileges granted to the role itself, grant options included. One on a column counts as on its
/// table, because a `revoke` there removes both; what the role needs is granted after it.
const PRIVILEGES: &str = concat!(
    wanted!(),
    ", ",
    objects!(),
    ", entries as (
  select kind, oid, object, owner, acl, privileges
    from objects left join wanted using (kind, oid)
  union all
  select kind, oid, object, owner, attacl,
         privileges || array(select privilege from wanted_columns as own
                              where own.oid = objects.oid and own.attnum = pg_attribute.attnum)
    from objects left join wanted using (kind, oid)
    join pg_attribute on kind = 'table' and attrelid = oid and attacl is not null
), granted as (
  select kind, object, owner, grantor, role.rolname,
         coalesce(privilege_type = any (privileges), false) as is_wanted,
         lower(string_agg(distinct privilege_type, ', ')) as list
    from role, entries, aclexplode(acl)
   where grantee = role.oid
     and (is_grantable or not coalesce(privilege_type = any (privileges), false))
   group by 1, 2, 3, 4, 5, 6
)
select format('revoke %s%s on %s %s from %I',
              case when is_wanted then 'grant option for ' else '' end,
              list, kind, object, rolname),
       format('%s%s on %s %s',
              case when is_wanted then 'grant option for ' else '' end, list, kind, object),
       format('%s %s', kind, object),
       pg_get_userbyid(grantor)::text,
       grantor = owner and pg_has_role(owner, 'usage')
  from granted
 order by kind, object"
);

/// Privileges granted to PUBLIC: tables in a schema, temporary tables in the database.
const OF_EVERYBODY: &str = concat!(
    "with ",
    objects!(),
    ", granted as (
  select kind, object, owner, grantor, lower(string_agg(privilege_type, ', ' order by privilege_type)) as list
    from objects, aclexplode(acl)
   where grantee = 0
     and (kind = 'database' and privilege_type in ('CREATE', 'TEMPORARY')
          or kind = 'schema' and privilege_type = 'CREATE'
             and object !~ '^pg_' and object <> 'information_schema')
   group by 1, 2, 3, 4
)
select format('revoke %s on %s %s from public', list, kind, object),
       format('%s on %s %s', list, kind, object),
       format('%s %s', kind, object),
       pg_get_userbyid(grantor)::text,
       grantor = owner and pg_has_role(owner, 'usage')
  from granted
 order by kind, object"
);

/// Large objects belong to nobody's schema, so every role can create them, without a limit.
const LARGE_OBJECTS: &str = "\
select format('revoke execute on function %s from public',
              string_agg(format('pg_catalog.%I(%s)', proname, oidvectortypes(proargtypes)), ', '
                         order by proname)),
       'execute on the functions that create large objects',
       'large objects',
       pg_get_userbyid(proowner)::text,
       pg_has_role(proowner, 'usage')
  from pg_proc
 where pronamespace = 'pg_catalog'::regnamespace
   and proname in ('lo_creat', 'lo_create', 'lo_from_bytea', 'lo_import')
   and exists (select from aclexplode(coalesce(proacl, acldefault('f', proowner))) where grantee = 0)
 group by proowner";

/// Memberships, attributes beyond grants, default privileges, and settings of this database alone, which
/// would override those that the role gets. From PostgreSQL 16 on, a membership can be granted several
/// times, and `revoke` must name the grantor.
const BESIDES_PRIVILEGES: &str = "\
with role as (
  select oid, rolname, rolcreatedb, rolcreaterole, rolbypassrls, rolreplication
    from pg_roles where rolname = $1
), here as (
  select oid, datname from pg_database where datname = current_database()
)
select format('revoke %I from %I%s', pg_get_userbyid(roleid), rolname,
              case when current_setting('server_version_num')::int4 >= 160000
                   then format(' granted by %I', pg_get_userbyid(grantor)) else '' end),
       format('membership in %I', pg_get_userbyid(roleid)),
       format('role %I', pg_get_userbyid(roleid)),
       pg_get_userbyid(grantor)::text,
       true
  from role join pg_auth_members on member = role.oid
union all
select format('alter role %I no%s', rolname, attribute), attribute, 'attribute ' || attribute, '', true
  from role,
       lateral (values ('createdb', rolcreatedb), ('createrole', rolcreaterole),
                       ('bypassrls', rolbypassrls), ('replication', rolreplication))
         as attributes (attribute, is_set)
 where is_set
union all
select format('alter default privileges for role %I%s revoke all on %s from %I',
              pg_get_userbyid(defaclrole),
              case when nspname is null then '' else format(' in schema %I', nspname) end,
              objects, rolname),
       format('default privileges on %s of %I', objects, pg_get_userbyid(defaclrole)),
       format('default privileges on %s of %I', objects, pg_get_userbyid(defaclrole)),
       pg_get_userbyid(defaclrole)::text,
       pg_has_role(defaclrole, 'usage')
  from role, pg_default_acl left join pg_namespace as schema on schema.oid = defaclnamespace,
       lateral (select case defaclobjtype when 'r' then 'tables' when 'S' then 'sequences'
                                          when 'f' then 'functions' when 'T' then 'types'
                                          when 'n' then 'schemas' else 'large objects' end)
         as kinds (objects)
 where exists (select from aclexplode(defaclacl) where grantee = role.oid)
union all
select format('alter role %I in database %I reset %s', rolname, datname, split_part(setting, '=', 1)),
       format('%s in this database alone', replace(setting, '=', ' = ')),
       'setting ' || setting, '', true
  from role, here, pg_db_role_setting, unnest(setconfig) as setting
 where setrole = role.oid and setdatabase = here.oid
   and split_part(setting, '=', 1) in ('statement_timeout', 'idle_in_transaction_session_timeout',
                                       'random_page_cost')
 order by 1";

/// Privileges on the server's parameters, which there are from PostgreSQL 15 on. `$1` the role's
/// name.
const PARAMETERS: &str = "\
select format('revoke %s on parameter %s from %I', list, parname, rolname),
       format('%s on parameter %s', list, parname),
       format('parameter %s', parname),
       pg_get_userbyid(grantor)::text,
       pg_has_role(grantor, 'usage')
  from (select parname, rolname, grantor, lower(string_agg(privilege_type, ', ')) as list
          from pg_roles as role, pg_parameter_acl, aclexplode(paracl)
         where rolname = $1 and grantee = role.oid
         group by 1, 2, 3) as granted
 order by 1";

const HAS_PARAMETER_PRIVILEGES: &str =
    "select to_regclass('pg_catalog.pg_parameter_acl') is not null";

/// Something that a role has and the API does not need.
pub(super) struct Excess {
    /// The statement that takes it away.
    pub(super) sql: String,
    /// Description for people.
    pub(super) what: String,
    /// Its object, as [`super::verify`] names it.
    pub(super) object: String,
    /// The role that granted it.
    pub(super) grantor: String,
    /// True if the connected role can revoke it.
    pub(super) removable: bool,
    /// True if every role has it.
    pub(super) of_everybody: bool,
}

impl Excess {
    fn read(row: &Row, of_everybody: bool) -> Self {
        Self {
            sql: row.get(0),
            what: row.get(1),
            object: row.get(2),
            grantor: row.get(3),
            removable: row.get(4),
            of_everybody,
        }
    }

    /// Warning about a privilege that remains.
    pub(super) fn warning(&self, role: &str) -> String {
        let Self { sql, what, grantor, of_everybody, .. } = self;
        let stays = if *of_everybody {
            format!("`{role}` can still do what every role can: {what}")
        } else {
            format!("`{role}` still has {what}")
        };
        format!("{stays}; `{grantor}` granted it and can take it away: {sql}")
    }
}

/// Everything that the role has beyond its need.
pub(super) async fn find(
    client: &impl GenericClient,
    target: &Target<'_>,
) -> Result<Vec<Excess>, Error> {
    let refused = |source| Error::Query { action: "read what was granted", source };
    let role: [(&(dyn ToSql + Sync), Type); 1] = [(&target.request.role, Type::TEXT)];
    let has_parameters =
        client.query_typed_one(HAS_PARAMETER_PRIVILEGES, &[]).await.map_err(refused)?.get(0);

    let mut rows = client.query_typed(BESIDES_PRIVILEGES, &role).await.map_err(refused)?;
    rows.extend(client.query_typed(PRIVILEGES, &target.params()).await.map_err(refused)?);
    if has_parameters {
        rows.extend(client.query_typed(PARAMETERS, &role).await.map_err(refused)?);
    }
    let mut everybody = client.query_typed(OF_EVERYBODY, &[]).await.map_err(refused)?;
    everybody.extend(client.query_typed(LARGE_OBJECTS, &[]).await.map_err(refused)?);
    let own = rows.iter().map(|row| Excess::read(row, false));
    Ok(own.chain(everybody.iter().map(|row| Excess::read(row, true))).collect())
}
