//! A database with the API on it, and the users who send requests.

use std::sync::Arc;

use anyhow::{Context, ensure};

use super::fill;
use super::options::Size;
use crate::bench::load::{Accounts, Connection};
use crate::bench::options::{Options, Reuse};
use crate::bench::processes::Account;
use crate::bench::requests::HttpConnection;
use crate::bench::services;
use crate::{App, KeepAlive, TestServer, User, raw_request};

use super::requests::{Operation, Requests, sequence};

/// Tasks of each user that requests are about.
const TASKS_OF_A_USER: i64 = 30;

/// Place of the first task on a page inside a list of 300 tasks or more.
const INSIDE: usize = 150;

/// The most tasks of one response.
const LARGEST_PAGE: usize = 1_000;

/// One of those that take turns.
pub(crate) struct Side {
    /// The name in tables.
    pub(crate) name: String,
    pub(crate) app: App,
    requests: Arc<Requests>,
    accounts: Accounts,
    /// The highest id before the first request.
    last_task: i32,
}

/// The users who send requests, by their numbers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AtWork {
    first: u32,
    last: u32,
}

impl AtWork {
    /// All of a small database.
    pub(crate) const FIRST_TEN: Self = Self { first: 1, last: 10 };

    /// Ten that have as many tasks as those. None of them is the one with a hundredth of all.
    pub(crate) fn other_ten(size: Size) -> Self {
        let last = (size.users / 20 * 10).max(10);
        Self { first: last - 9, last }
    }

    /// The first thousand.
    pub(crate) fn thousand(size: Size) -> Self {
        Self { first: 1, last: size.users.min(1_000) }
    }

    pub(crate) fn count(self) -> u32 {
        self.last - self.first + 1
    }
}

/// Starts the API on a new database with this many tasks.
pub(crate) async fn start(
    options: &Options,
    reuse: Reuse,
    server: &'static TestServer,
    size: Size,
) -> anyhow::Result<App> {
    let database = server.migrated_database().await;
    fill::fill(&database.client().await, size).await?;
    let app = App::start_on(database, |app| {
        app.reuse = options.limits(reuse);
        app.has_own_process = true;
        app.has_variables_file = options.has_variables_file();
        // The API's default, which the tests change.
        app.unset("database_timeout_ms");
        app.set("log_level", &options.log_level);
    });
    Ok(app.await)
}

impl Side {
    /// Finds what the requests of these users are about.
    pub(crate) async fn new(
        name: &str,
        app: &App,
        at_work: AtWork,
        postgres: Option<Account>,
    ) -> anyhow::Result<Self> {
        let database = app.client().await;
        let ids = fill::users(&database, at_work.first, at_work.last).await?;
        let users: Vec<User> = ids
            .iter()
            .map(|id| services::with_long_token(&app.unregistered_user_with_id(id)))
            .collect();
        let statement = "select owner.position::int4, task.id
  from unnest($1::text[]) with ordinality as owner (id, position),
       lateral (select id from tasks
                where user_id = owner.id and status = 'incomplete'
                order by created_at desc
                limit $2) as task
 order by random()";
        let rows = database.query(statement, &[&ids, &TASKS_OF_A_USER]).await;
        let tasks: Vec<(usize, i32)> = rows
            .context("list tasks")?
            .iter()
            .map(|row| (usize::try_from(row.get::<_, i32>(0)).unwrap_or(1) - 1, row.get(1)))
            .collect();
        // The first one of each ten has the most.
        let listers: Vec<User> = users.iter().step_by(10).cloned().collect();
        let mut pages = Vec::new();
        for lister in &listers {
            pages.push(page_inside(app, lister, INSIDE)?);
        }
        let accounts =
            Accounts { server: app.process_group().map(Account::Group), database: postgres };
        let last = database.query_one("select max(id) from tasks", &[]).await;
        let last_task = last.context("the last task")?.get(0);
        let requests = Arc::new(Requests { users, tasks, listers, pages });
        Ok(Self { name: name.to_owned(), app: app.clone(), requests, accounts, last_task })
    }

    /// The user with a hundredth of all tasks lists them, from the middle on.
    pub(crate) async fn list_longest(mut self, size: Size) -> anyhow::Result<Self> {
        let database = self.app.client().await;
        let ids = fill::users(&database, 1, 1).await?;
        let id = ids.first().context("the first user")?;
        let user = services::with_long_token(&self.app.unregistered_user_with_id(id));
        let middle = usize::try_from(size.tasks / 200)?.max(INSIDE);
        let page = page_inside(&self.app, &user, middle)?;
        let requests = Arc::get_mut(&mut self.requests).context("no request was sent yet")?;
        requests.pages = vec![page];
        Ok(self)
    }

    /// Connections that send the requests of an operation.
    pub(crate) fn connections(&self, operation: Operation, count: u16) -> Vec<Box<dyn Connection>> {
        let all = usize::from(count);
        (0..all)
            .map(|number| -> Box<dyn Connection> {
                let requests = sequence(&self.requests, operation, number, all);
                Box::new(HttpConnection::sending(self.app.address(), requests))
            })
            .collect()
    }

    pub(crate) fn accounts(&self) -> Accounts {
        self.accounts
    }

    /// Deletes what requests have created, and opens what they have completed, so that each measurement starts
    /// from the same state.
    pub(crate) async fn tidy(&self) -> anyhow::Result<()> {
        let database = self.app.client().await;
        let delete = "delete from tasks where id > $1";
        database.execute(delete, &[&self.last_task]).await.context("delete tasks")?;
        let open =
            "update tasks set status = 'incomplete' where id = any ($1) and status = 'complete'";
        let ids: Vec<i32> = self.requests.tasks.iter().map(|(_, id)| *id).collect();
        database.execute(open, &[&ids]).await.context("open tasks")?;
        database.batch_execute("vacuum tasks").await.context("vacuum")
    }
}

/// The request for a page of 100 that begins near this place of a user's list, by following the links.
fn page_inside(app: &App, user: &User, place: usize) -> anyhow::Result<Vec<u8>> {
    let mut client = KeepAlive::new(app.address());
    let list = user.path("/tasks");
    let get =
        |query: &str| raw_request("GET", &format!("{list}?{query}"), &[&user.authorization()], "");
    let mut cursor = String::new();
    let mut passed = 0;
    while passed < place {
        let limit = LARGEST_PAGE.min(place - passed);
        let request = get(&format!("limit={limit}{cursor}"));
        let exchange = client.exchange(&request).context("list tasks")?;
        ensure!(exchange.status == 200, "a page of a list: {}", exchange.status);
        let link = client.header("link").context("a link to the next page: too few tasks")?;
        let next = link.split("cursor=").nth(1).and_then(|rest| rest.split(['>', '&']).next());
        cursor = format!("&cursor={}", next.context("a cursor in the link")?);
        passed += limit;
    }
    Ok(get(&format!("limit=100{cursor}")))
}
