//! Removes orphaned shadow databases, which killed runs have left behind.

use tokio_postgres::Client;
use tokio_postgres::types::Type;

/// Orphaned shadow databases beside the database with the oid `$1`: a migrator that uses one holds an
/// advisory lock, in any database of the server.
const ORPHANED: &str = "\
select datname::text
  from pg_catalog.pg_database
 where datname::text ~ ('^taskie_shadow_' || $1 || '_[0-9a-f]{16}$')
   and not exists (
         select from pg_catalog.pg_locks
          where locktype = 'advisory' and objsubid = 1
            and (classid::int8 << 32) | objid::int8
                = pg_catalog.hashtextextended(datname::text, 0))";

/// Removes orphaned databases, except those that another session is removing or that belong to another
/// role.
pub(super) async fn remove_orphaned(
    client: &Client,
    beside: u32,
) -> Result<(), tokio_postgres::Error> {
    let beside = beside.to_string();
    for row in client.query_typed(ORPHANED, &[(&beside, Type::TEXT)]).await? {
        let _ = client.batch_execute(&drop_statement(row.get(0))).await;
    }
    Ok(())
}

/// The names of shadow databases need no quoting.
pub(super) fn drop_statement(name: &str) -> String {
    format!("drop database if exists {name} with (force)")
}
