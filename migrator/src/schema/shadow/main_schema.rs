//! The main schema of a shadow database: the one in which unqualified names are created, and the
//! search path that leads to it.
//!
//! It is there before the first migration, as it was in the live database, unless the migrations
//! create it themselves. Then the history has to be in another schema: in one of the search path, or
//! else in `public`, which is added to the path.

use std::collections::BTreeSet;

use neon_url::DatabaseUrl;
use tokio_postgres::Client;
use tokio_postgres::types::Type;

use super::DatabaseSettings;
use crate::sql::reach::CreatedSchema;

/// Of the session in which the shadow database is created.
const SESSION: &str = "select pg_catalog.current_setting('search_path'), current_user::text";

const SET_PATH: &str = "select pg_catalog.set_config('search_path', $1, false)";

const CURRENT: &str = "select pg_catalog.current_schema()::text";

const CREATE: &str = "select pg_catalog.format('create schema if not exists %I', $1)";

/// How the main schema and the search path come about.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct MainSchema {
    /// The schema to create first; none if the migrations do.
    create: Option<String>,
    /// The search path; none if that of the connection string stays.
    path: Option<String>,
    /// True if the path holds against one in the connection string.
    is_forced: bool,
}

impl MainSchema {
    /// For a database on the server of `client`, in which scripts create these schemas.
    pub(super) async fn plan(
        client: &Client,
        settings: Option<&DatabaseSettings>,
        created: &BTreeSet<CreatedSchema>,
    ) -> Result<Self, tokio_postgres::Error> {
        let row = client.query_typed_one(SESSION, &[]).await?;
        let (own_path, own_user): (String, String) = (row.get(0), row.get(1));
        let user = settings.map_or(&own_user, |settings| &settings.user);
        let mut path = settings.map_or(&own_path, |settings| &settings.search_path).clone();
        let is_other_role = *user != own_user;
        if is_other_role {
            path = path.replace("\"$user\"", &format!("\"{}\"", user.replace('"', "\"\"")));
        }
        let main = match settings {
            Some(settings) => Some(settings.schema().to_owned()),
            None => first_in(&path),
        };
        let history = settings.and_then(|settings| settings.history_schema.as_ref());
        let is_created = created.iter().any(|schema| {
            let name = schema.name.as_ref().unwrap_or(user);
            // A history that is elsewhere is older than the schema.
            Some(name) == main.as_ref()
                && (!schema.if_not_exists || history.is_some_and(|history| history != name))
        });
        let lacks_public = !names(&path).any(|name| name == "public");
        if is_created && lacks_public {
            path += ", public";
        }
        let is_forced = (is_created && lacks_public) || is_other_role;
        Ok(Self {
            create: main.filter(|_| !is_created),
            path: (settings.is_some() || is_forced).then_some(path),
            is_forced,
        })
    }

    /// Sets the search path for the role in the new database. Only the connection string overrides a
    /// setting of a role in a database, and it is dropped with the database.
    pub(super) async fn set_path(
        &self,
        client: &Client,
        database: &str,
    ) -> Result<(), tokio_postgres::Error> {
        let Some(path) = &self.path else { return Ok(()) };
        client.query_typed_one(SET_PATH, &[(path, Type::TEXT)]).await?;
        // The name needs no quoting.
        let set =
            format!("alter role current_user in database {database} set search_path from current");
        client.batch_execute(&set).await
    }

    /// The address of the new database.
    pub(super) fn url(&self, server: &DatabaseUrl, database: &str) -> DatabaseUrl {
        let url = server.with_database(database);
        match &self.path {
            Some(path) if self.is_forced => url.with_search_path(path),
            Some(_) | None => url,
        }
    }

    /// Creates the main schema in the new database, where the migrations do not.
    pub(super) async fn create(&self, client: &Client) -> Result<(), tokio_postgres::Error> {
        let current: Option<String> = client.query_typed_one(CURRENT, &[]).await?.get(0);
        if let Some(main) = &self.create
            && current.as_ref() != Some(main)
            && (current.is_none() || self.path.is_some())
        {
            create(client, main).await?;
        }
        let current: Option<String> = client.query_typed_one(CURRENT, &[]).await?.get(0);
        if current.is_none() {
            // Another path than the live database's, from the connection string.
            let path: String = client.query_typed_one(SESSION, &[]).await?.get(0);
            create(client, &first_in(&path).unwrap_or_else(|| "public".to_owned())).await?;
        }
        Ok(())
    }
}

async fn create(client: &Client, schema: &str) -> Result<(), tokio_postgres::Error> {
    let statement: String = client.query_typed_one(CREATE, &[(&schema, Type::TEXT)]).await?.get(0);
    client.batch_execute(&statement).await
}

/// The first schema that a search path names.
pub(super) fn first_in(path: &str) -> Option<String> {
    let mut names = names(path);
    names.find(|name| !matches!(name.as_str(), "" | "$user" | "pg_catalog"))
}

/// The names in a search path, as PostgreSQL shows it.
fn names(path: &str) -> impl Iterator<Item = String> {
    path.split(',').map(|name| name.trim().trim_matches('"').replace("\"\"", "\""))
}
