//! Settings copied from the live database to a shadow database: encoding, locale and search path.

use tokio_postgres::Client;
use tokio_postgres::types::Type;

use super::main_schema;
use crate::connect::{Database, session};
use crate::error::Error;
use crate::model::Event;

/// As JSON, the row has the columns that some versions lack: the locale of other providers than the
/// C library is in `daticulocale` from 15, in `datlocale` from 17.
const SETTINGS: &str = "\
select pg_catalog.pg_encoding_to_char(encoding)::text, datcollate::text, datctype::text,
       pg_catalog.to_jsonb(pg_database) ->> 'datlocprovider',
       coalesce(pg_catalog.to_jsonb(pg_database) ->> 'datlocale',
                pg_catalog.to_jsonb(pg_database) ->> 'daticulocale'),
       pg_catalog.current_setting('search_path'), pg_catalog.current_schema()::text,
       pg_catalog.current_setting('server_version_num')::int4 / 10000, current_user::text,
       (select nspname::text
          from pg_catalog.pg_class
          join pg_catalog.pg_namespace on pg_namespace.oid = relnamespace
         where pg_class.oid = pg_catalog.to_regclass('refinery_schema_history'))
  from pg_catalog.pg_database
 where datname = pg_catalog.current_database()";

/// The statement that creates the database `$1` with the encoding `$2`, the collation `$3`, the
/// character type `$4`, the provider `$5` and its locale `$6`; the latter two may be null. Without a
/// provider the template has another one from 15 on.
const CREATION: &str = "\
select pg_catalog.format(
         'create database %I template template0 encoding %L lc_collate %L lc_ctype %L', $1, $2, $3, $4)
       || case when pg_catalog.current_setting('server_version_num')::int4 < 150000 then ''
               when $5 = 'i' then pg_catalog.format(' locale_provider icu icu_locale %L', $6)
               when $5 = 'b' then pg_catalog.format(' locale_provider builtin builtin_locale %L', $6)
               else ' locale_provider libc' end";

/// Settings of a database on which the schema of its migrations depends.
#[derive(Clone, Debug)]
pub(crate) struct DatabaseSettings {
    encoding: String,
    collate: String,
    ctype: String,
    /// `c` for the C library, `i` for ICU, `b` for PostgreSQL's own; none before PostgreSQL 15.
    provider: Option<String>,
    /// For the other providers than the C library.
    locale: Option<String>,
    pub(super) search_path: String,
    /// The schema in which unqualified names are created. Of several in the path, the first that is
    /// there; if none is, the first.
    schema: String,
    server_version: i32,
    pub(super) user: String,
    /// The schema of the history, if there is one.
    pub(super) history_schema: Option<String>,
}

impl DatabaseSettings {
    /// Reads them over a session of its own.
    pub(crate) async fn read_from(
        database: &Database,
        on_event: &mut (dyn FnMut(Event) + Send),
    ) -> Result<Self, Error> {
        let connection = session::open(database, on_event).await?;
        let settings = Self::read(&connection.client).await;
        connection.close().await;
        settings
    }

    pub(crate) async fn read(client: &Client) -> Result<Self, Error> {
        let row = client
            .query_typed_one(SETTINGS, &[])
            .await
            .map_err(|source| Error::Query { action: "read the database's settings", source })?;
        let search_path: String = row.get(5);
        let schema: Option<String> = row.get(6);
        let schema = schema.or_else(|| main_schema::first_in(&search_path));
        Ok(Self {
            encoding: row.get(0),
            collate: row.get(1),
            ctype: row.get(2),
            provider: row.get(3),
            locale: row.get(4),
            search_path,
            schema: schema.ok_or(crate::error::CatalogError::NoSchema)?,
            server_version: row.get(7),
            user: row.get(8),
            history_schema: row.get(9),
        })
    }

    /// The schema in which unqualified names are created.
    pub(crate) fn schema(&self) -> &str {
        &self.schema
    }

    /// The major version of the server, such as 18.
    pub(crate) fn server_version(&self) -> i32 {
        self.server_version
    }
}

/// The statements that create the database; the second one is used if the first fails.
pub(super) async fn creation(
    client: &Client,
    name: &str,
    settings: Option<&DatabaseSettings>,
) -> Result<Vec<String>, tokio_postgres::Error> {
    let encoding = settings.map_or("UTF8", |settings| &settings.encoding);
    let plain = (encoding, "C", "C", None, None);
    let wanted = settings.map(|own| {
        (
            encoding,
            own.collate.as_str(),
            own.ctype.as_str(),
            own.provider.as_ref(),
            own.locale.as_ref(),
        )
    });
    let mut statements = Vec::new();
    for (encoding, collate, ctype, provider, locale) in wanted.into_iter().chain([plain]) {
        let row = client
            .query_typed_one(
                CREATION,
                &[
                    (&name, Type::TEXT),
                    (&encoding, Type::TEXT),
                    (&collate, Type::TEXT),
                    (&ctype, Type::TEXT),
                    (&provider, Type::TEXT),
                    (&locale, Type::TEXT),
                ],
            )
            .await?;
        statements.push(row.get(0));
    }
    Ok(statements)
}
