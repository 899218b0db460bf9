//! Whether a database can be used, and how well: a report for people and for machines.
//!
//! It looks at the endpoint as it is given (a pooled host stays pooled), makes one attempt without
//! patience, needs no session state, and writes nothing.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use neon_url::{DatabaseUrl, Endpoint, SslMode};
use serde::Serialize;
use tokio::time::timeout;
use tokio_postgres::Client;

use crate::connect::{self, Connection, Connector};
use crate::history::{self, State};
use crate::role::{self, RoleReport};
use crate::tls_probe::{TlsReport, probe};
use crate::{ConnectOptions, Error, Migrations, tls_config};

const PINGS: usize = 20;

/// Certificates of public authorities are renewed weeks before; Neon's are.
const CERTIFICATE_WARNING_DAYS: i64 = 14;

/// Above this share of `max_connections`, a burst may be refused.
const BUSY_PERCENT: i64 = 80;

/// The oldest major version that the migrations are tested with.
const OLDEST_SUPPORTED: i32 = 140_000;

/// The client connections of the whole server, which share `max_connections`.
const COUNT_CONNECTIONS: &str = "\
select coalesce(state, 'unknown') as state, count(*) as connections
  from pg_stat_activity
 where backend_type = 'client backend'
 group by 1
 order by 1";

const DESCRIBE_SERVER: &str = "\
select current_setting('server_version'), current_setting('server_version_num')::int4,
       current_setting('max_connections')::int8, pg_database_size(current_database())";

/// What was found out. Members that depend on the database are null when it cannot be used.
#[derive(Clone, Debug, Default, Serialize)]
pub struct HealthReport {
    /// Whether the database can be used. Warnings do not count.
    pub healthy: bool,
    /// Where it is.
    pub endpoint: EndpointReport,
    /// The server's version, such as `17.5`.
    pub server_version: Option<String>,
    /// How long connecting took.
    pub connect_ms: Option<ConnectTimes>,
    /// How long a statement takes there and back.
    pub round_trip_ms: Option<RoundTrips>,
    /// Who is connected to the server.
    pub connections: Option<Connections>,
    /// Where the schema stands.
    pub migrations: Option<MigrationCounts>,
    /// The role that the API is meant to use: the one asked about, or the one that is connected.
    pub role: Option<RoleReport>,
    /// The size of the database.
    pub database_size_bytes: Option<i64>,
    /// What works but should be looked at.
    pub warnings: Vec<String>,
}

/// The connection string, without secrets.
#[derive(Clone, Debug, Default, Serialize)]
pub struct EndpointReport {
    /// The host name, address or socket folder.
    pub host: String,
    /// The port.
    pub port: u16,
    /// The database.
    pub database: String,
    /// The role.
    pub user: String,
    /// `pooled` or `direct`; every host that is not Neon's pooler counts as direct.
    pub kind: &'static str,
    /// The TLS mode that connections use.
    pub ssl_mode: &'static str,
    /// What TLS was agreed on; null without TLS.
    pub tls: Option<TlsReport>,
}

/// In milliseconds, login included.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct ConnectTimes {
    /// The first connection, which may have to wake the database up.
    pub cold: f64,
    /// The one after it.
    pub warm: f64,
}

/// In milliseconds.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct RoundTrips {
    /// The middle of all.
    pub p50: f64,
    /// All but one in twenty are at least as fast.
    pub p95: f64,
    /// How many were made.
    pub count: usize,
}

/// Client connections of the whole server.
#[derive(Clone, Debug, Serialize)]
pub struct Connections {
    /// By what they are doing, as in `pg_stat_activity`.
    pub by_state: BTreeMap<String, i64>,
    /// Their sum.
    pub total: i64,
    /// The server's limit.
    pub max: i64,
}

/// How many migrations are in which state.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct MigrationCounts {
    /// Applied and unchanged.
    pub applied: usize,
    /// Not applied yet.
    pub pending: usize,
    /// Edited since they were applied, or late.
    pub diverged: usize,
    /// Applied, but without a file.
    pub missing: usize,
    /// The newest applied version.
    pub current: Option<i32>,
}

/// Looks at a database, and at the API's `role`, which is the one that is connected unless another
/// is named. The report is complete as far as it goes also when there is an error.
pub async fn check_health(
    url: &DatabaseUrl,
    options: &ConnectOptions,
    migrations: &Migrations,
    role: Option<&str>,
) -> (HealthReport, Option<Error>) {
    let mut report = HealthReport {
        endpoint: EndpointReport {
            host: url.host().to_owned(),
            port: url.port(),
            database: url.database().to_owned(),
            user: url.user().to_owned(),
            kind: if url.is_pooled() { "pooled" } else { "direct" },
            ssl_mode: url.ssl_mode().as_str(),
            tls: None,
        },
        ..HealthReport::default()
    };
    match examine(url, options, migrations, role, &mut report).await {
        Ok(()) => {
            report.healthy = true;
            report.warnings = warnings(url, &report);
            (report, None)
        }
        Err(error) => (report, Some(error)),
    }
}

async fn examine(
    url: &DatabaseUrl,
    options: &ConnectOptions,
    migrations: &Migrations,
    role: Option<&str>,
    report: &mut HealthReport,
) -> Result<(), Error> {
    let limit = url.connect_timeout().min(options.wait).max(Duration::from_millis(100));
    let connector = Connector::new(url, options)?;

    let start = Instant::now();
    let cold = connector.connect_once(limit).await?;
    let cold_ms = milliseconds(start.elapsed());
    cold.close().await;
    let start = Instant::now();
    let mut warm = connector.connect_once(limit).await?;
    report.connect_ms = Some(ConnectTimes { cold: cold_ms, warm: milliseconds(start.elapsed()) });

    if url.ssl_mode() != SslMode::Disable {
        report.endpoint.tls = tls(url, options, limit).await?;
    }
    let questions = ask(&mut warm, migrations, role, report);
    let answered = timeout(limit, questions).await.unwrap_or_else(|_| {
        let reason = format!("connected, but then no answer within {:.1} s", limit.as_secs_f64());
        Err(Error::Unreachable {
            address: connect::address(url),
            reason,
            attempts: 1,
            waited: limit,
        })
    });
    warm.close().await;
    answered
}

async fn tls(
    url: &DatabaseUrl,
    options: &ConnectOptions,
    limit: Duration,
) -> Result<Option<TlsReport>, Error> {
    let config = tls_config(options.ca_pem.as_deref())?;
    let target = url.clone();
    let failed = |reason: String| Error::Tls { address: connect::address(url), reason };
    match tokio::task::spawn_blocking(move || probe(&target, config, limit)).await {
        Ok(probed) => probed.map_err(|error| failed(error.to_string())),
        Err(error) => Err(failed(error.to_string())),
    }
}

async fn ask(
    connection: &mut Connection,
    migrations: &Migrations,
    role: Option<&str>,
    report: &mut HealthReport,
) -> Result<(), Error> {
    let client = &mut connection.client;
    report.round_trip_ms = Some(ping(client).await?);

    // Unprepared, because not every pooler keeps prepared statements.
    let refused = |source| Error::Query { action: "describe itself", source };
    let server = client.query_typed_one(DESCRIBE_SERVER, &[]).await.map_err(refused)?;
    report.server_version = Some(server.get::<_, String>(0));
    if server.get::<_, i32>(1) < OLDEST_SUPPORTED {
        report.warnings.push(
            "the server is older than PostgreSQL 14, the oldest version that is tested".to_owned(),
        );
    }
    report.database_size_bytes = Some(server.get(3));

    let states = client.query_typed(COUNT_CONNECTIONS, &[]).await.map_err(refused)?;
    let by_state: BTreeMap<String, i64> =
        states.iter().map(|row| (row.get(0), row.get(1))).collect();
    report.connections =
        Some(Connections { total: by_state.values().sum(), by_state, max: server.get(2) });

    let applied = history::read(client).await?;
    let mut counts = MigrationCounts {
        current: applied.last().map(|row| row.name.version),
        ..Default::default()
    };
    for entry in history::compare(migrations, &applied) {
        match entry.state {
            State::Applied => counts.applied += 1,
            State::Pending => counts.pending += 1,
            State::Diverged => counts.diverged += 1,
            State::Missing => counts.missing += 1,
        }
    }
    report.migrations = Some(counts);
    report.role = Some(role::judge(client, role).await?);
    Ok(())
}

async fn ping(client: &Client) -> Result<RoundTrips, Error> {
    let mut times = Vec::with_capacity(PINGS);
    for _ in 0..PINGS {
        let start = Instant::now();
        let answer = client.simple_query("select 1").await;
        answer.map_err(|source| Error::Query { action: "answer `select 1`", source })?;
        times.push(start.elapsed());
    }
    times.sort();
    Ok(RoundTrips {
        p50: milliseconds(times[PINGS / 2]),
        p95: milliseconds(times[PINGS * 95 / 100 - 1]),
        count: PINGS,
    })
}

fn warnings(url: &DatabaseUrl, report: &HealthReport) -> Vec<String> {
    let mut warnings = report.warnings.clone();
    if url.endpoint() == Endpoint::NeonDirect {
        warnings.push(format!(
            "this is the direct endpoint, which has few connections; the API should use the pooled one, `{}`",
            url.pooled().host()
        ));
    }
    if let Some(days) = report.endpoint.tls.as_ref().and_then(|tls| tls.certificate_days_left)
        && days < CERTIFICATE_WARNING_DAYS
    {
        warnings.push(format!("the certificate ends in {days} days"));
    }
    if let Some(connections) = &report.connections
        && connections.total * 100 > connections.max * BUSY_PERCENT
    {
        warnings
            .push(format!("{} of {} connections are taken", connections.total, connections.max));
    }
    if let Some(counts) = &report.migrations {
        if counts.pending > 0 {
            warnings.push(format!(
                "pending migrations: {}; apply them with `migrator up`",
                counts.pending
            ));
        }
        if counts.diverged + counts.missing > 0 {
            warnings.push("history and migrations have diverged; see `migrator status`".to_owned());
        }
    }
    warnings.extend(report.role.as_ref().and_then(RoleReport::warning));
    if !url.ignored().is_empty() {
        warnings.push(format!("parameters without a meaning here: {}", url.ignored().join(", ")));
    }
    warnings
}

/// To the microsecond: more would be noise.
fn milliseconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1_000_000.0).round() / 1000.0
}
