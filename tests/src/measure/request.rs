//! The requests of the workloads, as bytes.

use super::load::Requests;
use super::options::Workload;
use super::services::{Services, Side};
use crate::{User, raw_request};

/// The header with a user's token.
pub(crate) fn authorization(user: &User) -> String {
    user.authorization()
}

/// The requests of one of a workload's connections to one of the two components.
pub(crate) fn of_workload(
    workload: Workload,
    side: Side,
    services: &Services,
    connection: usize,
) -> Requests {
    let (user, task) = (&services.user, services.tasks[connection]);
    match side {
        Side::Api => {
            let get = |user: &User, path: &str| {
                constant(raw_request("GET", &user.path(path), &[&authorization(user)], ""))
            };
            match workload {
                Workload::Nothing => constant(raw_request("GET", "/health", &[], "")),
                Workload::Get => get(user, &format!("/tasks/{task}")),
                Workload::List => get(&services.lister, "/tasks?limit=100"),
                Workload::Create => with_titles("POST", &services.creator, "/tasks"),
                Workload::Update => with_titles("PUT", user, &format!("/tasks/{task}")),
            }
        }
        Side::Floor => {
            let of = |user: &User| format!("user={}", user.id);
            match workload {
                Workload::Nothing => constant(raw_request("GET", "/floor/nothing", &[], "")),
                Workload::Get => {
                    let path = format!("/floor/get?id={task}&{}", of(user));
                    constant(raw_request("GET", &path, &[], ""))
                }
                Workload::List => {
                    let path = format!("/floor/list?{}", of(&services.lister));
                    constant(raw_request("GET", &path, &[], ""))
                }
                Workload::Create => {
                    let path = format!("/floor/create?{}", of(&services.creator));
                    changing(move |title| raw_request("POST", &path, &[], title))
                }
                Workload::Update => {
                    let path = format!("/floor/update?id={task}&{}", of(user));
                    changing(move |title| raw_request("PUT", &path, &[], title))
                }
            }
        }
    }
}

fn constant(request: Vec<u8>) -> Requests {
    Box::new(move |buffer| buffer.clone_from(&request))
}

/// Requests with a new title of the same length each time.
fn changing(request: impl Fn(&str) -> Vec<u8> + Send + 'static) -> Requests {
    let mut number = 0_u64;
    Box::new(move |buffer| {
        number += 1;
        *buffer = request(&format!("Task {number:08}"));
    })
}

fn with_titles(method: &'static str, user: &User, path: &str) -> Requests {
    let (path, token) = (user.path(path), authorization(user));
    changing(move |title| {
        let body = format!(r#"{{"title":"{title}"}}"#);
        raw_request(method, &path, &[&token, "Content-Type: application/json"], &body)
    })
}
