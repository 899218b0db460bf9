//! Columns that make the API's inserts fail: required, without a default, and not among those that the API writes.

use tokio_postgres::GenericClient;
use tokio_postgres::types::Type;

use crate::error::Error;

/// The columns that every insert of the API gives a value, by table. The tables are found as the API finds them: by
/// search path. A domain may require a value as well, and have a default of its own. `$1` a role: `users` counts only
/// if it may insert there; null for any.
const FIND: &str = "\
with written (name, columns) as (
  values ('tasks', array['user_id', 'title', 'description', 'status', 'priority']),
         ('users', array['id', 'email']),
         ('idempotency_keys', array['user_id', 'key', 'fingerprint', 'task_id', 'created_at'])
)
select name, pg_catalog.quote_ident(attname)
  from written
  join pg_catalog.pg_attribute on attrelid = pg_catalog.to_regclass(name)
  join pg_catalog.pg_type as type on type.oid = atttypid
 where attnum > 0 and not attisdropped
   and (attnotnull or type.typtype = 'd' and type.typnotnull)
   and not atthasdef and attidentity = '' and attgenerated = '' and type.typdefault is null
   and attname::text <> all (columns)
   and (name <> 'users'
        or coalesce(pg_catalog.has_table_privilege(
             (select oid from pg_catalog.pg_roles where rolname = $1), attrelid, 'insert'), true))
 order by name, attnum";

/// A required column without a default, to which the API gives no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RequiredColumn {
    table: String,
    /// Quoted where it must be.
    column: String,
}

impl RequiredColumn {
    /// Finds those in the tables of the API, as far as these exist. With a role, `users` counts only if it may create
    /// accounts.
    pub(crate) async fn find(
        client: &impl GenericClient,
        role: Option<&str>,
    ) -> Result<Vec<Self>, Error> {
        let rows = client.query_typed(FIND, &[(&role, Type::TEXT)]).await;
        let rows = rows.map_err(|source| Error::Query { action: "look at the columns", source })?;
        Ok(rows.iter().map(|row| Self { table: row.get(0), column: row.get(1) }).collect())
    }

    /// `users.password_hash`
    pub(crate) fn name(&self) -> String {
        format!("{}.{}", self.table, self.column)
    }

    /// The problem.
    pub(crate) fn problem(&self) -> String {
        let what = match self.table.as_str() {
            "users" => "create accounts",
            "tasks" => "create tasks",
            _ => "create tasks with an `Idempotency-Key`",
        };
        format!(
            "the API cannot {what}: `{}` must have a value, has no default, and the API does not write it",
            self.name()
        )
    }

    /// The statement that removes it.
    pub(crate) fn advice(&self) -> String {
        let Self { table, column } = self;
        format!(
            "give it a default, or allow null: alter table {table} alter column {column} drop not null;"
        )
    }
}
