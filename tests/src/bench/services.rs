//! What is measured, each in processes of its own, on one database.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context;
use serde::Serialize;
use tokio_postgres::Client;

use super::environment::Environment;
use super::load::{Accounts, Connection};
use super::options::{Options, Part, Reuse, Workload};
use super::processes::{self, Account};
use super::requests::HttpConnection;
use super::sql::{SqlConnection, Statements};
use super::{native, predecessor};
use crate::runtime::ServerProcess;
use crate::{App, Component, Token, User};

/// The allowed CORS origin.
pub(crate) const ORIGIN: &str = "https://app.example";

/// Tasks in a list.
const LISTED: i32 = 100;

/// A week: the longest measurement takes hours.
const TOKEN_SECONDS: i64 = 7 * 24 * 3_600;

/// The running services.
pub(crate) struct Services {
    api: App,
    floor: App,
    native: ServerProcess,
    /// None unless it takes part.
    predecessor: Option<ServerProcess>,
    statements: Arc<Statements>,
    database: Client,
    postgres: Option<Account>,
    /// Has a task for each connection.
    pub(crate) user: User,
    /// The ids of those tasks.
    pub(crate) tasks: Vec<i32>,
    /// Has the tasks of a list.
    pub(crate) lister: User,
    /// Has as many incomplete tasks of all priorities, among other ones.
    pub(crate) sorter: User,
    /// Creates tasks.
    pub(crate) creator: User,
}

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Side {
    /// The API's component on the host.
    Api,
    /// The bare component on the same host.
    Floor,
    /// The native server with the same routes and statements.
    Native,
    /// The statements alone, from this process.
    Sql,
    /// The API's predecessor, in Python.
    Predecessor,
}

impl Side {
    /// The name in tables and plots.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Api => "API",
            Self::Floor => "floor",
            Self::Native => "native",
            Self::Sql => "SQL alone",
            Self::Predecessor => "predecessor",
        }
    }
}

impl Services {
    /// Starts them on a new database with a few tasks.
    pub(crate) async fn start(options: &Options, reuse: Reuse) -> anyhow::Result<Self> {
        let api = App::start_with(|app| {
            app.reuse = options.limits(reuse);
            app.has_own_process = true;
            app.has_variables_file = options.has_variables_file();
            // The API's default, which the tests change; not where statements are kept waiting.
            if options.part != Part::Memory {
                app.unset("database_timeout_ms");
            }
            app.set("log_level", &options.log_level).set("cors_origins", ORIGIN);
        })
        .await;
        let database_url = api.database().api_url();
        let floor = App::start_with(|app| {
            app.manifest = Component::under_test().floor_manifest();
            app.reuse = options.limits(reuse);
            app.has_own_process = true;
            app.has_variables_file = options.has_variables_file();
            app.variables.clear();
            app.database(&database_url);
        })
        .await;

        let database = api.database().client().await;
        let postgres = postgres(&database).await?;
        let (url, secret) = (database_url.to_connection_string(), api.jwt_secret());
        let native = native::start(&url, secret);
        let takes_part = options.predecessor && reuse == Reuse::Reused;
        // As the owner of the tables, which it would create: the API's role may not write `updated_at`, as it does.
        let owner = api.database().url().to_connection_string();
        let predecessor = takes_part.then(|| predecessor::start(&owner, secret)).transpose()?;
        let mut statements = native::statements()?;
        statements.insert("nothing".to_owned(), "select 1".to_owned());
        let user = with_long_token(&api.user("user").await);
        let lister = with_long_token(&api.user("lister").await);
        let sorter = with_long_token(&api.user("sorter").await);
        let creator = with_long_token(&api.user("creator").await);
        let tasks = add_tasks(&database, &user, i32::from(options.most_connections())).await?;
        add_tasks(&database, &lister, LISTED).await?;
        add_mixed_tasks(&database, &sorter).await?;
        database.batch_execute("vacuum (analyze) tasks, users").await.context("tidy tables")?;
        Ok(Self {
            api,
            floor,
            native,
            predecessor,
            statements: Arc::new(statements),
            database,
            postgres,
            user,
            tasks,
            lister,
            sorter,
            creator,
        })
    }

    /// The connections of a workload to one side.
    pub(crate) fn connections(
        &self,
        workload: Workload,
        side: Side,
        count: u16,
    ) -> Vec<Box<dyn Connection>> {
        (0..usize::from(count))
            .map(|number| -> Box<dyn Connection> {
                match self.address(side) {
                    Some(address) => {
                        Box::new(HttpConnection::new(workload, side, address, self, number))
                    }
                    None => Box::new(SqlConnection::new(workload, self, number)),
                }
            })
            .collect()
    }

    /// None of the statements alone, nor of the predecessor where it takes no part.
    pub(crate) fn address(&self, side: Side) -> Option<SocketAddr> {
        match side {
            Side::Api => Some(self.api.address()),
            Side::Floor => Some(self.floor.address()),
            Side::Native => Some(self.native.address()),
            Side::Predecessor => self.predecessor.as_ref().map(ServerProcess::address),
            Side::Sql => None,
        }
    }

    /// The processes whose CPU time and memory count for a side.
    pub(crate) fn accounts(&self, side: Side) -> Accounts {
        let server = match side {
            Side::Api => self.api.process_group(),
            Side::Floor => self.floor.process_group(),
            Side::Native => Some(self.native.id()),
            Side::Predecessor => self.predecessor.as_ref().map(ServerProcess::id),
            Side::Sql => None,
        };
        Accounts { server: server.map(Account::Group), database: self.postgres }
    }

    /// The database, as the API's role.
    pub(crate) fn database_url(&self) -> String {
        self.api.database().api_url().to_connection_string()
    }

    /// The API's statements.
    pub(crate) fn statements(&self) -> Arc<Statements> {
        Arc::clone(&self.statements)
    }

    /// Deletes the tasks of earlier measurements and vacuums, so that each starts from the same state.
    pub(crate) async fn tidy(&self) -> anyhow::Result<()> {
        let statement = "delete from tasks where user_id = $1";
        self.database.execute(statement, &[&self.creator.id]).await.context("delete tasks")?;
        self.database.batch_execute("vacuum (analyze) tasks").await.context("tidy tables")
    }

    /// Starts the components again, in new processes.
    pub(crate) async fn restart_components(&self) {
        self.api.restart().await;
        self.floor.restart().await;
    }

    /// Runs statements on the connection of the measurement, as the owner of the tables.
    pub(crate) async fn execute(&self, statements: &str) -> anyhow::Result<()> {
        self.database.batch_execute(statements).await.with_context(|| statements.to_owned())
    }

    /// Adds tasks to a user, and returns their ids.
    pub(crate) async fn add_tasks(&self, user: &User, count: i32) -> anyhow::Result<Vec<i32>> {
        add_tasks(&self.database, user, count).await
    }

    /// Where the figures are from.
    pub(crate) async fn environment(&self, options: &Options) -> anyhow::Result<Environment> {
        Environment::read(options, &self.database).await
    }
}

/// The same user with a token that outlives the measurement.
pub(crate) fn with_long_token(user: &User) -> User {
    let token = Token::new(&user.id).claim("email", user.email()).claim_in("exp", TOKEN_SECONDS);
    user.with_token(token.signed(user.app().jwt_secret()))
}

/// Every other one is incomplete, and every third one of each has another priority.
async fn add_mixed_tasks(database: &Client, user: &User) -> anyhow::Result<()> {
    let statement = "insert into tasks (user_id, title, status, priority)
select $1, 'Task ' || lpad(number::text, 8, '0'),
       (array['incomplete', 'complete'])[number % 2 + 1],
       (array['low', 'medium', 'high'])[number / 2 % 3 + 1]
  from generate_series(1, $2::int4) as number";
    let count = 2 * LISTED;
    database.execute(statement, &[&user.id, &count]).await.context("add tasks")?;
    Ok(())
}

async fn add_tasks(database: &Client, user: &User, count: i32) -> anyhow::Result<Vec<i32>> {
    let statement = "insert into tasks (user_id, title)
select $1, 'Task ' || lpad(number::text, 8, '0')
  from generate_series(1, $2::int4) as number
returning id";
    let rows = database.query(statement, &[&user.id, &count]).await.context("add tasks")?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// The server's processes, if it runs on this machine: its first process is the parent of the one
/// behind this connection.
pub(crate) async fn postgres(database: &Client) -> anyhow::Result<Option<Account>> {
    let statement = "select pg_backend_pid(), host(inet_server_addr())";
    let row = database.query_one(statement, &[]).await.context("ask for the server's process")?;
    let (process, address): (i32, Option<String>) = (row.get(0), row.get(1));
    let is_here = address.is_some_and(|address| address.starts_with("127."));
    let first = u32::try_from(process).ok().filter(|_| is_here).and_then(processes::parent);
    Ok(first.map(Account::Family))
}
