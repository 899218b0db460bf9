//! The requests of the workloads over HTTP, as bytes, and a connection that sends them.

use std::net::SocketAddr;

use super::load::{Connection, Reply};
use super::options::Workload;
use super::services::{Services, Side};
use crate::{KeepAlive, User, raw_request};

/// Writes the next request of one connection in place of the last one.
pub(crate) type Requests = Box<dyn FnMut(&mut Vec<u8>) + Send>;

/// The first 100 tasks of a list.
pub(crate) const LIST: &str = "/tasks?limit=100";

/// The first 100 incomplete tasks by priority.
pub(crate) const FILTERED_LIST: &str = "/tasks?status=incomplete&sort=priority&limit=100";

/// A kept-alive connection with its requests.
pub(crate) struct HttpConnection {
    client: KeepAlive,
    requests: Requests,
    request: Vec<u8>,
}

/// The header with a user's token.
pub(crate) fn authorization(user: &User) -> String {
    user.authorization()
}

impl HttpConnection {
    /// One of a workload's connections, from 0, to a service.
    pub(crate) fn new(
        workload: Workload,
        side: Side,
        address: SocketAddr,
        services: &Services,
        number: usize,
    ) -> Self {
        let of = |workload| to_side(side, workload, services, number);
        let requests = match workload.mix() {
            None => of(workload),
            Some(mix) => in_turn(mix.iter().map(|one| of(*one)).collect(), number),
        };
        Self::sending(address, requests)
    }

    /// One that sends these requests.
    pub(crate) fn sending(address: SocketAddr, requests: Requests) -> Self {
        Self { client: KeepAlive::new(address), requests, request: Vec::new() }
    }
}

impl Connection for HttpConnection {
    fn exchange(&mut self) -> Result<Reply, String> {
        (self.requests)(&mut self.request);
        match self.client.exchange(&self.request) {
            Ok(exchange) if (200..300).contains(&exchange.status) => {
                Ok(Reply { duration: exchange.duration, is_split: exchange.is_split })
            }
            Ok(exchange) => {
                let body = String::from_utf8_lossy(self.client.body());
                Err(format!("{}: {body}", exchange.status))
            }
            Err(err) => Err(err.to_string()),
        }
    }
}

/// The first request of a workload to a server.
pub(crate) fn request(workload: Workload, side: Side, services: &Services) -> Vec<u8> {
    first_requests(workload, side, services, 1).remove(0)
}

/// The first ones of a workload to a server.
pub(crate) fn first_requests(
    workload: Workload,
    side: Side,
    services: &Services,
    count: usize,
) -> Vec<Vec<u8>> {
    let mut next = to_side(side, workload, services, 0);
    let of_turn = |_| {
        let mut bytes = Vec::new();
        next(&mut bytes);
        bytes
    };
    (0..count).map(of_turn).collect()
}

fn to_side(side: Side, workload: Workload, services: &Services, number: usize) -> Requests {
    match side {
        Side::Floor => to_floor(workload, services, number),
        _ => to_api(workload, services, number),
    }
}

/// The API's requests, which the native server and the predecessor take too.
fn to_api(workload: Workload, services: &Services, number: usize) -> Requests {
    let (user, task) = (&services.user, services.tasks[number]);
    let get = |user: &User, path: &str| {
        constant(raw_request("GET", &user.path(path), &[&authorization(user)], ""))
    };
    match workload {
        Workload::Nothing => constant(raw_request("GET", "/health", &[], "")),
        Workload::Get => get(user, &format!("/tasks/{task}")),
        Workload::List => get(&services.lister, LIST),
        Workload::Filtered => get(&services.sorter, FILTERED_LIST),
        Workload::Create => with_titles("POST", &services.creator, "/tasks"),
        Workload::Update => with_titles("PUT", user, &format!("/tasks/{task}")),
        Workload::Complete => {
            let token = authorization(user);
            let paths = ["complete", "incomplete"]
                .map(|action| user.path(&format!("/tasks/{task}/{action}")));
            alternating(paths.map(|path| raw_request("PATCH", &path, &[&token], "")))
        }
        Workload::Mix => unreachable!("a mix is made of the others"),
    }
}

fn to_floor(workload: Workload, services: &Services, number: usize) -> Requests {
    let (user, task) = (&services.user, services.tasks[number]);
    let of = |user: &User| format!("user={}", user.id);
    let get = |path: &str| constant(raw_request("GET", path, &[], ""));
    match workload {
        Workload::Nothing => get("/floor/nothing"),
        Workload::Get => get(&format!("/floor/get?id={task}&{}", of(user))),
        Workload::List => get(&format!("/floor/list?{}", of(&services.lister))),
        Workload::Filtered => get(&format!("/floor/filtered?{}", of(&services.sorter))),
        Workload::Create => {
            let path = format!("/floor/create?{}", of(&services.creator));
            changing(move |title| raw_request("POST", &path, &[], title))
        }
        Workload::Update => {
            let path = format!("/floor/update?id={task}&{}", of(user));
            changing(move |title| raw_request("PUT", &path, &[], title))
        }
        Workload::Complete => alternating(["complete", "incomplete"].map(|status| {
            let path = format!("/floor/status?id={task}&{}&status={status}", of(user));
            raw_request("PATCH", &path, &[], "")
        })),
        Workload::Mix => unreachable!("a mix is made of the others"),
    }
}

fn constant(request: Vec<u8>) -> Requests {
    Box::new(move |buffer| buffer.clone_from(&request))
}

/// So that each one changes the task.
fn alternating(requests: [Vec<u8>; 2]) -> Requests {
    let mut number = 0;
    Box::new(move |buffer| {
        buffer.clone_from(&requests[number % 2]);
        number += 1;
    })
}

/// Requests with a new title of the same length each time.
fn changing(request: impl Fn(&str) -> Vec<u8> + Send + 'static) -> Requests {
    let mut titles = titles();
    Box::new(move |buffer| *buffer = request(&titles()))
}

fn with_titles(method: &'static str, user: &User, path: &str) -> Requests {
    let (path, token) = (user.path(path), authorization(user));
    changing(move |title| {
        let body = format!(r#"{{"title":"{title}"}}"#);
        raw_request(method, &path, &[&token, "Content-Type: application/json"], &body)
    })
}

/// New titles, all of the same length.
pub(crate) fn titles() -> impl FnMut() -> String + Send {
    let mut number = 0_u64;
    move || {
        number += 1;
        format!("Task {number:08}")
    }
}

/// One request of each in turn. Each connection begins at another one.
fn in_turn(mut all: Vec<Requests>, number: usize) -> Requests {
    let mut next = number * 7;
    Box::new(move |buffer| {
        let index = next % all.len();
        next += 1;
        all[index](buffer);
    })
}
