//! The statements alone: prepared, from a native client in this process, without a server between.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use tokio::runtime::{Builder, Runtime};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, NoTls, Statement};

use super::load::{Connection, Reply};
use super::options::Workload;
use super::requests::titles;
use super::services::Services;

/// The API's statements by name, as the program `native` prints them.
pub(crate) type Statements = BTreeMap<String, String>;

type Params = Vec<Box<dyn ToSql + Send + Sync>>;

/// The next statement of one connection, by name, and its parameters.
type Calls = Box<dyn FnMut() -> (&'static str, Params) + Send>;

/// A connection to the database with its statements, opened with the first one.
pub(crate) struct SqlConnection {
    database_url: String,
    texts: Arc<Statements>,
    calls: Calls,
    /// Runs on the thread that sends, as the client of a kept-alive connection does.
    runtime: Runtime,
    open: Option<(Client, BTreeMap<&'static str, Statement>)>,
}

impl SqlConnection {
    /// One of a workload's connections, from 0.
    pub(crate) fn new(workload: Workload, services: &Services, number: usize) -> Self {
        let calls = match workload.mix() {
            None => calls(workload, services, number),
            Some(mix) => {
                let mut all: Vec<Calls> =
                    mix.iter().map(|one| calls(*one, services, number)).collect();
                let mut next = number * 7;
                Box::new(move || {
                    let index = next % all.len();
                    next += 1;
                    all[index]()
                })
            }
        };
        let runtime = Builder::new_current_thread().enable_all().build().expect("start a runtime");
        let database_url = services.database_url();
        Self { database_url, texts: services.statements(), calls, runtime, open: None }
    }

    fn run(&mut self) -> Result<Reply, tokio_postgres::Error> {
        let (name, params) = (self.calls)();
        let Self { database_url, texts, runtime, open, .. } = self;
        runtime.block_on(async {
            if open.as_ref().is_none_or(|(client, _)| client.is_closed()) {
                let (client, connection) = tokio_postgres::connect(database_url, NoTls).await?;
                tokio::spawn(connection);
                *open = Some((client, BTreeMap::new()));
            }
            let (client, prepared) = open.as_mut().expect("a connection that was opened");
            if !prepared.contains_key(name) {
                prepared.insert(name, client.prepare(&texts[name]).await?);
            }
            let params: Vec<&(dyn ToSql + Sync)> =
                params.iter().map(|param| &**param as &(dyn ToSql + Sync)).collect();
            let started = Instant::now();
            client.query_one(&prepared[name], &params).await?;
            Ok(Reply { duration: started.elapsed(), is_split: false })
        })
    }
}

impl Connection for SqlConnection {
    fn exchange(&mut self) -> Result<Reply, String> {
        self.run().map_err(|err| err.to_string())
    }
}

/// What the API runs for the requests of a workload.
fn calls(workload: Workload, services: &Services, number: usize) -> Calls {
    let (user, task) = (services.user.id.clone(), services.tasks[number]);
    let none = || Box::new(None::<String>);
    match workload {
        // Measured without a database only: the shortest statement is its limit.
        Workload::Nothing => Box::new(|| ("nothing", Vec::new())),
        Workload::Get => Box::new(move || ("get", vec![Box::new(task), Box::new(user.clone())])),
        Workload::List => {
            let lister = services.lister.id.clone();
            Box::new(move || ("list", vec![Box::new(lister.clone()), Box::new(100)]))
        }
        Workload::Filtered => {
            let sorter = services.sorter.id.clone();
            Box::new(move || {
                let status = Box::new("incomplete");
                ("filtered", vec![Box::new(sorter.clone()), Box::new(100), status])
            })
        }
        Workload::Create => {
            let creator = services.creator.clone();
            let mut titles = titles();
            Box::new(move || {
                let params: Params = vec![
                    Box::new(creator.id.clone()),
                    Box::new(titles()),
                    none(),
                    Box::new("incomplete"),
                    Box::new("medium"),
                    Box::new(creator.email()),
                ];
                ("create", params)
            })
        }
        Workload::Update => {
            let mut titles = titles();
            Box::new(move || {
                let params: Params = vec![
                    Box::new(task),
                    Box::new(user.clone()),
                    Box::new(titles()),
                    Box::new(false),
                    none(),
                    none(),
                    none(),
                ];
                ("update", params)
            })
        }
        Workload::Complete => {
            let mut is_complete = false;
            Box::new(move || {
                is_complete = !is_complete;
                let status = if is_complete { "complete" } else { "incomplete" };
                ("set_status", vec![Box::new(task), Box::new(user.clone()), Box::new(status)])
            })
        }
        Workload::Mix => unreachable!("a mix is made of the others"),
    }
}
