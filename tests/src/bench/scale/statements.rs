//! What PostgreSQL counts of the API's statements (`pg_stat_statements`).

use anyhow::Context;
use serde::Serialize;
use tokio_postgres::Client;

use super::Operation;
use crate::bench::load::count;
use crate::bench::output::{Table, figure};

/// Settings of a server that counts statements, and plans them within what it counts.
pub(crate) const SETTINGS: [(&str, &str); 3] = [
    ("shared_preload_libraries", "pg_stat_statements"),
    ("pg_stat_statements.track_planning", "on"),
    ("pg_stat_statements.track_utility", "off"),
];

/// One statement of the API: sums over all its executions.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Counted {
    executions: u64,
    execution_ms: f64,
    planning_ms: f64,
    /// Pages of 8 KiB that were in the server's memory, and those that were not.
    pages_hit: u64,
    pages_read: u64,
    rows: u64,
}

const READ: &str = "\
select calls, total_exec_time, total_plan_time, shared_blks_hit, shared_blks_read, rows
  from pg_stat_statements
  join pg_database on pg_database.oid = dbid
 where datname = $1
   and toplevel
   and query like '%task%'
 order by calls desc
 limit 1";

/// Prepares the server.
pub(crate) async fn prepare(admin: &Client) -> anyhow::Result<()> {
    let statement = "create extension if not exists pg_stat_statements";
    admin.batch_execute(statement).await.context(
        "create the extension `pg_stat_statements`, which is a part of PostgreSQL's `contrib`",
    )
}

/// Starts counting anew.
pub(crate) async fn reset(admin: &Client) -> anyhow::Result<()> {
    admin.execute("select pg_stat_statements_reset()", &[]).await.context("reset the counts")?;
    Ok(())
}

/// The statement that was executed most often in a database.
pub(crate) async fn most_frequent(admin: &Client, database: &str) -> anyhow::Result<Counted> {
    let row = admin.query_opt(READ, &[&database]).await.context("read the counts")?;
    let row = row.context("no statement was counted")?;
    let number = |column: usize| row.get::<_, i64>(column).unsigned_abs();
    Ok(Counted {
        executions: number(0),
        execution_ms: row.get(1),
        planning_ms: row.get(2),
        pages_hit: number(3),
        pages_read: number(4),
        rows: number(5),
    })
}

impl Counted {
    pub(crate) fn add(&mut self, other: &Self) {
        self.executions += other.executions;
        self.execution_ms += other.execution_ms;
        self.planning_ms += other.planning_ms;
        self.pages_hit += other.pages_hit;
        self.pages_read += other.pages_read;
        self.rows += other.rows;
    }

    /// For one execution.
    fn columns(&self) -> Vec<String> {
        let number = |value: u64| count(usize::try_from(value).unwrap_or(usize::MAX));
        let executions = number(self.executions);
        let each = |value: f64, digits| figure(Some(value / executions), digits);
        vec![
            self.executions.to_string(),
            each(self.execution_ms, 3),
            each(self.planning_ms, 3),
            each(number(self.pages_hit), 1),
            each(number(self.pages_read), 1),
            each(number(self.rows), 1),
        ]
    }
}

/// The counts as a table, of each kind of request on each side.
pub(crate) fn report<'a>(
    all: impl Iterator<Item = (Operation, u16, &'a str, &'a Counted)>,
) -> String {
    let mut table = Table::new(&[
        "request",
        "connections",
        "",
        "executions",
        "execution ms",
        "planning ms",
        "pages hit",
        "pages read",
        "rows",
    ]);
    for (operation, connections, side, counted) in all {
        let row = [operation.name().to_owned(), connections.to_string(), side.to_owned()];
        table.row(row.into_iter().chain(counted.columns()).collect());
    }
    table.render()
}
