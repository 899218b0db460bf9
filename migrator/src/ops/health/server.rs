//! Reads the state of the server and its activity.
//!
//! Unprepared statements only, because not every pooler keeps prepared ones. Names are looked up in
//! `pg_catalog` first, independent of the search path.

use std::collections::BTreeMap;
use std::time::{Duration, Instant, SystemTime};

use tokio_postgres::Client;

use crate::connect::milliseconds;
use crate::error::Error;
use crate::ops::health::report::{
    Connections, HealthReport, OldestTransaction, RoundTrips, TransactionAge,
};

const PINGS: usize = 20;

/// The client connections of the whole server, which share `max_connections`.
const COUNT_CONNECTIONS: &str = "\
select coalesce(state, 'unknown') as state, count(*) as connections
  from pg_stat_activity
 where backend_type = 'client backend'
 group by 1
 order by 1";

const DESCRIBE_SERVER: &str = "\
select current_setting('server_version'), current_setting('server_version_num')::int4,
       current_setting('max_connections')::int8, pg_database_size(current_database()),
       extract(epoch from clock_timestamp())::float8,
       pg_is_in_recovery() or current_setting('transaction_read_only')::bool,
       (select age(datfrozenxid)::int8 from pg_database where datname = current_database()),
       current_setting('autovacuum_freeze_max_age')::int8";

/// The transaction in this database that began first, but for the one that asks.
const FIND_OLDEST_TRANSACTION: &str = "\
select pid, extract(epoch from clock_timestamp() - xact_start)::float8, coalesce(state, 'unknown')
  from pg_stat_activity
 where datname = current_database() and backend_type = 'client backend'
   and pid <> pg_backend_pid() and xact_start is not null
 order by xact_start
 limit 1";

/// Invalid indexes that are not being built. The index of a partitioned table may be waiting for
/// partitions, which is no failure.
const LIST_INVALID_INDEXES: &str = "\
select class.oid::regclass::text
  from pg_index as index
  join pg_class as class on class.oid = index.indexrelid
 where not index.indisvalid and class.relkind = 'i'
   and not exists (select from pg_stat_progress_create_index as built
                    where built.index_relid = index.indexrelid)
 order by 1";

/// Puts what the server says into the report. Returns its version number.
pub(super) async fn describe(client: &Client, report: &mut HealthReport) -> Result<i32, Error> {
    report.round_trip_ms = Some(ping(client).await?);
    let refused = |source| Error::Query { action: "describe itself", source };

    let (before, start) = (SystemTime::now(), Instant::now());
    let server = client.query_typed_one(DESCRIBE_SERVER, &[]).await.map_err(refused)?;
    // The server read its clock about half way.
    let here = (before + start.elapsed() / 2)
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or(Duration::ZERO);
    report.server_version = Some(server.get(0));
    report.database_size_bytes = Some(server.get(3));
    report.clock_difference_s =
        Some(((server.get::<_, f64>(4) - here.as_secs_f64()) * 1000.0).round() / 1000.0);
    report.read_only = Some(server.get(5));
    report.transaction_age =
        Some(TransactionAge { age: server.get(6), freeze_max_age: server.get(7) });

    let states = client.query_typed(COUNT_CONNECTIONS, &[]).await.map_err(refused)?;
    let by_state: BTreeMap<String, i64> =
        states.iter().map(|row| (row.get(0), row.get(1))).collect();
    report.connections =
        Some(Connections { total: by_state.values().sum(), by_state, max: server.get(2) });

    let oldest = client.query_typed_opt(FIND_OLDEST_TRANSACTION, &[]).await.map_err(refused)?;
    report.oldest_transaction = oldest.map(|row| OldestTransaction {
        pid: row.get(0),
        age_s: (row.get::<_, f64>(1) * 10.0).round() / 10.0,
        state: row.get(2),
    });
    let invalid = client.query_typed(LIST_INVALID_INDEXES, &[]).await.map_err(refused)?;
    report.invalid_indexes = Some(invalid.iter().map(|row| row.get(0)).collect());
    Ok(server.get(1))
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
