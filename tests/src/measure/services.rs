//! The API and the bare component, each on its own host, on one database.

use std::net::SocketAddr;
use std::num::NonZero;
use std::process::Command;

use anyhow::Context;
use tokio_postgres::Client;

use super::cpu::{self, Account};
use super::load::Accounts;
use super::options::{Options, Reuse};
use crate::{App, Component, User};

/// The allowed CORS origin.
pub(crate) const ORIGIN: &str = "https://app.example";

/// Tasks in a list.
const LISTED: i32 = 100;

/// The running services.
pub(crate) struct Services {
    api: App,
    floor: App,
    database: Client,
    postgres: Option<Account>,
    /// Has a task for each connection.
    pub(crate) user: User,
    /// The ids of those tasks.
    pub(crate) tasks: Vec<i32>,
    /// Has the tasks of a list.
    pub(crate) lister: User,
    /// Creates tasks.
    pub(crate) creator: User,
}

/// One of the two services.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Api,
    Floor,
}

impl Services {
    /// Starts both on a new database with a few tasks.
    pub(crate) async fn start(options: &Options, reuse: Reuse) -> anyhow::Result<Self> {
        let api = App::start_with(|app| {
            app.reuse = reuse.limits();
            // The API's default, which the tests change.
            app.unset("database_timeout_ms");
            app.set("log_level", &options.log_level).set("cors_origins", ORIGIN);
        })
        .await;
        let database_url = api.database().api_url();
        let floor = App::start_with(|app| {
            app.manifest = Component::under_test().floor_manifest();
            app.reuse = reuse.limits();
            app.variables.clear();
            app.database(&database_url);
        })
        .await;

        let database = api.database().client().await;
        let postgres = postgres(&database).await?;
        let user = api.user("user").await;
        let lister = api.user("lister").await;
        let creator = api.user("creator").await;
        let tasks = add_tasks(&database, &user, i32::from(options.connections)).await?;
        add_tasks(&database, &lister, LISTED).await?;
        database.batch_execute("vacuum (analyze) tasks, users").await.context("tidy tables")?;
        Ok(Self { api, floor, database, postgres, user, tasks, lister, creator })
    }

    pub(crate) fn address(&self, side: Side) -> SocketAddr {
        self.app(side).address()
    }

    /// The processes whose CPU time counts for a side.
    pub(crate) fn accounts(&self, side: Side) -> Accounts {
        let host = self.app(side).process_group().map_or(Account::ThisProcess, Account::Group);
        Accounts { host, database: self.postgres }
    }

    /// Deletes the tasks of earlier measurements and vacuums, so that each starts from the same state.
    pub(crate) async fn tidy(&self) -> anyhow::Result<()> {
        let statement = "delete from tasks where user_id = $1";
        self.database.execute(statement, &[&self.creator.id]).await.context("delete tasks")?;
        self.database.batch_execute("vacuum (analyze) tasks").await.context("tidy tables")
    }

    /// Adds tasks to a user, and returns their ids.
    pub(crate) async fn add_tasks(&self, user: &User, count: i32) -> anyhow::Result<Vec<i32>> {
        add_tasks(&self.database, user, count).await
    }

    /// The versions, the options and the load of the machine.
    pub(crate) async fn describe(&self, options: &Options) -> anyhow::Result<String> {
        let statement = "select current_setting('server_version')";
        let row = self.database.query_one(statement, &[]).await.context("ask for the version")?;
        let postgres: &str = row.get(0);
        let host = match spin_version() {
            Some(version) if self.api.process_group().is_some() => version,
            _ => "local, not optimised: its figures mean nothing".to_owned(),
        };
        let processors = std::thread::available_parallelism().map_or(0, NonZero::get);
        let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
        let component = Component::under_test();
        let size = |name| std::fs::metadata(component.file(name)).map_or(0, |file| file.len());
        Ok(format!(
            "host: {host}\ncomponents of {}: the API {} bytes, the bare one {} bytes\nPostgreSQL {postgres}, {processors} processors, load average {}, log_level {}\n",
            component.name(),
            size("api"),
            size("floor"),
            load.split_whitespace().take(3).collect::<Vec<_>>().join(" "),
            options.log_level
        ))
    }

    fn app(&self, side: Side) -> &App {
        match side {
            Side::Api => &self.api,
            Side::Floor => &self.floor,
        }
    }
}

async fn add_tasks(database: &Client, user: &User, count: i32) -> anyhow::Result<Vec<i32>> {
    let statement = "insert into tasks (user_id, title)
select $1, 'Task ' || lpad(number::text, 8, '0')
  from generate_series(1, $2::int4) as number
returning id";
    let rows = database.query(statement, &[&user.id, &count]).await.context("add tasks")?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// The version of the Spin that the tests use.
pub(crate) fn spin_version() -> Option<String> {
    let program = std::env::var_os("SPIN").unwrap_or_else(|| "spin".into());
    let output = Command::new(program).arg("--version").output().ok()?;
    Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// The server's processes, if it runs on this machine: its first process is the parent of the one
/// behind this connection.
async fn postgres(database: &Client) -> anyhow::Result<Option<Account>> {
    let statement = "select pg_backend_pid(), host(inet_server_addr())";
    let row = database.query_one(statement, &[]).await.context("ask for the server's process")?;
    let (process, address): (i32, Option<String>) = (row.get(0), row.get(1));
    let is_here = address.is_some_and(|address| address.starts_with("127."));
    let first = u32::try_from(process).ok().filter(|_| is_here).and_then(cpu::parent);
    Ok(first.map(Account::Family))
}
