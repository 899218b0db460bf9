//! Applies migrations to a shadow database and reads its catalog.

use tokio_postgres::Client;

use super::database::{ShadowRequest, with_shadow};
use super::inspect::Inspection;
use super::main_schema::MainSchema;
use super::{DatabaseSettings, ShadowServer};
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

/// Applies migrations to a shadow database on `server`, reads what is there, and removes it. It takes
/// after `settings`. Refuses migrations that would change the live server.
pub(crate) async fn build(
    live: &mut Migrator<'_>,
    server: &ShadowServer,
    settings: Option<&DatabaseSettings>,
    through: Through,
    grants: bool,
) -> Result<ShadowCatalog, Error> {
    let to = match through {
        Through::Nothing => Some(0),
        Through::Version(version) => Some(version),
        Through::Newest => None,
    };
    let migrations = live.migrations;
    let names = migrations.names();
    let number = names.filter(|name| to.is_none_or(|to| name.version <= to)).count();
    let inspection = Inspection::of(migrations, to, None);
    let request = ShadowRequest { server, settings, inspection: &inspection };
    with_shadow(live, &request, async |mut shadow, main| {
        let mut connection = prepare(&mut shadow, &main, number).await?;
        if number > 0 {
            let done = migrate(&mut shadow, Target::Up(to)).await;
            done.map_err(|error| error.in_shadow(inspection.is_vouched()))?;
        }
        let schemas = catalog::other_schemas(&connection.client).await?;
        let mut read = ReadOptions { schemas, grants };
        let mut catalog = catalog::read(&mut connection.client, &read).await?;
        drop_unused_public(&mut catalog, &mut read.schemas);
        let server_version = server_version(&connection.client).await?;
        connection.close().await;
        Ok(ShadowCatalog { catalog, schemas: read.schemas, server_version })
    })
    .await
}

/// Connects to a new shadow database, in which so many migrations will run.
pub(super) async fn prepare(
    shadow: &mut Migrator<'_>,
    main: &MainSchema,
    migrations: usize,
) -> Result<Connection, Error> {
    (shadow.on_event)(Event::BuildingShadow { migrations });
    prepare_silently(shadow, main).await
}

/// Connects to a new shadow database.
pub(super) async fn prepare_silently(
    shadow: &mut Migrator<'_>,
    main: &MainSchema,
) -> Result<Connection, Error> {
    let connection = connect::connect(&shadow.database, shadow.on_event).await?;
    main.create(&connection.client)
        .await
        .map_err(|source| Error::Query { action: "prepare the shadow database", source })?;
    Ok(connection)
}

/// Runs the migrations in the shadow database; reports no events.
pub(super) async fn migrate(shadow: &mut Migrator<'_>, target: Target) -> Result<(), Error> {
    let mut silent = |_| {};
    let confinement = shadow.confinement.clone();
    let mut shadow = Migrator::new(shadow.database.clone(), shadow.migrations, &mut silent);
    shadow.confinement = confinement;
    shadow.run(target).await.map(drop)
}

/// The major version of a server, such as 18.
pub(crate) async fn server_version(client: &Client) -> Result<i32, Error> {
    let row = client.query_typed_one(SERVER_VERSION, &[]).await;
    let row = row.map_err(|source| Error::Query { action: "tell its version", source })?;
    Ok(row.get(0))
}

/// If another schema is the main one, removes `public` unless the migrations create something in it.
pub(super) fn drop_unused_public(catalog: &mut Catalog, schemas: &mut Vec<String>) {
    let is_public = |schema: &String| schema == "public";
    let is_other = schemas.iter().any(is_public);
    let is_used = |id: &ObjectId| id.schema.as_ref().is_some_and(is_public);
    if is_other && !catalog.objects.keys().any(is_used) {
        schemas.retain(|schema| !is_public(schema));
        let is_schema = |id: &ObjectId| id.kind == Kind::Schema && is_public(&id.name);
        catalog.objects.retain(|id, _| !is_schema(id));
    }
}
