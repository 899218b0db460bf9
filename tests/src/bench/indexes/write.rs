//! A copy of a database, and the writes on it.

use std::time::Duration;

use anyhow::Context;
use tokio_postgres::Client;
use tokio_postgres::types::ToSql;

use crate::bench::load::count;
use crate::bench::options::{Options, Workload};
use crate::bench::processes;
use crate::{TestDatabase, TestServer};

/// Statements of one turn: few, because the machine may get slower or busier.
const TURN: usize = 100;

/// Those before, so that the session has in memory what they need.
const WARM_UP: usize = 5;

/// Tasks that are changed in turn.
const CHANGED: i64 = 10_000;

/// A write of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Write {
    Create,
    Update,
    Complete,
}

/// A database in which something may be missing.
pub(super) struct Copy {
    // The connection first: a database is dropped when nobody is connected.
    client: Client,
    process: u32,
    tasks: Vec<Task>,
    turn: usize,
    _database: TestDatabase,
}

struct Task {
    id: i32,
    owner: String,
    is_complete: bool,
}

impl Write {
    const ALL: [(Self, Workload); 3] = [
        (Self::Create, Workload::Create),
        (Self::Update, Workload::Update),
        (Self::Complete, Workload::Complete),
    ];

    /// Those of the selected workloads.
    pub(super) fn selected(options: &Options) -> Vec<Self> {
        let workloads = options.workloads();
        let selected = Self::ALL.iter().filter(|(_, workload)| workloads.contains(workload));
        selected.map(|(write, _)| *write).collect()
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update of a title",
            Self::Complete => "complete",
        }
    }

    /// The name of the API's statement.
    pub(super) fn statement(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Complete => "set_status",
        }
    }
}

impl Copy {
    /// Copies a database, and runs a statement there.
    pub(super) async fn of(
        server: &'static TestServer,
        original: &TestDatabase,
        statement: Option<&str>,
    ) -> anyhow::Result<Self> {
        let database = server.copy(original).await;
        let client = database.client().await;
        client.batch_execute(statement.unwrap_or_default()).await.context("drop a part")?;
        let process: i32 = client.query_one("select pg_backend_pid()", &[]).await?.get(0);
        // The same ones in each copy.
        let select = "select id, user_id from tasks where status = 'incomplete' order by md5(id::text) limit $1";
        let rows = client.query(select, &[&CHANGED]).await.context("list tasks")?;
        let tasks =
            rows.iter().map(|row| Task { id: row.get(0), owner: row.get(1), is_complete: false });
        Ok(Self {
            client,
            process: process.unsigned_abs(),
            tasks: tasks.collect(),
            turn: 0,
            _database: database,
        })
    }

    /// One turn: CPU milliseconds of this session for a statement; none where they cannot be read.
    pub(super) async fn run(&mut self, write: Write, sql: &str) -> anyhow::Result<Option<f64>> {
        for _ in 0..WARM_UP {
            self.execute(write, sql).await?;
        }
        let before = processes::exact_time(self.process);
        for _ in 0..TURN {
            self.execute(write, sql).await?;
        }
        let after = processes::exact_time(self.process);
        let spent = after.zip(before).map(|(after, before)| after.saturating_sub(before));
        Ok(spent.map(|spent: Duration| spent.as_secs_f64() * 1_000.0 / count(TURN)))
    }

    /// Removes the versions of rows that writes have left.
    pub(super) async fn vacuum(&self) -> anyhow::Result<()> {
        self.client.batch_execute("vacuum tasks").await.context("vacuum")
    }

    async fn execute(&mut self, write: Write, sql: &str) -> anyhow::Result<()> {
        let place = self.turn % self.tasks.len();
        let Task { id, owner, is_complete } = &mut self.tasks[place];
        if write == Write::Complete {
            // Each time the other one, so that the row changes.
            *is_complete = !*is_complete;
        }
        let title = format!("Task {:010} for today", self.turn);
        let (status, none) = (if *is_complete { "complete" } else { "incomplete" }, None::<&str>);
        let email = format!("{owner}@example.com");
        let params: Vec<&(dyn ToSql + Sync)> = match write {
            Write::Create => vec![owner, &title, &none, &"incomplete", &"medium", &email],
            Write::Update => vec![id, owner, &title, &false, &none, &none, &none],
            Write::Complete => vec![id, owner, &status],
        };
        self.client.query_one(sql, &params).await.context("write a task")?;
        self.turn += 1;
        Ok(())
    }

    /// The part of the updates since the last call for which no index was changed, 0 to 1.
    pub(super) async fn heap_only_updates(&self) -> anyhow::Result<f64> {
        let statement = "select coalesce(sum(n_tup_hot_upd) / nullif(sum(n_tup_upd), 0), 0)::float8 from pg_stat_user_tables where relname = 'tasks'";
        self.client.batch_execute("select pg_stat_force_next_flush()").await?;
        let row = self.client.query_one(statement, &[]).await.context("read statistics")?;
        self.client.batch_execute("select pg_stat_reset()").await?;
        Ok(row.get(0))
    }
}
