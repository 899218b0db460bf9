//! `dump`: the schema as one script.

mod script;

use neon_url::DatabaseUrl;

use crate::connect::{ConnectOptions, session};
use crate::error::Error;
use crate::migrations::Migrations;
use crate::model::Event;
use crate::ops::dump::script::Grants;
use crate::schema::catalog::{self, Catalog, ReadOptions};
use crate::schema::shadow::{self, DatabaseSettings, Through};

/// Source of a dump.
#[derive(Clone, Debug)]
pub enum DumpSource {
    /// The schema that the migrations create in a shadow database.
    Migrations {
        /// Any database on the server for the shadow database.
        server: DatabaseUrl,
        /// True for the live database, whose encoding, locale and search path the shadow database gets.
        is_live: bool,
    },
    /// The schema of a database.
    Database(DatabaseUrl),
}

/// The schema as a script that can be run on an empty database. The same schema gives the same
/// text on every server and version, except for the queries of views, which PostgreSQL writes shorter
/// from 18 on. Unsupported objects are not written, and reported with [`Event::NotWritten`].
pub async fn dump(
    source: &DumpSource,
    options: &ConnectOptions,
    migrations: &Migrations,
    grants: bool,
    on_event: &mut (dyn FnMut(Event) + Send),
) -> Result<String, Error> {
    let written = if grants { Grants::Written } else { Grants::LeftOut };
    match source {
        DumpSource::Migrations { server, is_live } => {
            let settings = if *is_live {
                let connection = session::open(server, options, on_event).await?;
                let settings = DatabaseSettings::read(&connection.client).await;
                connection.close().await;
                Some(settings?)
            } else {
                None
            };
            let through = if migrations.is_empty() { Through::Nothing } else { Through::Newest };
            let settings = settings.as_ref();
            let built =
                shadow::build(server, options, settings, migrations, through, grants, on_event)
                    .await?;
            report_unsupported(&built.catalog, on_event);
            let newest =
                migrations.names().last().map_or("no migration".to_owned(), ToString::to_string);
            let what = format!("What the migrations make, up to {newest}");
            Ok(script::write(&built.catalog, &what, written))
        }
        DumpSource::Database(url) => {
            let mut connection = session::open(url, options, on_event).await?;
            let schemas = catalog::other_schemas(&connection.client).await?;
            let read = ReadOptions { schemas, grants };
            let catalog = catalog::read(&mut connection.client, &read).await;
            connection.close().await;
            let catalog = catalog?;
            report_unsupported(&catalog, on_event);
            Ok(script::write(&catalog, "What is in a database", written))
        }
    }
}

fn report_unsupported(catalog: &Catalog, on_event: &mut (dyn FnMut(Event) + Send)) {
    if !catalog.unsupported.is_empty() {
        on_event(Event::NotWritten { what: catalog.unsupported.clone() });
    }
}
