//! The health report. Its JSON is a contract.

use std::collections::BTreeMap;
use std::fmt;

use neon_url::DatabaseUrl;
use serde::Serialize;

use crate::connect::ConnectPhase;
use crate::connect::tls::TlsReport;
use crate::ops::health::connect_time::{ConnectTimes, PhaseTimes};
use crate::ops::health::prepared_statements::PreparedStatements;
use crate::ops::health::sequences::SequenceUse;
use crate::ops::role::RoleReport;

/// Result of a health check. Members that depend on the database are null when it cannot be used.
#[derive(Clone, Debug, Default, Serialize)]
pub struct HealthReport {
    /// Start of the check, RFC 3339.
    pub checked_at: String,
    /// True if the database can be used and is within the limits. Warnings do not count.
    pub healthy: bool,
    /// True if the database can be used.
    pub usable: bool,
    /// The limits that were set and not kept.
    pub exceeded: Vec<ExceededLimit>,
    /// In which phase connecting failed; null where it did not.
    pub failed_phase: Option<ConnectPhase>,
    /// Its endpoint.
    pub endpoint: EndpointReport,
    /// The pooled and the direct endpoint, where both are known; else the one that was given.
    pub endpoints: Vec<EndpointCheck>,
    /// The server's version, such as `17.5`.
    pub server_version: Option<String>,
    /// Durations of connecting.
    pub connect_ms: Option<ConnectTimes>,
    /// The same, phase by phase.
    pub connect_phases_ms: Option<PhaseTimes>,
    /// True if the first connection took far longer than the next ones, because a compute had to start.
    pub cold_start: Option<bool>,
    /// Durations of a round trip.
    pub round_trip_ms: Option<RoundTrips>,
    /// Connections of the server.
    pub connections: Option<Connections>,
    /// Migrations by state.
    pub migrations: Option<MigrationCounts>,
    /// The role that the API is meant to use: the one asked about, or the one that is connected.
    pub role: Option<RoleReport>,
    /// The size of the database.
    pub database_size_bytes: Option<i64>,
    /// By how much the server's clock is ahead of this machine's; negative when it is behind.
    pub clock_difference_s: Option<f64>,
    /// True if nothing can be written: a replica, or transactions are read-only by default.
    pub read_only: Option<bool>,
    /// The transaction in this database that has been open for longest, where there is one. Other
    /// roles' are only seen by members of `pg_read_all_stats`.
    pub oldest_transaction: Option<OldestTransaction>,
    /// Age of the oldest transaction id that is not frozen.
    pub transaction_age: Option<TransactionAge>,
    /// The sequence of a column that is nearest to its end, of those that this role has privileges on.
    pub fullest_sequence: Option<SequenceUse>,
    /// Indexes that PostgreSQL does not use, because building them failed.
    pub invalid_indexes: Option<Vec<String>>,
    /// Columns that must have a value, have no default, and are not written by the API; of `users` only
    /// if the role may insert there.
    pub required_columns: Option<Vec<String>>,
    /// Informational notes.
    pub notes: Vec<String>,
    /// Warnings, each with its advice in one text.
    pub warnings: Vec<String>,
    /// The same, in parts.
    pub warning_details: Vec<HealthWarning>,
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
    /// Negotiated TLS parameters; null without TLS.
    pub tls: Option<TlsReport>,
}

/// Number of migrations by state.
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
    /// Begun without a transaction, and not finished.
    pub incomplete: usize,
    /// The newest applied version.
    pub current: Option<i64>,
}

/// Result of testing an endpoint: connecting, logging in and one query.
#[derive(Clone, Debug, Serialize)]
pub struct EndpointCheck {
    /// `pooled` or `direct`.
    pub kind: &'static str,
    /// The host name, address or socket folder.
    pub host: String,
    /// The port.
    pub port: u16,
    /// True if it works.
    pub works: bool,
    /// Duration of connecting: the warm time for the given endpoint, else the first attempt.
    pub connect_ms: Option<f64>,
    /// Error, if it does not work.
    pub error: Option<String>,
    /// Of a pooled endpoint that works: what becomes of prepared statements.
    pub prepared_statements: Option<PreparedStatements>,
    /// Reason why prepared statements could not be tested.
    pub prepared_statements_untested: Option<String>,
}

impl EndpointCheck {
    pub(super) fn of(kind: &'static str, url: &DatabaseUrl) -> Self {
        Self {
            kind,
            host: url.host().to_owned(),
            port: url.port(),
            works: false,
            connect_ms: None,
            error: None,
            prepared_statements: None,
            prepared_statements_untested: None,
        }
    }
}

/// In milliseconds.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct RoundTrips {
    /// The middle of all.
    pub p50: f64,
    /// All but one in twenty are at least as fast.
    pub p95: f64,
    /// Number of round trips.
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

impl Connections {
    /// Used part of the limit in per cent, rounded to tenths.
    #[expect(clippy::cast_precision_loss, reason = "PostgreSQL has at most 262143 connections")]
    pub(super) fn percent(&self) -> f64 {
        (self.total as f64 * 1000.0 / self.max.max(1) as f64).round() / 10.0
    }
}

/// A transaction that is open.
#[derive(Clone, Debug, Serialize)]
pub struct OldestTransaction {
    /// Its server process.
    pub pid: i32,
    /// For how long, in seconds.
    pub age_s: f64,
    /// As in `pg_stat_activity`, such as `idle in transaction`.
    pub state: String,
}

/// Transaction ids have 32 bits: old ones must be frozen before the ids wrap around.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct TransactionAge {
    /// Age in transactions of the oldest id that is not frozen.
    pub age: i64,
    /// The age at which autovacuum begins to freeze, whether it is allowed to run or not.
    pub freeze_max_age: i64,
}

/// A limit that was not kept.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ExceededLimit {
    /// Which: `max_connect_ms`, `max_ping_ms` or `max_connections_pct`.
    pub limit: &'static str,
    /// Measured value.
    pub measured: f64,
    /// Limit.
    pub allowed: f64,
    /// Advice.
    pub advice: &'static str,
}

impl fmt::Display for ExceededLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (measured, allowed) = (self.measured, self.allowed);
        match self.limit {
            "max_connect_ms" => write!(
                f,
                "connecting takes {measured} ms, more than the {allowed} ms of `--max-connect-ms`"
            ),
            "max_ping_ms" => write!(
                f,
                "a statement takes up to {measured} ms there and back, more than the {allowed} ms of `--max-ping-ms`"
            ),
            _ => write!(
                f,
                "{measured} % of the connections are taken, more than the {allowed} % of `--max-connections-pct`"
            ),
        }
    }
}

/// A warning. As text it is both parts in one line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HealthWarning {
    /// A name for programs, such as `pending_migrations`. A contract.
    pub kind: &'static str,
    /// The problem.
    pub what: String,
    /// Advice.
    pub advice: String,
}

impl HealthWarning {
    pub(crate) fn new(
        kind: &'static str,
        what: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        Self { kind, what: what.into(), advice: advice.into() }
    }
}

impl fmt::Display for HealthWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {}", self.what, self.advice)
    }
}
