//! Finds out if a transaction has changed what the databases of a server share, before it is committed.
//!
//! A script that runs in a shadow database on the live server is looked through before; this is for
//! what it hides in a dynamic statement or in an extension. The transaction is then rolled back, and
//! with it everything that it changed.

use tokio_postgres::GenericClient;

use crate::migrations::File;

/// What scripts may change.
#[derive(Clone, Debug, Default)]
pub(crate) enum Confinement {
    /// Everything that the role may.
    #[default]
    None,
    /// Only their database.
    Database {
        /// Names of the files for which a person has vouched.
        vouched: Vec<String>,
    },
}

impl Confinement {
    pub(crate) fn holds_for(&self, file: &File) -> bool {
        match self {
            Self::None => false,
            Self::Database { vouched } => !vouched.contains(&file.name),
        }
    }
}

/// A command that writes roles, memberships, settings, comments, labels or privileges on parameters
/// keeps its lock on their catalog to the end of the transaction: `pg_authid`, `pg_auth_members`,
/// `pg_db_role_setting`, `pg_shdescription`, `pg_shseclabel`, `pg_parameter_acl`. Of the others, rows
/// are found that this transaction wrote, in a subtransaction perhaps: a row that is visible here
/// while its transaction is in progress. The row of the database itself is left out.
const CHANGED: &str = "\
with own as (
  select pg_catalog.pg_current_xact_id()::text::int8 as id
), written as (
  select xmin from pg_catalog.pg_database where datname <> pg_catalog.current_database()
  union all
  select xmin from pg_catalog.pg_tablespace
  union all
  select xmin from pg_catalog.pg_replication_origin
), recent as (
  select id, (xmin::text::int8 - id % 4294967296 + 6442450944) % 4294967296 - 2147483648 as distance
    from written, own
   where xmin::text::int8 > 2
)
select exists (
         select from pg_catalog.pg_locks
          where pid = pg_catalog.pg_backend_pid()
            and locktype = 'relation' and database = 0
            and mode in ('RowExclusiveLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
            and relation = any ('{1260, 1261, 2964, 2396, 3592, 6243}'::oid[]))
       or exists (
         select from recent
          where distance >= 0
            and pg_catalog.pg_xact_status((id + distance)::text::xid8) = 'in progress')";

/// True if the transaction has changed what belongs to the whole server.
pub(crate) async fn are_changed(
    transaction: &impl GenericClient,
) -> Result<bool, tokio_postgres::Error> {
    Ok(transaction.query_typed_one(CHANGED, &[]).await?.get(0))
}
