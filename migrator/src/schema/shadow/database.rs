//! Creates a shadow database and always drops it.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::pin::pin;
use std::time::Duration;

use futures::FutureExt as _;
use tokio::time::timeout;
use tokio_postgres::Client;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::Type;

use super::inspect::Inspection;
use super::main_schema::MainSchema;
use super::server::{Server, ShadowServer};
use super::{DatabaseSettings, cleanup, roles, settings, signals};
use crate::connect::{self, Connection, Database};
use crate::error::pg_error;
use crate::error::{Error, ShadowError};
use crate::model::Event;
use crate::run::migrator::Migrator;

/// For how long it is tried to remove a database from a server that does not answer.
const REMOVAL_LIMIT: Duration = Duration::from_secs(30);

/// The database that the shadow database is beside: its oid is part of the name.
const BESIDE: &str =
    "select oid from pg_catalog.pg_database where datname = pg_catalog.current_database()";

/// Shows other runs that the database of this name is in use.
const LOCK: &str = "select pg_catalog.pg_advisory_lock(pg_catalog.hashtextextended($1, 0))";

/// A shadow database to create.
#[derive(Clone, Copy)]
pub(super) struct ShadowRequest<'a> {
    pub(super) server: &'a ShadowServer,
    /// Settings that it takes after.
    pub(super) settings: Option<&'a DatabaseSettings>,
    /// The scripts that will run in it.
    pub(super) inspection: &'a Inspection<'a>,
}

/// Makes a database for `work`, and removes it when that is over, however it is over: with an
/// error, with a panic, or with Ctrl-C or another signal to end, for which this listens meanwhile
/// and which becomes the error [`ShadowError::Interrupted`]. What is left behind by a process that
/// was killed is removed by the next run.
///
/// Where the database would be on the live server, scripts that reach beyond it are refused first, and
/// the others are confined to it.
///
/// `live` is a migrator for the live database. `work` gets a migrator for the new one, and what its main schema is. Whoever drops
/// this future leaves a database to the next run.
pub(super) async fn with_shadow<T>(
    live: &mut Migrator<'_>,
    request: &ShadowRequest<'_>,
    work: impl AsyncFnOnce(Migrator<'_>, MainSchema) -> Result<T, Error>,
) -> Result<T, Error> {
    let ShadowRequest { settings, inspection, .. } = *request;
    let mut signal = pin!(signals::listen().fuse());
    let vouched = inspection.is_vouched();
    let interrupted = |signal| Err(ShadowError::Interrupted { signal, vouched }.into());
    let opened = tokio::select! {
        biased;
        Some(signal) = &mut signal => return interrupted(signal),
        opened = open(live, request) => opened?,
    };
    let Opened { server, admin, name, roles, main } = opened;
    let mut on_server = live.at(Some(&server.url));
    let client = &admin.client;

    // From here on, nothing may end this early. A signal that arrives meanwhile is kept.
    let created = create(client, &name, settings, &main).await;
    let shadow = main.url(&server.url, &name);
    let work = async {
        created?;
        let mut shadow = on_server.at(Some(&shadow));
        shadow.confinement = server.confinement.clone();
        work(shadow, main).await
    };
    let outcome = tokio::select! {
        biased;
        Some(signal) = &mut signal => Ok(interrupted(signal)),
        outcome = AssertUnwindSafe(work).catch_unwind() => outcome,
    };
    let removed = remove(&admin, &on_server.database, &name).await;
    if server.is_kept {
        let left = roles::drop_new(&admin.client, &inspection.roles, &roles).await;
        if !left.is_empty() {
            (live.on_event)(Event::RolesLeft { roles: left });
        }
    }
    admin.close().await;
    server.close().await;
    match outcome {
        Err(panic) => resume_unwind(panic),
        Ok(Ok(done)) => removed.map(|()| done),
        Ok(Err(error)) => {
            if removed.is_err() {
                (live.on_event)(Event::ShadowLeft { name });
            }
            Err(error)
        }
    }
}

/// A server, and a session there that holds the lock of the database to create.
struct Opened {
    server: Server,
    admin: Connection,
    /// The name of the database.
    name: String,
    /// Of the roles that the scripts create, those that are there already.
    roles: BTreeSet<String>,
    main: MainSchema,
}

async fn open(live: &mut Migrator<'_>, request: &ShadowRequest<'_>) -> Result<Opened, Error> {
    let version = request.settings.map(DatabaseSettings::server_version);
    let server = Server::open(live, request.server, request.inspection, version).await?;
    let admin = live.at(Some(&server.url)).open().await?;
    let client = &admin.client;
    let refused = |source| Error::Query { action: "make a shadow database", source };
    let beside: u32 = client.query_typed_one(BESIDE, &[]).await.map_err(refused)?.get(0);
    let name = format!("taskie_shadow_{beside}_{:016x}", rand::random::<u64>());
    cleanup::remove_orphaned(client, beside).await.map_err(refused)?;
    client.query_typed_one(LOCK, &[(&name, Type::TEXT)]).await.map_err(refused)?;
    let roles = if server.is_kept {
        roles::present(client, &request.inspection.roles).await.map_err(refused)?
    } else {
        BTreeSet::new()
    };
    let schemas = &request.inspection.schemas;
    let main = MainSchema::plan(client, request.settings, schemas).await.map_err(refused)?;
    Ok(Opened { server, admin, name, roles, main })
}

/// Makes the database; first as `settings` has it, and where the server knows no such locale,
/// without one.
async fn create(
    client: &Client,
    name: &str,
    settings: Option<&DatabaseSettings>,
    main: &MainSchema,
) -> Result<(), Error> {
    let query = |source| Error::Query { action: "make a shadow database", source };
    let statements = settings::creation(client, name, settings).await.map_err(query)?;
    let mut result = Ok(());
    for statement in statements {
        result = client.batch_execute(&statement).await;
        let Err(refusal) = &result else { break };
        let other_locale = [
            SqlState::INVALID_PARAMETER_VALUE,
            SqlState::WRONG_OBJECT_TYPE,
            SqlState::FEATURE_NOT_SUPPORTED,
            SqlState::SYNTAX_ERROR,
            SqlState::INVALID_OBJECT_DEFINITION,
        ];
        if !refusal.code().is_some_and(|code| other_locale.contains(code)) {
            break;
        }
    }
    result.map_err(|source| ShadowError::Create { source })?;
    main.set_path(client, name).await.map_err(query)
}

/// Drops the database, over a new connection where the old one is gone.
async fn remove(admin: &Connection, server: &Database, name: &str) -> Result<(), Error> {
    let statement = cleanup::drop_statement(name);
    let removal = async {
        let Err(mut reason) = admin.client.batch_execute(&statement).await else { return Ok(()) };
        if admin.client.is_closed()
            && let Ok(again) = connect::connect(server, &mut |_| {}).await
        {
            let result = again.client.batch_execute(&statement).await;
            again.close().await;
            match result {
                Ok(()) => return Ok(()),
                Err(error) => reason = error,
            }
        }
        Err(pg_error::describe(&reason))
    };
    let result = timeout(REMOVAL_LIMIT, removal).await;
    let result = result.unwrap_or_else(|_| Err("the server does not answer".to_owned()));
    let name = name.to_owned();
    result.map_err(|reason| ShadowError::Remove { name, reason }.into())
}
