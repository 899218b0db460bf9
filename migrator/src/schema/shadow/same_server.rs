//! Finds out if two addresses lead to one server, by way of poolers and other host names, too.

use tokio_postgres::Client;
use tokio_postgres::types::Type;

use crate::error::Error;

/// Ends with the transaction, so that it works through a pooler.
const LOCK: &str = "select pg_catalog.pg_advisory_xact_lock($1)";

/// True if a session of this server, in any database, holds the lock.
const SEES_LOCK: &str = "\
select exists (
         select from pg_catalog.pg_locks
          where locktype = 'advisory' and objsubid = 1 and granted
            and (classid::int8 << 32) | objid::int8 = $1)";

const IS_REPLICA: &str = "select pg_catalog.pg_is_in_recovery()";

/// Copies of a server have the identifier of the original.
const IDENTIFIER: &str = "select system_identifier from pg_catalog.pg_control_system()";

/// True if both sessions are on one server, or `live` is on a replica of the server of `other`, which
/// gets all changes of that.
pub(super) async fn is_same_server(live: &mut Client, other: &Client) -> Result<bool, Error> {
    let compare = async {
        let is_replica: bool = live.query_typed_one(IS_REPLICA, &[]).await?.get(0);
        if is_replica {
            let own: i64 = live.query_typed_one(IDENTIFIER, &[]).await?.get(0);
            let others: i64 = other.query_typed_one(IDENTIFIER, &[]).await?.get(0);
            if own == others {
                return Ok(true);
            }
        }
        let key = rand::random::<i64>();
        let transaction = live.transaction().await?;
        transaction.query_typed_one(LOCK, &[(&key, Type::INT8)]).await?;
        let sees: bool = other.query_typed_one(SEES_LOCK, &[(&key, Type::INT8)]).await?.get(0);
        transaction.rollback().await?;
        Ok(sees)
    };
    compare.await.map_err(|source| Error::Query { action: "compare the servers", source })
}
