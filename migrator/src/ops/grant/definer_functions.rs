//! Functions that run with the privileges of their owners (`security definer`), and that the role can
//! execute: through them it can do whatever they do, beyond its own privileges.

use tokio_postgres::GenericClient;
use tokio_postgres::types::Type;

use super::required_privileges::Target;
use crate::error::Error;

/// Not those for triggers, which nobody can call. `$1` the role's name.
const DEFINER_FUNCTIONS: &str = "\
select format('%I.%I(%s)', nspname, proname, oidvectortypes(proargtypes)),
       owner.rolname::text, owner.rolsuper,
       exists (select from aclexplode(coalesce(proacl, acldefault('f', proowner))) where grantee = 0)
  from pg_roles as role, pg_proc as proc
  join pg_namespace as schema on schema.oid = pronamespace
  join pg_roles as owner on owner.oid = proowner
 where role.rolname = $1
   and prosecdef and proowner <> role.oid
   and prorettype not in ('trigger'::regtype, 'event_trigger'::regtype)
   and has_schema_privilege(role.oid, schema.oid, 'usage')
   and has_function_privilege(role.oid, proc.oid, 'execute')
 order by 1";

/// A function that runs with its owner's privileges.
pub(super) struct DefinerFunction {
    name: String,
    owner: String,
    owner_is_superuser: bool,
    /// True if every role can execute it.
    pub(super) of_everybody: bool,
}

impl DefinerFunction {
    /// Warning about a role that can execute it.
    pub(super) fn warning(&self, role: &str) -> String {
        let Self { name, owner, owner_is_superuser, of_everybody } = self;
        let superuser = if *owner_is_superuser { ", a superuser" } else { "" };
        let advice = if *of_everybody {
            format!("if it is not meant for it, revoke execute on routine {name} from public")
        } else {
            format!(
                "if it is not meant for it, revoke execute on routine {name} from the role that passes it on"
            )
        };
        format!(
            "`{role}` can execute `{name}`, which runs with the privileges of its owner `{owner}`{superuser}: {advice}"
        )
    }
}

/// The functions that the role can execute.
pub(super) async fn find(
    client: &impl GenericClient,
    target: &Target<'_>,
) -> Result<Vec<DefinerFunction>, Error> {
    let rows = client
        .query_typed(DEFINER_FUNCTIONS, &[(&target.request.role, Type::TEXT)])
        .await
        .map_err(|source| Error::Query { action: "read what the role can do", source })?;
    let functions = rows.iter().map(|row| DefinerFunction {
        name: row.get(0),
        owner: row.get(1),
        owner_is_superuser: row.get(2),
        of_everybody: row.get(3),
    });
    Ok(functions.collect())
}
