//! Runs a script in a copy of a schema, without its rows.

use tokio_postgres::Client;

use super::build::prepare_silently;
use super::database::{ShadowRequest, with_shadow};
use super::inspect::Inspection;
use super::{DatabaseSettings, ShadowServer};
use crate::error::pg_error::describe;
use crate::error::{Error, ShadowError};
use crate::model::Event;
use crate::run::migrator::Migrator;
use crate::schema::catalog::{self, Catalog, ReadOptions};
use crate::sql;

/// Creates a schema in a shadow database by `copy`, its script as `dump` writes it, runs `script` there, and reads the
/// catalog that results. See [`with_shadow`] for `server` and `settings`.
///
/// [`ShadowError::Copy`] if the schema cannot be copied, [`ShadowError::Try`] with the statement of the script that fails.
pub(crate) async fn run_in_copy(
    live: &mut Migrator<'_>,
    server: &ShadowServer,
    settings: &DatabaseSettings,
    copy: &str,
    script: &str,
    read: &ReadOptions,
) -> Result<Catalog, Error> {
    // No migration runs, and the copy and the script only define objects of the database.
    let inspection = Inspection::of(live.migrations, Some(0), None);
    let request = ShadowRequest { server, settings: Some(settings), inspection: &inspection };
    with_shadow(live, &request, async |mut shadow, main| {
        (shadow.on_event)(Event::TryingScript);
        let mut connection = prepare_silently(&mut shadow, &main).await?;
        let client = &mut connection.client;
        client.batch_execute(copy).await.map_err(|source| ShadowError::Copy { source })?;
        run_statements(client, script).await?;
        let catalog = catalog::read(client, read).await?;
        connection.close().await;
        Ok(catalog)
    })
    .await
}

/// One by one: PostgreSQL does not tell which statement of several has failed.
async fn run_statements(client: &Client, script: &str) -> Result<(), Error> {
    for statement in sql::statements(script) {
        let text = statement.text(script);
        client.batch_execute(text).await.map_err(|source| ShadowError::Try {
            statement: text.to_owned(),
            reason: describe(&source),
        })?;
    }
    Ok(())
}
