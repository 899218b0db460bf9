//! A row of figures: what the clients have seen in an interval, and the state at its end.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Context;
use serde::Serialize;
use tokio_postgres::Client;

use super::load::Seen;
use crate::App;
use crate::bench::load::{count, millis_at};

/// The figures of an interval.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Sample {
    /// Seconds from the start of the load to the end of the interval.
    pub(crate) at: f64,
    pub(crate) requests: usize,
    pub(crate) per_second: f64,
    /// Responses by their status.
    pub(crate) by_status: BTreeMap<u16, usize>,
    /// Other statuses than expected, and connections that broke.
    pub(crate) errors: usize,
    pub(crate) p50_ms: f64,
    pub(crate) p95_ms: f64,
    pub(crate) p99_ms: f64,
    pub(crate) max_ms: f64,
    /// Memory of the host's processes.
    pub(crate) memory_bytes: u64,
    /// Running instances, where the host tells.
    pub(crate) instances: Option<usize>,
    /// Connections of clients to the host; `None` without `/proc`.
    pub(crate) client_connections: Option<usize>,
    /// Connections to the database, but for the one that counts them.
    pub(crate) database_connections: i64,
    pub(crate) database_bytes: i64,
}

/// Reads the state of the service and of its database.
pub(crate) struct Sampler {
    app: App,
    database: Client,
}

impl Sampler {
    pub(crate) async fn new(app: &App) -> Self {
        Self { app: app.clone(), database: app.client().await }
    }

    pub(crate) fn app(&self) -> &App {
        &self.app
    }

    /// The version of PostgreSQL.
    pub(crate) async fn postgres(&self) -> anyhow::Result<String> {
        let statement = "select current_setting('server_version')";
        let row = self.database.query_one(statement, &[]).await.context("ask for the version")?;
        Ok(row.get(0))
    }

    /// The row of an interval that began and ended so long after the start of the load.
    pub(crate) async fn read(
        &self,
        before: f64,
        at: Duration,
        seen: Seen,
    ) -> anyhow::Result<Sample> {
        let statement = "
            select count(*), pg_database_size(current_database())
              from pg_stat_activity
             where datname = current_database() and pid <> pg_backend_pid()";
        let row = self.database.query_one(statement, &[]).await.context("ask the database")?;
        let mut durations = seen.durations;
        durations.sort_unstable();
        let mut by_status = BTreeMap::new();
        for status in &seen.statuses {
            *by_status.entry(*status).or_default() += 1;
        }
        Ok(Sample {
            at: at.as_secs_f64(),
            requests: durations.len(),
            per_second: count(durations.len()) / (at.as_secs_f64() - before),
            by_status,
            errors: seen.errors,
            p50_ms: millis_at(&durations, 50),
            p95_ms: millis_at(&durations, 95),
            p99_ms: millis_at(&durations, 99),
            max_ms: millis_at(&durations, 100),
            memory_bytes: self.app.resident_bytes(),
            instances: self.app.instances(),
            client_connections: established(self.app.address().port()),
            database_connections: row.get(0),
            database_bytes: row.get(1),
        })
    }
}

/// Connections that are established at a port of this machine.
fn established(port: u16) -> Option<usize> {
    let table = std::fs::read_to_string("/proc/net/tcp").ok()?;
    let is_here = |line: &&str| {
        let mut fields = line.split_whitespace().skip(1);
        let local = fields.next().and_then(|address| address.rsplit_once(':'));
        local.is_some_and(|(_, text)| u16::from_str_radix(text, 16) == Ok(port))
            && fields.nth(1) == Some("01")
    };
    Some(table.lines().skip(1).filter(is_here).count())
}
