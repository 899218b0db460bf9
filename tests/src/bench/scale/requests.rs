//! The requests of many users.

use std::sync::Arc;

use clap::ValueEnum;
use serde::Serialize;

use crate::bench::options::{Options, Workload};
use crate::bench::requests::{FILTERED_LIST, LIST, Requests as NextRequest, titles};
use crate::{User, raw_request};

const JSON: &str = "Content-Type: application/json";

/// A kind of request. Each is from another user than the last one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Operation {
    Get,
    /// The first 100 tasks of a list.
    List,
    /// 100 tasks inside a list.
    PageInside,
    Filtered,
    Create,
    Update,
    Complete,
}

/// What the requests are about.
pub(crate) struct Requests {
    pub(crate) users: Vec<User>,
    /// Places of their owners in `users`, and ids.
    pub(crate) tasks: Vec<(usize, i32)>,
    /// Those with more than 200 tasks.
    pub(crate) listers: Vec<User>,
    /// Requests for pages inside their lists.
    pub(crate) pages: Vec<Vec<u8>>,
}

impl Operation {
    /// Those of the selected workloads.
    pub(crate) fn selected(options: &Options) -> Vec<Self> {
        let workloads = options.workloads();
        let all = Self::value_variants().iter().copied();
        all.filter(|one| workloads.contains(&one.workload())).collect()
    }

    fn workload(self) -> Workload {
        match self {
            Self::Get => Workload::Get,
            Self::List | Self::PageInside => Workload::List,
            Self::Filtered => Workload::Filtered,
            Self::Create => Workload::Create,
            Self::Update => Workload::Update,
            Self::Complete => Workload::Complete,
        }
    }

    /// The name in tables.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::PageInside => "page inside",
            other => other.workload().name(),
        }
    }

    /// Whether rows are written.
    pub(crate) fn writes(self) -> bool {
        matches!(self, Self::Create | Self::Update | Self::Complete)
    }
}

/// The requests of one of `all` connections, by its number from 0. No two connections change the same task.
pub(crate) fn sequence(
    requests: &Arc<Requests>,
    operation: Operation,
    number: usize,
    all: usize,
) -> NextRequest {
    let requests = Arc::clone(requests);
    let mut titles = titles();
    // Each connection has its own tasks.
    let own_tasks = (requests.tasks.len() / all).max(1);
    let mut turn = 0;
    Box::new(move |buffer| {
        let place = number + turn * all;
        let task = number + turn % own_tasks * all;
        let round = turn / own_tasks;
        turn += 1;
        *buffer = match operation {
            Operation::Get => requests.of_task(task, "GET", "", ""),
            Operation::List => requests.list(place, LIST),
            Operation::PageInside => requests.pages[place % requests.pages.len()].clone(),
            Operation::Filtered => requests.list(place, FILTERED_LIST),
            Operation::Create => requests.create(place, &titles()),
            Operation::Update => {
                let body = format!(r#"{{"title":"{}"}}"#, titles());
                requests.of_task(task, "PUT", "", &body)
            }
            Operation::Complete => {
                let action = if round.is_multiple_of(2) { "/complete" } else { "/incomplete" };
                requests.of_task(task, "PATCH", action, "")
            }
        };
    })
}

impl Requests {
    fn of_task(&self, place: usize, method: &str, action: &str, body: &str) -> Vec<u8> {
        let (owner, id) = self.tasks[place % self.tasks.len()];
        let user = &self.users[owner];
        let headers: &[&str] = &[&user.authorization(), JSON];
        raw_request(method, &user.path(&format!("/tasks/{id}{action}")), headers, body)
    }

    fn list(&self, place: usize, list: &str) -> Vec<u8> {
        let user = &self.listers[place % self.listers.len()];
        raw_request("GET", &user.path(list), &[&user.authorization()], "")
    }

    fn create(&self, place: usize, title: &str) -> Vec<u8> {
        let user = &self.users[place % self.users.len()];
        let body = format!(r#"{{"title":"{title}"}}"#);
        raw_request("POST", &user.path("/tasks"), &[&user.authorization(), JSON], &body)
    }
}
