//! `dump`: the schema as one script.

mod script;

use crate::error::Error;
use crate::model::Event;
use crate::ops::dump::script::Grants;
use crate::run::migrator::Migrator;
use crate::schema::catalog::{self, Catalog, Kind, Property, ReadOptions};
use crate::schema::shadow::{self, DatabaseSettings, ShadowServer, Through};

/// Source of a dump.
#[derive(Clone, Debug)]
pub enum DumpSource {
    /// The schema that the migrations create in a shadow database.
    Migrations {
        /// Where it is created.
        server: ShadowServer,
        /// True if it gets encoding, locale and search path of the migrator's database.
        takes_after: bool,
    },
    /// The schema of the migrator's database.
    Database,
}

/// The schema as a script that can be run on an empty database. The same schema gives the same
/// text on every server and version, except for the queries of views, which PostgreSQL writes shorter
/// from 18 on. What is not written is reported with [`Event::NotWritten`].
pub async fn dump(
    migrator: &mut Migrator<'_>,
    source: DumpSource,
    grants: bool,
) -> Result<String, Error> {
    let written = if grants { Grants::Written } else { Grants::LeftOut };
    match source {
        DumpSource::Migrations { server, takes_after } => {
            let settings = if takes_after {
                Some(DatabaseSettings::read_from(&migrator.database, migrator.on_event).await?)
            } else {
                None
            };
            let migrations = migrator.migrations;
            let through = if migrations.is_empty() { Through::Nothing } else { Through::Newest };
            let settings = settings.as_ref();
            let built = shadow::build(migrator, &server, settings, through, grants).await?;
            if let Some(live) = settings.map(DatabaseSettings::server_version)
                && live != built.server_version
            {
                let shadow = built.server_version;
                (migrator.on_event)(Event::OtherServerVersion { live, shadow });
            }
            report_not_written(&built.catalog, grants, migrator.on_event);
            let newest =
                migrations.names().last().map_or("no migration".to_owned(), ToString::to_string);
            let what = format!("What the migrations make, up to {newest}");
            Ok(script::write(&built.catalog, &what, written))
        }
        DumpSource::Database => {
            let mut connection = migrator.open().await?;
            let schemas = catalog::other_schemas(&connection.client).await?;
            let read = ReadOptions { schemas, grants };
            let catalog = catalog::read(&mut connection.client, &read).await;
            connection.close().await;
            let catalog = catalog?;
            report_not_written(&catalog, grants, migrator.on_event);
            Ok(script::write(&catalog, "What is in a database", written))
        }
    }
}

/// A schema as a script that creates it in an empty database, without grants.
pub(crate) fn copy(catalog: &Catalog) -> String {
    script::write(catalog, "A copy of a schema", Grants::LeftOut)
}

/// Reports what the script lacks: objects that are not written, and without `grants` the privileges
/// that PUBLIC has or lacks.
fn report_not_written(catalog: &Catalog, grants: bool, on_event: &mut (dyn FnMut(Event) + Send)) {
    let others = catalog.objects.keys().filter(|id| id.kind == Kind::Other);
    let mut what: Vec<String> = others.map(ToString::to_string).collect();
    let of_public = catalog.objects.iter().filter(|(id, object)| {
        !grants
            && id.kind != Kind::Schema
            && object.properties.contains_key(&Property::PublicGrants)
    });
    what.extend(
        of_public.map(|(id, _)| format!("grants to PUBLIC on {id} (`--grants` writes them)")),
    );
    what.extend(catalog.not_read.iter().cloned());
    if !what.is_empty() {
        on_event(Event::NotWritten { what });
    }
}
