//! What a role is, as far as it decides whether the API may use it.

use std::fmt;

use serde::Serialize;
use tokio_postgres::GenericClient;
use tokio_postgres::types::Type;

use crate::{Error, HealthWarning};

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
/// more.
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
              order by 1)
  from pg_roles as role
 where role.rolname = coalesce($1, current_user)";

/// How many names of what a role owns are shown.
const SHOWN: usize = 4;

/// A role that is fit to be the API's.
pub(crate) struct FitRole {
    pub(crate) can_log_in: bool,
}

/// Why a role cannot be the API's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RoleObjection {
    /// No privilege matters to a superuser.
    Superuser,
    /// The role whose rights are needed to grant cannot be the one that has next to none.
    Connected,
    /// PostgreSQL made it, and others are members of it.
    Predefined,
    /// An owner can do anything with what it owns, and revoking changes nothing about that.
    Owner(Vec<String>),
}

/// A role, looked at as the API's.
#[derive(Clone, Debug, Serialize)]
pub struct RoleReport {
    /// Which.
    pub name: String,
    /// Whether nothing is forbidden to it.
    pub superuser: bool,
    /// Whether row-level security does not apply to it.
    pub bypasses_rls: bool,
    /// Whether it can create tables in the schema of the tasks.
    pub can_create: bool,
    /// The tables that it, or a role that it is a member of, owns.
    pub owns_tables: Vec<String>,
}

impl fmt::Display for RoleObjection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Superuser => f.write_str("it is a superuser"),
            Self::Connected => f.write_str("this connection uses it"),
            Self::Predefined => f.write_str("it is one of PostgreSQL's own"),
            Self::Owner(owned) => write!(f, "it owns {}", list(owned)),
        }
    }
}

impl RoleReport {
    /// What is wrong with an API that connects as this role.
    pub(crate) fn warning(&self) -> Option<HealthWarning> {
        let name = &self.name;
        let advice = "give the API a role of its own with `migrator grant --role NAME`";
        if self.superuser {
            let what = format!(
                "the role `{name}` is a superuser: an API that connects as it could do anything on this server"
            );
            return Some(HealthWarning::new("superuser_role", what, advice));
        }
        if !self.owns_tables.is_empty() {
            let noun = if self.owns_tables.len() == 1 { "table" } else { "tables" };
            let tables = list(&self.owns_tables);
            let what = format!(
                "the role `{name}` owns the {noun} {tables}: an API that connects as it could change the schema"
            );
            return Some(HealthWarning::new("owner_role", what, advice));
        }
        self.can_create.then(|| {
            let what = format!("the role `{name}` can create tables beside the API's");
            let advice = "`migrator grant` takes that away, or says who can";
            HealthWarning::new("creator_role", what, advice)
        })
    }
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
    })
}

/// `a`, `a and b`, `a, b and c`; of many the first few and their number.
pub(crate) fn list(names: &[String]) -> String {
    let shown = if names.len() > SHOWN { &names[..SHOWN - 1] } else { names };
    let more = names.len() - shown.len();
    match (shown, more) {
        ([only], 0) => only.clone(),
        ([first @ .., last], 0) => format!("{} and {last}", first.join(", ")),
        (_, more) => format!("{} and {more} more", shown.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::list;

    #[test]
    fn lists_of_names_stay_short() {
        for (number, text) in [
            (1, "a"),
            (2, "a and b"),
            (3, "a, b and c"),
            (4, "a, b, c and d"),
            (6, "a, b, c and 3 more"),
        ] {
            let names: Vec<String> = ('a'..).take(number).map(String::from).collect();
            assert_eq!(list(&names), text);
        }
    }
}
