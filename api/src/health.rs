//! Health: of the process, of the database, and of its connections.
//!
//! These routes need no token, so a result of the database is kept for a second, and one request at a time
//! queries it.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::config::{self, Misconfiguration};
use crate::db::{Database, Param};
use crate::error::ApiError;
use crate::host::postgres;
use crate::http::response::{self, Response, rounded_millis};
#[cfg(test)]
use crate::openapi::failures;
use crate::single_flight::SingleFlight;

/// Lifetime of a kept result.
const KEPT: Duration = Duration::from_secs(1);

/// A warning where neither the component nor the server ends a statement.
const NO_STATEMENT_TIMEOUT: &str = "nothing limits the time of a statement: set `statement_timeout` for the role of `database_url`, as `migrator grant` does";

static DATABASE_HEALTH: Kept<DatabaseHealth> = Kept::new();
static POOL_HEALTH: Kept<PoolHealth> = Kept::new();

/// The database's version, whether a schema is there, and whether it is new enough, the newest migration
/// applied, whether the database is read-only, the rights that the role lacks, the tables on which row
/// security lets it do nothing, and whether the server limits the time of a statement. `$1` whether it
/// makes accounts.
///
/// The migrator's history may be absent or not readable for this role, and a statement that names
/// an absent table is refused as a whole. `query_to_xml` runs its text only when the `case` gets
/// there, which keeps this one statement; the text is constant. Of an absent table nothing else is
/// known, and its rights are null.
///
/// Inserts and updates are granted by column.
///
/// The right to update the addresses of accounts is not checked: tasks are created without it.
const CHECK_DATABASE: &str = "\
with needed (name, privilege, command, columns) as (
  values ('tasks', 'select', 'r', null::text[]),
         ('tasks', 'insert', 'a', array['id', 'user_id', 'title', 'description', 'status',
                                        'priority', 'created_at', 'updated_at']),
         ('tasks', 'update', 'w', array['title', 'description', 'status', 'priority']),
         ('tasks', 'delete', 'd', null),
         ('idempotency_keys', 'select', 'r', null),
         ('idempotency_keys', 'insert', 'a',
          array['user_id', 'key', 'fingerprint', 'task_id', 'created_at']),
         ('idempotency_keys', 'update', 'w', array['fingerprint', 'task_id', 'created_at']),
         ('idempotency_keys', 'delete', 'd', null),
         ('users', 'select', 'r', null)
  union all
  select 'users', 'insert', 'a', array['id', 'email'] where $1::bool
), found as (
  select name, to_regclass(name)::oid as id, privilege, command, columns from needed
)
select current_setting('server_version'),
       to_regclass('tasks') is not null and to_regclass('users') is not null,
       to_regclass('idempotency_keys') is not null
         and exists (select from pg_attribute
                      where attrelid = to_regclass('tasks') and attname = 'priority'
                        and not attisdropped)
         and to_regprocedure('insert_task(text, text, text, text, text, text)') is not null,
       case when has_table_privilege(to_regclass('refinery_schema_history'), 'select')
            then substring(
                   query_to_xml(
                     'select max(version) as version from refinery_schema_history',
                     false, false, '')::text
                   from '<version>([0-9]+)</version>')::int8
       end,
       current_setting('transaction_read_only')::bool,
       nullif(concat_ws(', ',
         (select string_agg(privilege || ' on ' || name, ', ')
            from found
           where case when columns is null then not has_table_privilege(id, privilege)
                     else exists (
                       select from pg_attribute
                        where attrelid = id and attname = any (columns) and not attisdropped
                          and not has_column_privilege(id, attnum, privilege)) end),
         case when to_regclass('tasks') is not null
               and not has_sequence_privilege(pg_get_serial_sequence('tasks', 'id'), 'usage')
              then 'usage on the sequence of tasks.id' end,
         case when not has_function_privilege(
                     to_regprocedure('insert_task(text, text, text, text, text, text)'), 'execute')
              then 'execute on insert_task' end), ''),
       (select string_agg(distinct name, ', ')
          from found
         where row_security_active(id)
           and not exists (
             select from pg_policy, unnest(polroles) as role
              where polrelid = id
                and polpermissive
                and polcmd in ('*', command)
                and case when role = 0 then true else pg_has_role(role, 'usage') end)),
       current_setting('statement_timeout') <> '0'";

/// The connections of this application's role to its database: all, and those at work.
const COUNT_CONNECTIONS: &str = "\
select count(*),
       count(*) filter (where state is distinct from 'idle')
  from pg_stat_activity
 where datname = current_database()
   and usename = current_user
   and backend_type = 'client backend'";

/// The body of `GET /health`.
#[derive(Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(crate) struct ProcessHealth {
    status: &'static str,
}

/// The body of `GET /health/db`.
#[derive(Clone, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
struct DatabaseHealth {
    status: &'static str,
    /// Connecting and one statement, in milliseconds.
    latency_ms: f64,
    server_version: String,
    /// Whether the endpoint is a connection pooler's.
    pooled: bool,
    /// The newest migration applied; null when the history is absent or not readable.
    #[cfg_attr(test, schema(required = true))]
    migration_version: Option<i64>,
    /// What does not keep requests from success, and should be mended; absent when there is nothing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<&'static str>,
}

/// The body of `GET /health/pool`: connections are opened per request and pooled in front of
/// PostgreSQL, so these are the server's figures.
#[derive(Clone, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
struct PoolHealth {
    /// The configured budget.
    size: i64,
    /// Idle.
    checked_in: i64,
    /// Not idle; this request's own connection is one of them.
    checked_out: i64,
    /// How far `total` exceeds `size`.
    overflow: i64,
    total: i64,
}

#[cfg_attr(test, utoipa::path(
    get,
    path = "/health",
    tag = "Health",
    summary = "Whether the component runs",
    description = "Asks nothing of the database.",
    responses(
        (status = 200, description = "It runs", body = ProcessHealth, example = json!({ "status": "healthy" })),
    ),
    security(),
))]
/// `GET /health`: 200 as long as the component runs; asks nothing of the database.
pub(crate) fn check_process() -> Response {
    response::document(&ProcessHealth { status: "healthy" })
}

#[cfg_attr(test, utoipa::path(
    get,
    path = "/health/db",
    tag = "Health",
    summary = "Whether the database can be used",
    responses(
        (
            status = 200,
            description = "It can",
            body = DatabaseHealth,
            example = json!({
                "status": "healthy", "latency_ms": 8.214, "server_version": "18.1", "pooled": true, "migration_version": 1
            }),
        ),
        (status = 503, response = failures::DatabaseUnhealthy),
    ),
    security(),
))]
/// `GET /health/db`: 200, or 503 when the configuration or the database is not usable, for reads or
/// for writes.
pub(crate) async fn check_database(database: Database) -> Response {
    match DATABASE_HEALTH.get(database_health(database)).await {
        Ok(health) => response::document(&health),
        Err(error) => error.into_unhealthy(),
    }
}

async fn database_health(database: Database) -> Result<DatabaseHealth, ApiError> {
    config::check().await?;
    let database = database.without_retries();
    let provisions_users = config::provision_users().await?.0;
    let mut row = database.row(CHECK_DATABASE, vec![Param::Bool(provisions_users)]).await?;
    let server_version = row.text()?;
    if !row.bool()? {
        return Err(ApiError::SchemaMissing);
    }
    if !row.bool()? {
        return Err(ApiError::SchemaOutdated);
    }
    let migration_version = row.optional_int8()?;
    if row.bool()? {
        return Err(ApiError::DatabaseReadOnly);
    }
    if let Some(rights) = row.optional_text()? {
        return Err(Misconfiguration::lacks(&rights).into());
    }
    if let Some(tables) = row.optional_text()? {
        return Err(Misconfiguration::sees_no_rows(&tables).into());
    }
    let is_limited = row.bool()? || postgres::HAS_DEADLINE;
    Ok(DatabaseHealth {
        status: "healthy",
        latency_ms: rounded_millis(database.time_spent()),
        server_version,
        pooled: config::database().await?.url.is_pooled(),
        migration_version,
        warnings: if is_limited { Vec::new() } else { vec![NO_STATEMENT_TIMEOUT] },
    })
}

#[cfg_attr(test, utoipa::path(
    get,
    path = "/health/pool",
    tag = "Health",
    summary = "The connections to the database",
    description = "The server's figures for this application's role and database.",
    responses(
        (
            status = 200,
            description = "The figures",
            body = PoolHealth,
            example = json!({ "size": 10, "checked_in": 3, "checked_out": 1, "overflow": 0, "total": 4 }),
        ),
        (status = 503, response = failures::DatabaseUnhealthy),
    ),
    security(),
))]
/// `GET /health/pool`: 200, or 503 when the database cannot be asked.
pub(crate) async fn show_connections(database: Database) -> Response {
    match POOL_HEALTH.get(pool_health(database)).await {
        Ok(health) => response::document(&health),
        Err(error) => error.into_unhealthy(),
    }
}

async fn pool_health(database: Database) -> Result<PoolHealth, ApiError> {
    config::check().await?;
    let database = database.without_retries();
    let size = config::pool_size().await?.0;
    let mut row = database.row(COUNT_CONNECTIONS, Vec::new()).await?;
    let (total, checked_out) = (row.int8()?, row.int8()?);
    Ok(PoolHealth {
        size,
        checked_in: total - checked_out,
        checked_out,
        overflow: (total - size).max(0),
        total,
    })
}

/// The last answer of the database, for all requests of the instance.
struct Kept<T> {
    last: Mutex<Option<(Instant, Result<T, ApiError>)>>,
    single_flight: SingleFlight,
}

impl<T: Clone> Kept<T> {
    const fn new() -> Self {
        Self { last: Mutex::new(None), single_flight: SingleFlight::new() }
    }

    /// The answer that is kept, or else a new one. Those who come while one is asked for wait for it.
    async fn get(&self, ask: impl Future<Output = Result<T, ApiError>>) -> Result<T, ApiError> {
        if let Some(kept) = self.kept() {
            return kept;
        }
        let _permit = self.single_flight.acquire().await;
        if let Some(kept) = self.kept() {
            return kept;
        }
        let answer = ask.await;
        let now = Instant::now();
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some((now, answer.clone()));
        answer
    }

    fn kept(&self) -> Option<Result<T, ApiError>> {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.as_ref().filter(|(at, _)| at.elapsed() < KEPT).map(|(_, answer)| answer.clone())
    }
}
