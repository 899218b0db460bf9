//! Sessions on the direct connection, with the advisory lock for those who write.

use std::time::Duration;

use tokio_postgres::{Client, IsolationLevel, Transaction};

use crate::connect::{self, Connection, Database, advisory_lock};
use crate::error::Error;
use crate::model::Event;

/// A session on the direct connection that holds the lock.
pub(crate) async fn open_locked(
    database: &Database,
    lock_wait: Duration,
    on_event: &mut (dyn FnMut(Event) + Send),
) -> Result<Connection, Error> {
    let mut connection = open(database, on_event).await?;
    let process = advisory_lock::acquire(&connection.client, lock_wait, on_event).await?;
    connection.lock_process = Some(process);
    Ok(connection)
}

/// Ends a session that has the lock.
pub(crate) async fn close_locked(connection: Connection) {
    advisory_lock::release(&connection.client).await;
    connection.close().await;
}

/// A session on the direct connection.
pub(crate) async fn open(
    database: &Database,
    on_event: &mut (dyn FnMut(Event) + Send),
) -> Result<Connection, Error> {
    let direct = Database { url: database.url.direct(), options: database.options.clone() };
    if database.url.is_pooled() {
        on_event(Event::UsingDirectHost { host: direct.url.host().to_owned() });
    }
    connect::connect(&direct, on_event).await
}

/// Begins a read-only transaction that sees one state of the database.
pub(crate) async fn begin_read_only(
    client: &mut Client,
) -> Result<Transaction<'_>, tokio_postgres::Error> {
    let transaction = client.build_transaction().read_only(true);
    transaction.isolation_level(IsolationLevel::RepeatableRead).start().await
}
