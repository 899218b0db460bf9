//! The properties of a role that decide whether the API may use it.

use serde::Serialize;
use tokio_postgres::GenericClient;
use tokio_postgres::types::Type;

use crate::error::{Error, RoleObjection};

/// `$1` the role's name. What it owns counts in this database, and the database itself.
const DESCRIBE_ROLE: &str = "\
select role.rolsuper, role.rolcanlogin, role.rolname in (current_user, session_user),
       role.rolname ~ '^pg_',
       array(select pg_describe_object(owned.classid, owned.objid, owned.objsubid)
               from pg_shdepend as owned, pg_database as here
              where here.datname = current_database()
                and owned.refclassid = 'pg_authid'::regclass and owned.refobjid = role.oid
                and owned.deptype = 'o'
                and (owned.dbid = here.oid
                     or owned.classid = 'pg_database'::regclass and owned.objid = here.oid)
              order by 1)
  from pg_roles as role
 where role.rolname = $1";

/// `$1` the role's name, or null for the one that asks. Being a member of an owner counts as owning:
/// a member can do what the owner can. A superuser is a member of every role, which says nothing
/// more. Row security does not apply to an owner who is asked about, and nothing is known of the
/// API's role where none was: then, a policy for anybody will do.
const JUDGE_ROLE: &str = "\
select role.rolname::text, role.rolsuper, role.rolbypassrls,
       coalesce(has_schema_privilege(
         role.oid,
         coalesce((select relnamespace from pg_class where oid = to_regclass('tasks')),
                  (select oid from pg_namespace where nspname = current_schema())),
         'create'), false),
       array(select class.oid::regclass::text
               from pg_class as class
               join pg_namespace as schema on schema.oid = class.relnamespace
              where class.relkind in ('r', 'p')
                and schema.nspname !~ '^pg_' and schema.nspname <> 'information_schema'
                and (class.relowner = role.oid
                     or not role.rolsuper and pg_has_role(role.oid, class.relowner, 'member'))
              order by 1),
       array(select name
               from unnest(array['idempotency_keys', 'tasks', 'users']) as name
               join pg_class as class on class.oid = to_regclass(name)
               cross join lateral (
                 select role.rolsuper or role.rolbypassrls
                        or pg_has_role(role.oid, class.relowner, 'usage')
                           and not class.relforcerowsecurity as is_exempt) as role_here
              where class.relrowsecurity
                and not (is_exempt and $1 is not null)
                and not exists (
                  select from pg_policy, unnest(polroles) as reader
                   where polrelid = class.oid
                     and polpermissive
                     and case when is_exempt or reader = 0 then true
                              else pg_has_role(role.oid, reader, 'usage') end)
              order by 1),
       array(select proc.oid::regprocedure::text
               from pg_proc as proc
               join pg_namespace as schema on schema.oid = proc.pronamespace
              where proc.prosecdef and proc.proowner <> role.oid
                and proc.prorettype not in ('trigger'::regtype, 'event_trigger'::regtype)
                and has_schema_privilege(role.oid, schema.oid, 'usage')
                and has_function_privilege(role.oid, proc.oid, 'execute')
              order by 1)
  from pg_roles as role
 where role.rolname = coalesce($1, current_user)";

/// A role that is fit to be the API's.
pub(crate) struct FitRole {
    pub(crate) can_log_in: bool,
}

/// A role, looked at as the API's.
#[derive(Clone, Debug, Serialize)]
pub struct RoleReport {
    /// Which.
    pub name: String,
    /// True for a superuser.
    pub superuser: bool,
    /// True if row-level security does not apply to it.
    pub bypasses_rls: bool,
    /// True if it can create tables in the schema of the tasks.
    pub can_create: bool,
    /// The tables that it, or a role that it is a member of, owns.
    pub owns_tables: Vec<String>,
    /// The API's tables on which row security is enabled, without a policy for it.
    #[serde(skip)]
    pub shut_out_of: Vec<String>,
    /// The functions that it can execute and that run with the privileges of their owners.
    #[serde(skip)]
    pub definer_functions: Vec<String>,
}

/// The role, or why it cannot be the API's.
pub(crate) async fn find_fit(client: &impl GenericClient, role: &str) -> Result<FitRole, Error> {
    let row = client
        .query_typed_opt(DESCRIBE_ROLE, &[(&role, Type::TEXT)])
        .await
        .map_err(|source| Error::Query { action: "describe the role", source })?;
    let Some(row) = row else { return Err(Error::NoSuchRole { role: role.to_owned() }) };
    let owned: Vec<String> = row.get(4);
    let objection = if row.get(0) {
        RoleObjection::Superuser
    } else if row.get(2) {
        RoleObjection::Connected
    } else if row.get(3) {
        RoleObjection::Predefined
    } else if !owned.is_empty() {
        RoleObjection::Owner(owned)
    } else {
        return Ok(FitRole { can_log_in: row.get(1) });
    };
    Err(Error::UnfitRole { role: role.to_owned(), objection })
}

/// Looks at a role, or at the one that is connected. Reads only.
pub(crate) async fn judge(
    client: &impl GenericClient,
    role: Option<&str>,
) -> Result<RoleReport, Error> {
    let row = client
        .query_typed_opt(JUDGE_ROLE, &[(&role, Type::TEXT)])
        .await
        .map_err(|source| Error::Query { action: "describe the role", source })?;
    let no_such_role = || Error::NoSuchRole { role: role.unwrap_or_default().to_owned() };
    let row = row.ok_or_else(no_such_role)?;
    Ok(RoleReport {
        name: row.get(0),
        superuser: row.get(1),
        bypasses_rls: row.get(2),
        can_create: row.get(3),
        owns_tables: row.get(4),
        shut_out_of: row.get(5),
        definer_functions: row.get(6),
    })
}
