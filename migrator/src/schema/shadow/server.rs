//! The server of a shadow database: that of the live one, another one, or a throwaway one that is
//! started for it.

use neon_url::DatabaseUrl;

use super::inspect::Inspection;
use super::same_server::is_same_server;
use crate::connect;
use crate::error::Error;
#[cfg(not(unix))]
use crate::error::ShadowError;
use crate::run::migrator::Migrator;
use crate::run::shared_catalogs::Confinement;

/// Where shadow databases are created.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ShadowServer {
    /// On the server of the live database.
    #[default]
    Live,
    /// On the server of this database. It may be the live one, by another name.
    Other(DatabaseUrl),
    /// On the server of the migrator's database, which is not the live one.
    Own,
    /// On a server of an installed PostgreSQL, which is started for each of them and removed with it.
    Local,
}

/// A server that is ready for a shadow database.
pub(super) struct Server {
    /// A database on it.
    pub(super) url: DatabaseUrl,
    /// What scripts may change there.
    pub(super) confinement: Confinement,
    /// True if what the scripts leave on it has to be dropped.
    pub(super) is_kept: bool,
    #[cfg(unix)]
    local: Option<local::LocalServer>,
}

impl Server {
    /// Gets the server ready. Refuses if it is the live one and the scripts reach beyond their database.
    pub(super) async fn open(
        live: &mut Migrator<'_>,
        server: &ShadowServer,
        inspection: &Inspection<'_>,
        version: Option<i32>,
    ) -> Result<Self, Error> {
        let is_live = match server {
            ShadowServer::Live => true,
            ShadowServer::Other(url) => leads_to_live(live, &url.direct()).await?,
            ShadowServer::Own | ShadowServer::Local => false,
        };
        if is_live {
            inspection.require_confined()?;
        }
        inspection.report_leaving(live.on_event);
        let url = match server {
            ShadowServer::Live | ShadowServer::Own => live.database.url.direct(),
            ShadowServer::Other(url) => url.direct(),
            ShadowServer::Local => return Self::start(live, version).await,
        };
        let confinement = if is_live { inspection.confinement() } else { Confinement::None };
        Ok(Self {
            url,
            confinement,
            is_kept: !is_live,
            #[cfg(unix)]
            local: None,
        })
    }

    #[cfg(unix)]
    async fn start(live: &mut Migrator<'_>, version: Option<i32>) -> Result<Self, Error> {
        let server = local::LocalServer::start(live, version).await?;
        let url = server.url.clone();
        Ok(Self { url, confinement: Confinement::None, is_kept: false, local: Some(server) })
    }

    #[cfg(not(unix))]
    async fn start(_live: &mut Migrator<'_>, _version: Option<i32>) -> Result<Self, Error> {
        let message = "this is possible on Unix only".to_owned();
        let hint = Some("name a server with `--shadow-url`".to_owned());
        Err(ShadowError::LocalServer { message, details: None, hint }.into())
    }

    /// Stops a throwaway server.
    pub(super) async fn close(self) {
        #[cfg(unix)]
        if let Some(local) = self.local {
            local.stop().await;
        }
    }
}

async fn leads_to_live(live: &mut Migrator<'_>, other: &DatabaseUrl) -> Result<bool, Error> {
    let mut own = live.open().await?;
    let database = live.at(Some(other)).database;
    let compared = match connect::connect(&database, live.on_event).await {
        Ok(other) => {
            let compared = is_same_server(&mut own.client, &other.client).await;
            other.close().await;
            compared
        }
        Err(error) => Err(error),
    };
    own.close().await;
    compared
}

#[cfg(unix)]
mod local {
    use neon_url::DatabaseUrl;
    use postgres_server::{DataDir, Options, Source};
    use tokio_postgres::types::Type;

    use crate::connect;
    use crate::error::{Error, ShadowError};
    use crate::run::migrator::Migrator;

    /// What scripts may need, and a throwaway server usually has not.
    const SETTINGS: &[(&str, &str)] =
        &[("wal_level", "logical"), ("max_wal_senders", "10"), ("max_replication_slots", "10")];

    /// The statement that creates the role `$1` with the password `$2`.
    const CREATE_ROLE: &str =
        "select pg_catalog.format('create role %I superuser login password %L', $1, $2)";

    /// A throwaway server.
    pub(super) struct LocalServer {
        pub(super) url: DatabaseUrl,
        server: postgres_server::Server,
    }

    impl LocalServer {
        /// Starts one of this major version, if that is installed, with a role that is named like that
        /// of the live database.
        pub(super) async fn start(
            live: &mut Migrator<'_>,
            version: Option<i32>,
        ) -> Result<Self, Error> {
            let preferred = version.and_then(|version| u32::try_from(version).ok());
            let options = Options {
                source: Source::Installed { preferred },
                settings: SETTINGS,
                ..Options::new(DataDir::Throwaway)
            };
            let server = postgres_server::Server::start(options, &|_| {}).await;
            let server = server.map_err(|error| ShadowError::LocalServer {
                message: error.to_string(),
                details: Some(error.details().to_owned()).filter(|details| !details.is_empty()),
                hint: error.hint().map(str::to_owned),
            })?;
            let superuser = server.url("postgres");
            let password = superuser.password().unwrap_or_default().to_owned();
            let role = live.database.url.user().to_owned();
            let url = superuser.with_role(&role, &password);
            if role != superuser.user() {
                let database = live.at(Some(&superuser)).database;
                let connection = connect::connect(&database, live.on_event).await?;
                let client = &connection.client;
                let created = async {
                    let arguments = [(&role as _, Type::TEXT), (&password as _, Type::TEXT)];
                    let statement: String =
                        client.query_typed_one(CREATE_ROLE, &arguments).await?.get(0);
                    client.batch_execute(&statement).await
                };
                created.await.map_err(|source| Error::Query { action: "create a role", source })?;
                connection.close().await;
            }
            Ok(Self { url, server })
        }

        /// Stops it. Its watchdog removes what this cannot.
        pub(super) async fn stop(self) {
            let _ = self.server.stop().await;
        }
    }
}
