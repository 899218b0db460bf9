//! The mixture of requests of one connection.

use rand::RngExt;
use rand::rngs::ThreadRng;
use serde_json::Value;

use crate::{User, raw_request};

/// Tasks that a connection keeps; beyond, it deletes where it would create, so that the database stays as large.
const KEPT: usize = 60;

const JSON: &str = "Content-Type: application/json";

/// A task that a connection has created.
#[derive(Clone, Copy)]
struct Task {
    id: i64,
    /// The place of its user among the users.
    user: usize,
}

/// A request and the status that it must get.
pub(crate) struct Planned {
    pub(crate) bytes: Vec<u8>,
    pub(crate) status: u16,
    effect: Effect,
}

/// The meaning of a success for the connection's tasks.
enum Effect {
    None,
    Creates { user: usize },
    Deletes { place: usize },
}

/// The requests of one connection, one after the other. No other connection changes its tasks.
pub(crate) struct Mixture {
    users: Vec<User>,
    tasks: Vec<Task>,
    /// The last creation with a key, to be sent again, and its user.
    keyed: Option<Vec<u8>>,
    random: ThreadRng,
}

impl Mixture {
    pub(crate) fn new(users: Vec<User>) -> Self {
        Self { users, tasks: Vec::new(), keyed: None, random: rand::rng() }
    }

    /// The next request.
    pub(crate) fn next(&mut self) -> Planned {
        let user = self.random.random_range(0..self.users.len());
        if self.tasks.is_empty() {
            return self.create(user);
        }
        let place = self.random.random_range(0..self.tasks.len());
        match self.random.random_range(0..100) {
            0..30 => self.about(place, "GET", "", "", 200),
            30..48 => self.of_user(user, "GET", "/tasks?limit=20", "", 200),
            48..54 => {
                self.of_user(user, "GET", "/tasks?status=complete&sort=priority&limit=20", "", 200)
            }
            54..72 if self.tasks.len() < KEPT => self.create(user),
            54..74 => self.delete(place),
            74..84 => self.about(place, "PUT", "", r#"{"title":"Changed","priority":"high"}"#, 200),
            84..88 => self.about(place, "PATCH", "/complete", "", 200),
            88..90 => self.about(place, "PATCH", "/incomplete", "", 200),
            90..92 => self.replay(user),
            92..94 => self.of_user(user, "GET", "/tasks/2147483647", "", 404),
            94..96 => self.of_user(user, "POST", "/tasks", r#"{"title":" "}"#, 400),
            96..98 => planned(raw_request("GET", &self.users[user].path("/tasks"), &[], ""), 401),
            _ => planned(raw_request("GET", "/health/db", &[], ""), 200),
        }
    }

    /// Takes over what a response with the planned status has done.
    pub(crate) fn done(&mut self, planned: &Planned, body: &[u8]) {
        match planned.effect {
            Effect::None => {}
            Effect::Creates { user } => {
                let id =
                    serde_json::from_slice::<Value>(body).ok().and_then(|task| task["id"].as_i64());
                self.tasks.extend(id.map(|id| Task { id, user }));
            }
            Effect::Deletes { place } => drop(self.tasks.swap_remove(place)),
        }
    }

    fn create(&mut self, user: usize) -> Planned {
        let body = format!(r#"{{"title":"Task","description":"{}"}}"#, "x".repeat(200));
        let key = format!("Idempotency-Key: {:032x}", self.random.random::<u128>());
        let has_key = self.random.random_range(0..4) == 0;
        let owner = &self.users[user];
        let token = owner.authorization();
        let headers: &[&str] = if has_key { &[&token, JSON, &key] } else { &[&token, JSON] };
        let bytes = raw_request("POST", &owner.path("/tasks"), headers, &body);
        if has_key {
            self.keyed = Some(bytes.clone());
        }
        Planned { bytes, status: 201, effect: Effect::Creates { user } }
    }

    /// The last creation with a key again: the same answer, and no second task.
    fn replay(&mut self, user: usize) -> Planned {
        match &self.keyed {
            Some(bytes) => planned(bytes.clone(), 201),
            None => self.create(user),
        }
    }

    fn delete(&self, place: usize) -> Planned {
        Planned { effect: Effect::Deletes { place }, ..self.about(place, "DELETE", "", "", 204) }
    }

    fn about(&self, place: usize, method: &str, rest: &str, body: &str, status: u16) -> Planned {
        let task = self.tasks[place];
        self.of_user(task.user, method, &format!("/tasks/{}{rest}", task.id), body, status)
    }

    fn of_user(&self, user: usize, method: &str, rest: &str, body: &str, status: u16) -> Planned {
        let user = &self.users[user];
        planned(raw_request(method, &user.path(rest), &[&user.authorization(), JSON], body), status)
    }
}

fn planned(bytes: Vec<u8>, status: u16) -> Planned {
    Planned { bytes, status, effect: Effect::None }
}
