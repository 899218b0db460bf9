//! Settings copied from the live database to a shadow database: encoding, locale and search path.

use tokio_postgres::Client;
use tokio_postgres::types::Type;

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
       pg_catalog.current_setting('search_path'), pg_catalog.current_schema()::text
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

const PATH: &str = "select pg_catalog.set_config('search_path', $1, false)";

const CURRENT_SCHEMA: &str = "select pg_catalog.current_schema()::text";

/// The statement that creates the schema `$1`, or else the first one in the search path.
const SCHEMA: &str = "\
select pg_catalog.format('create schema if not exists %I', coalesce($1, (
         select pg_catalog.btrim(pg_catalog.btrim(name), '\"')
           from pg_catalog.unnest(pg_catalog.string_to_array(
                  pg_catalog.current_setting('search_path'), ',')) with ordinality as path (name, place)
          where pg_catalog.btrim(name) not in ('', '\"$user\"', 'pg_catalog')
          order by place
          limit 1), 'public'))";

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
    search_path: String,
    /// The schema in which unqualified names are created.
    schema: String,
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
        Ok(Self {
            encoding: row.get(0),
            collate: row.get(1),
            ctype: row.get(2),
            provider: row.get(3),
            locale: row.get(4),
            search_path: row.get(5),
            schema: row.get::<_, Option<String>>(6).ok_or(crate::error::CatalogError::NoSchema)?,
        })
    }

    /// The schema in which unqualified names are created.
    pub(crate) fn schema(&self) -> &str {
        &self.schema
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

/// Sets the live database's search path for the role in the new one. Only the connection string overrides
/// a setting of a role in a database, and it is dropped with the database.
pub(super) async fn set_search_path(
    client: &Client,
    name: &str,
    settings: Option<&DatabaseSettings>,
) -> Result<(), tokio_postgres::Error> {
    let Some(settings) = settings else { return Ok(()) };
    client.query_typed_one(PATH, &[(&settings.search_path, Type::TEXT)]).await?;
    // The name needs no quoting.
    let set = format!("alter role current_user in database {name} set search_path from current");
    client.batch_execute(&set).await
}

/// Creates the main schema in the new database.
pub(super) async fn create_schema(
    client: &Client,
    settings: Option<&DatabaseSettings>,
) -> Result<(), tokio_postgres::Error> {
    let current: Option<String> = client.query_typed_one(CURRENT_SCHEMA, &[]).await?.get(0);
    let wanted = settings.map(|settings| &settings.schema);
    if current.is_some() && wanted.is_none_or(|wanted| current.as_ref() == Some(wanted)) {
        return Ok(());
    }
    let statement: String = client.query_typed_one(SCHEMA, &[(&wanted, Type::TEXT)]).await?.get(0);
    client.batch_execute(&statement).await?;
    let current: Option<String> = client.query_typed_one(CURRENT_SCHEMA, &[]).await?.get(0);
    if current.is_none() {
        // Another path than the live database's, from the connection string.
        let statement: String =
            client.query_typed_one(SCHEMA, &[(&None::<String>, Type::TEXT)]).await?.get(0);
        client.batch_execute(&statement).await?;
    }
    Ok(())
}
