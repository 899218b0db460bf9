//! Applies migrations to a shadow database and reads its catalog.

use tokio_postgres::Client;

use super::database::with_shadow;
use super::{DatabaseSettings, settings};
use crate::connect::{self, Connection};
use crate::error::Error;
use crate::model::Event;
use crate::run::migrator::Migrator;
use crate::run::plan::Target;
use crate::schema::catalog::{self, Catalog, Kind, ObjectId, ReadOptions};

const SERVER_VERSION: &str =
    "select pg_catalog.current_setting('server_version_num')::int4 / 10000";

/// The last migration to apply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Through {
    /// None is.
    Nothing,
    /// Up to and including this version, which exists.
    Version(i64),
    /// All are.
    Newest,
}

/// Schema that the migrations create.
pub(crate) struct ShadowCatalog {
    pub(crate) catalog: Catalog,
    /// Schemas that they created or used, without the main one.
    pub(crate) schemas: Vec<String>,
    /// Major version of the server.
    pub(crate) server_version: i32,
}

/// Applies migrations to a shadow database, reads what is there, and removes it. See
/// [`with_shadow`] for `server` and `settings`.
pub(crate) async fn build(
    server: &mut Migrator<'_>,
    settings: Option<&DatabaseSettings>,
    through: Through,
    grants: bool,
) -> Result<ShadowCatalog, Error> {
    let to = match through {
        Through::Nothing => Some(0),
        Through::Version(version) => Some(version),
        Through::Newest => None,
    };
    let names = server.migrations.names();
    let number = names.filter(|name| to.is_none_or(|to| name.version <= to)).count();
    with_shadow(server, settings, async |mut shadow| {
        let mut connection = prepare(&mut shadow, settings, number).await?;
        if number > 0 {
            migrate(&mut shadow, Target::Up(to)).await.map_err(Error::in_shadow)?;
        }
        let schemas = catalog::other_schemas(&connection.client).await?;
        let read = ReadOptions { schemas, grants };
        let catalog = catalog::read(&mut connection.client, &read).await?;
        let server_version = server_version(&connection.client).await?;
        connection.close().await;
        Ok(without_unused_public(ShadowCatalog { catalog, schemas: read.schemas, server_version }))
    })
    .await
}

/// Connects to a new shadow database, in which so many migrations will run.
pub(super) async fn prepare(
    shadow: &mut Migrator<'_>,
    settings: Option<&DatabaseSettings>,
    migrations: usize,
) -> Result<Connection, Error> {
    (shadow.on_event)(Event::BuildingShadow { migrations });
    prepare_silently(shadow, settings).await
}

/// Connects to a new shadow database.
pub(super) async fn prepare_silently(
    shadow: &mut Migrator<'_>,
    settings: Option<&DatabaseSettings>,
) -> Result<Connection, Error> {
    let connection = connect::connect(&shadow.database, shadow.on_event).await?;
    settings::create_schema(&connection.client, settings)
        .await
        .map_err(|source| Error::Query { action: "prepare the shadow database", source })?;
    Ok(connection)
}

/// Runs the migrations in the shadow database; reports no events.
pub(super) async fn migrate(shadow: &mut Migrator<'_>, target: Target) -> Result<(), Error> {
    let mut silent = |_| {};
    let mut shadow = Migrator::new(shadow.database.clone(), shadow.migrations, &mut silent);
    shadow.run(target).await.map(drop)
}

/// The major version of a server, such as 18.
pub(crate) async fn server_version(client: &Client) -> Result<i32, Error> {
    let row = client.query_typed_one(SERVER_VERSION, &[]).await;
    let row = row.map_err(|source| Error::Query { action: "tell its version", source })?;
    Ok(row.get(0))
}

/// If another schema is the main one, removes `public` unless the migrations create something in it.
fn without_unused_public(mut built: ShadowCatalog) -> ShadowCatalog {
    let is_public = |schema: &String| schema == "public";
    let is_other = built.schemas.iter().any(is_public);
    let is_used = |id: &ObjectId| id.schema.as_ref().is_some_and(is_public);
    if is_other && !built.catalog.objects.keys().any(is_used) {
        built.schemas.retain(|schema| !is_public(schema));
        let is_schema = |id: &ObjectId| id.kind == Kind::Schema && is_public(&id.name);
        built.catalog.objects.retain(|id, _| !is_schema(id));
    }
    built
}
