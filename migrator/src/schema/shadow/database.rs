//! Creates a shadow database and always drops it.

use std::panic::{AssertUnwindSafe, resume_unwind};
use std::time::Duration;

use futures::FutureExt as _;
use tokio::time::timeout;
use tokio_postgres::Client;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::Type;

use super::{DatabaseSettings, cleanup, settings, signals};
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

/// Makes a database for `work`, and removes it when that is over, however it is over: with an
/// error, with a panic, or with Ctrl-C or another signal to end, for which this listens meanwhile
/// and which becomes the error [`ShadowError::Interrupted`]. What is left behind by a process that
/// was killed is removed by the next run.
///
/// `server` is a migrator for any database on the server to use, `settings` what the new database
/// takes after. `work` gets a migrator for the new one. Whoever drops this future leaves a database to the next run.
pub(crate) async fn with_shadow<T>(
    server: &mut Migrator<'_>,
    settings: Option<&DatabaseSettings>,
    work: impl AsyncFnOnce(Migrator<'_>) -> Result<T, Error>,
) -> Result<T, Error> {
    let direct = server.database.url.direct();
    let mut server = server.at(Some(&direct));
    let admin = server.open().await?;
    let client = &admin.client;
    let refused = |source| Error::Query { action: "make a shadow database", source };
    let beside: u32 = client.query_typed_one(BESIDE, &[]).await.map_err(refused)?.get(0);
    let name = format!("taskie_shadow_{beside}_{:016x}", rand::random::<u64>());
    cleanup::remove_orphaned(client, beside).await.map_err(refused)?;
    client.query_typed_one(LOCK, &[(&name, Type::TEXT)]).await.map_err(refused)?;

    // From here on, nothing may end this early. A signal that arrives meanwhile is kept.
    let signal = signals::listen();
    let created = create(client, &name, settings).await;
    let shadow = direct.with_database(&name);
    let work = async {
        created?;
        work(server.at(Some(&shadow))).await
    };
    let outcome = tokio::select! {
        biased;
        Some(signal) = signal => Ok(Err(ShadowError::Interrupted { signal }.into())),
        outcome = AssertUnwindSafe(work).catch_unwind() => outcome,
    };
    let removed = remove(admin, &server.database, &name).await;
    match outcome {
        Err(panic) => resume_unwind(panic),
        Ok(Ok(done)) => removed.map(|()| done),
        Ok(Err(error)) => {
            if removed.is_err() {
                (server.on_event)(Event::ShadowLeft { name });
            }
            Err(error)
        }
    }
}

/// Makes the database; first as `settings` has it, and where the server knows no such locale,
/// without one.
async fn create(
    client: &Client,
    name: &str,
    settings: Option<&DatabaseSettings>,
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
    settings::set_search_path(client, name, settings).await.map_err(query)
}

/// Drops the database, over a new connection where the old one is gone.
async fn remove(admin: Connection, server: &Database, name: &str) -> Result<(), Error> {
    let statement = cleanup::drop_statement(name);
    let removal = async {
        let Err(mut reason) = admin.client.batch_execute(&statement).await else {
            admin.close().await;
            return Ok(());
        };
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
