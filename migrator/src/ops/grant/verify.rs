//! Asks PostgreSQL for the effective privileges of the role.

use tokio_postgres::{GenericClient, Row};

use super::definer_functions::DefinerFunction;
use super::excess_privileges::Excess;
use super::required_privileges::{Target, objects, wanted};
use crate::error::Error;

/// Missing and excess privileges on the objects that the role uses, and on schemas. `maintain` exists
/// from PostgreSQL 17 on.
const DIFFERENCES: &str = concat!(
    wanted!(),
    ", ",
    objects!(),
    ", checks (kind, oid, privilege, is_wanted) as (
  select kind, oid, unnest(privileges), true from wanted
  union all
  select kind, oid, unnest(array['CREATE', 'TEMPORARY']), false from wanted where kind = 'database'
  union all
  select 'schema', oid, 'CREATE', false
    from pg_namespace where nspname !~ '^pg_' and nspname <> 'information_schema'
  union all
  select kind, oid, privilege, false
    from wanted,
         unnest(array['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER']
                || case when current_setting('server_version_num')::int4 >= 170000
                        then array['MAINTAIN'] end) as privilege
   where kind = 'table' and privilege <> all (privileges)
  union all
  select kind, oid, unnest(array['SELECT', 'UPDATE']), false from wanted where kind = 'sequence'
)
select is_wanted, format('%s on %s %s', lower(privilege), kind, object), format('%s %s', kind, object)
  from role, checks join objects using (kind, oid)
 where is_wanted <> case kind
         when 'database' then has_database_privilege(role.oid, checks.oid, privilege)
         when 'schema' then has_schema_privilege(role.oid, checks.oid, privilege)
         when 'sequence' then has_sequence_privilege(role.oid, checks.oid, privilege)
         when 'routine' then has_function_privilege(role.oid, checks.oid, privilege)
         else has_table_privilege(role.oid, checks.oid, privilege)
              or case when is_wanted
                        or privilege not in ('SELECT', 'INSERT', 'UPDATE', 'REFERENCES') then false
                      else exists (
                        select from pg_attribute as attribute
                         where attrelid = checks.oid and attnum > 0 and not attisdropped
                           and not exists (select from wanted_columns as own
                                            where own.oid = checks.oid
                                              and own.attnum = attribute.attnum
                                              and own.privilege = checks.privilege)
                           and has_column_privilege(role.oid, checks.oid, attnum, privilege)) end
       end
union all
select true,
       format('%s (%s) on table %s', lower(privilege),
              string_agg(format('%I', attname), ', ' order by attnum), object),
       format('table %s', object)
  from role, wanted_columns join objects using (oid)
 where kind = 'table' and not has_column_privilege(role.oid, wanted_columns.oid, attnum, privilege)
 group by privilege, object
 order by 2"
);

/// The other relations that the role can do anything with, and whether every role can.
const OTHER_RELATIONS: &str = concat!(
    wanted!(),
    ", ",
    objects!(),
    "
select format('%s %s', kind, object),
       exists (select from aclexplode(acl) where grantee = 0)
       or exists (select from pg_attribute, aclexplode(attacl) where attrelid = class.oid and grantee = 0)
  from role, pg_class as class
  join pg_namespace as schema on schema.oid = relnamespace
  join objects on kind in ('table', 'sequence') and objects.oid = class.oid
 where nspname !~ '^pg_' and nspname <> 'information_schema'
   and class.oid not in (select oid from wanted)
   and has_schema_privilege(role.oid, schema.oid, 'USAGE')
   and case kind
         when 'sequence' then has_sequence_privilege(role.oid, class.oid, 'USAGE, SELECT, UPDATE')
         else has_table_privilege(role.oid, class.oid,
                'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER')
              or has_any_column_privilege(role.oid, class.oid, 'SELECT, INSERT, UPDATE, REFERENCES')
       end
 order by 1"
);

/// Missing and excess privileges.
pub(super) struct Differences {
    /// Required privileges that the role lacks.
    pub(super) missing: Vec<String>,
    /// Privileges that it does not need.
    pub(super) excess: Vec<Power>,
}

/// Something that a role can do.
pub(super) struct Power {
    pub(super) what: String,
    /// Its object, as [`super::excess_privileges`] names it.
    pub(super) object: String,
}

/// A relation that the API does not use, and the role could.
pub(super) struct OtherRelation {
    pub(super) object: String,
    /// True if every role has it.
    pub(super) of_everybody: bool,
}

pub(super) async fn differences(
    client: &impl GenericClient,
    target: &Target<'_>,
) -> Result<Differences, Error> {
    let rows = client
        .query_typed(DIFFERENCES, &target.params())
        .await
        .map_err(|source| Error::Query { action: "read what the role can do", source })?;
    let (missing, excess): (Vec<_>, Vec<_>) = rows.iter().partition(|row| row.get(0));
    Ok(Differences {
        missing: missing.iter().map(|row| row.get(1)).collect(),
        excess: excess.iter().map(|row| Power { what: row.get(1), object: row.get(2) }).collect(),
    })
}

pub(super) async fn other_relations(
    client: &impl GenericClient,
    target: &Target<'_>,
) -> Result<Vec<OtherRelation>, Error> {
    let rows = client
        .query_typed(OTHER_RELATIONS, &target.params())
        .await
        .map_err(|source| Error::Query { action: "read what the role can do", source })?;
    let read = |row: &Row| OtherRelation { object: row.get(0), of_everybody: row.get(1) };
    Ok(rows.iter().map(read).collect())
}

/// Warnings about deviations that remain, each once.
pub(super) fn warnings(
    role: &str,
    remaining: &[Excess],
    powers: &[Power],
    others: &[OtherRelation],
    functions: &[DefinerFunction],
) -> Vec<String> {
    let mut warnings: Vec<String> = remaining.iter().map(|excess| excess.warning(role)).collect();
    warnings.extend(functions.iter().map(|function| function.warning(role)));
    let is_said = |object: &str| remaining.iter().any(|excess| excess.object == object);
    let unsaid = powers.iter().filter(|power| !is_said(&power.object));
    warnings.extend(unsaid.map(|power| format!("`{role}` still has {}", power.what)));
    let (of_everybody, own): (Vec<_>, Vec<_>) =
        others.iter().partition(|relation| relation.of_everybody);
    if !of_everybody.is_empty() {
        let objects: Vec<&str> =
            of_everybody.iter().map(|relation| relation.object.as_str()).collect();
        warnings.push(format!(
            "every role has privileges on {}, and so has `{role}`: if they are not meant for it, revoke them from public",
            objects.join(", ")
        ));
    }
    let unsaid = own.into_iter().filter(|relation| !is_said(&relation.object));
    warnings.extend(
        unsaid.map(|relation| format!("`{role}` still has privileges on {}", relation.object)),
    );
    warnings
}
