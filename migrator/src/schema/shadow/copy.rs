//! Runs a script in a copy of a schema, without its rows.

use tokio_postgres::{Client, GenericClient};

use super::build::prepare_silently;
use super::database::{ShadowRequest, with_shadow};
use super::inspect::Inspection;
use super::{DatabaseSettings, ShadowServer};
use crate::error::pg_error::describe;
use crate::error::{Error, ShadowError};
use crate::migrations::File;
use crate::model::{Event, TransactionMode};
use crate::run::migrator::Migrator;
use crate::run::shared_catalogs::{self, Confinement};
use crate::schema::catalog::{self, Catalog, ReadOptions};
use crate::sql;

/// The place of what is found in the copy.
const NAME: &str = "the schema of the database, as `dump --live` writes it";

/// Creates a schema in a shadow database by `copy`, its script as `dump` writes it, runs `script` there, which is one
/// transaction, and reads the catalog that results. See [`with_shadow`] for `server` and `settings`.
///
/// [`ShadowError::Copy`] if the schema cannot be copied, [`ShadowError::Try`] with the statement of the script that fails;
/// [`ShadowError::CopyBeyondDatabase`] and [`ShadowError::CopyChangedServer`] where they would change the live server.
pub(crate) async fn run_in_copy(
    live: &mut Migrator<'_>,
    server: &ShadowServer,
    settings: &DatabaseSettings,
    copy: &str,
    script: &str,
    read: &ReadOptions,
) -> Result<Catalog, Error> {
    let whole = File {
        name: NAME.to_owned(),
        path: NAME.to_owned(),
        sql: format!("{copy}\n{script}"),
        mode: TransactionMode::One,
    };
    let inspection = Inspection::of_copy(&whole);
    let request = ShadowRequest { server, settings: Some(settings), inspection: &inspection };
    with_shadow(live, &request, async |mut shadow, main| {
        (shadow.on_event)(Event::TryingScript);
        let mut connection = prepare_silently(&mut shadow, &main).await?;
        let client = &mut connection.client;
        let is_confined = matches!(shadow.confinement, Confinement::Database { .. });
        let refused = |source| ShadowError::Copy { source };
        let transaction = client.transaction().await.map_err(refused)?;
        transaction.batch_execute(copy).await.map_err(refused)?;
        if is_confined {
            require_unchanged(&transaction).await?;
        }
        transaction.commit().await.map_err(refused)?;
        run_statements(client, script, is_confined).await?;
        let catalog = catalog::read(client, read).await?;
        connection.close().await;
        Ok(catalog)
    })
    .await
}

/// One by one: PostgreSQL does not tell which statement of several has failed.
async fn run_statements(client: &Client, script: &str, is_confined: bool) -> Result<(), Error> {
    let statements = sql::statements(script);
    for (index, statement) in statements.iter().enumerate() {
        // The last one commits.
        if is_confined && index + 1 == statements.len() {
            require_unchanged(client).await?;
        }
        let text = statement.text(script);
        client.batch_execute(text).await.map_err(|source| ShadowError::Try {
            statement: text.to_owned(),
            reason: describe(&source),
        })?;
    }
    Ok(())
}

/// Fails if the transaction has changed what belongs to the whole server; nobody commits it then.
async fn require_unchanged(transaction: &impl GenericClient) -> Result<(), Error> {
    let changed = shared_catalogs::are_changed(transaction).await;
    let changed = changed
        .map_err(|source| Error::Query { action: "look for changes of the server", source })?;
    if changed { Err(ShadowError::CopyChangedServer.into()) } else { Ok(()) }
}
