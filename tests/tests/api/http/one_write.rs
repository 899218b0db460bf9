//! Each response is sent in one write, on a keep-alive connection.
//!
//! With two writes, the second part waits for the client's delayed acknowledgement of the first: 42 ms.
//! Only the real Spin shows the difference (`cargo test-spin`); `local` has no such delay, and its
//! responses never come in parts.

use serde_json::json;
use tests::{App, InstanceReuse, KeepAlive, User, raw_request};

use crate::{NO_TASK, path_of};

/// Requests of each kind, one after the other.
const REQUESTS: usize = 20;

/// A kind of response: its name, its status, and the requests for it.
struct Kind {
    name: &'static str,
    status: u16,
    requests: Vec<Vec<u8>>,
}

impl Kind {
    /// The same request each time.
    fn of(name: &'static str, status: u16, request: Vec<u8>) -> Self {
        Self { name, status, requests: vec![request; REQUESTS] }
    }
}

async fn every_kind_of_answer(alice: &User) -> Vec<Kind> {
    const JSON: &str = "Content-Type: application/json";
    const PREFLIGHT: [&str; 2] =
        ["Origin: https://app.example", "Access-Control-Request-Method: POST"];
    let token = alice.authorization();
    let task = path_of(&alice.task("Buy milk").await);
    let known = format!("If-None-Match: {}", alice.get(&task).await.header("etag"));
    let (task, tasks) = (alice.path(&task), alice.path("/tasks"));
    let absent = alice.path(&format!("/tasks/{NO_TASK}"));
    let good = json!({ "title": "Buy bread" }).to_string();
    let mut delete = Kind { name: "delete", status: 204, requests: Vec::new() };
    for _ in 0..REQUESTS {
        let doomed = alice.path(&path_of(&alice.task("doomed").await));
        delete.requests.push(raw_request("DELETE", &doomed, &[&token], ""));
    }
    vec![
        Kind::of("index", 200, raw_request("GET", "/", &[], "")),
        Kind::of("health", 200, raw_request("GET", "/health", &[], "")),
        Kind::of("health, HEAD", 200, raw_request("HEAD", "/health", &[], "")),
        Kind::of("health of the database", 200, raw_request("GET", "/health/db", &[], "")),
        Kind::of("get", 200, raw_request("GET", &task, &[&token], "")),
        Kind::of("get, HEAD", 200, raw_request("HEAD", &task, &[&token], "")),
        Kind::of("get, known", 304, raw_request("GET", &task, &[&token, &known], "")),
        Kind::of("list", 200, raw_request("GET", &tasks, &[&token], "")),
        Kind::of("create", 201, raw_request("POST", &tasks, &[&token, JSON], &good)),
        Kind::of("update", 200, raw_request("PATCH", &task, &[&token, JSON], &good)),
        delete,
        Kind::of("invalid", 400, raw_request("POST", &tasks, &[&token, JSON], "{}")),
        Kind::of("no token", 401, raw_request("GET", &task, &[], "")),
        Kind::of("bad token", 401, raw_request("GET", &task, &["Authorization: Bearer x"], "")),
        Kind::of("absent task", 404, raw_request("GET", &absent, &[&token], "")),
        Kind::of("unknown route", 404, raw_request("GET", "/nope", &[], "")),
        Kind::of("wrong method", 405, raw_request("DELETE", "/health", &[], "")),
        Kind::of("preflight", 204, raw_request("OPTIONS", &tasks, &PREFLIGHT, "")),
        Kind::of("page", 200, raw_request("GET", "/docs", &[], "")),
        Kind::of("OpenAPI document", 200, raw_request("GET", "/openapi.json", &[], "")),
    ]
}

/// Counts the responses that come in parts, rather than measuring time: a busy machine may take longer
/// than 42 ms for a whole response, but does not split it. A few are allowed, because head and body of
/// a response race, and the head wins now and then.
#[track_caller]
fn assert_whole(client: &mut KeepAlive, kind: &Kind) {
    let Kind { name, status, requests } = kind;
    let mut split = 0;
    for request in requests {
        let exchange = client.exchange(request).unwrap_or_else(|err| panic!("{name}: {err}"));
        assert_eq!(exchange.status, *status, "{name}");
        assert!(client.is_connected(), "{name}: the connection is not kept");
        split += usize::from(exchange.is_split);
    }
    assert!(split < REQUESTS / 2, "{name}: {split} of {REQUESTS} answers came in parts");
}

async fn assert_every_kind_is_whole(reuse: InstanceReuse) {
    let app = App::start_with(|options| options.reuse = reuse).await;
    let kinds = every_kind_of_answer(&app.user("alice").await).await;
    let mut client = KeepAlive::new(app.address());
    let exchanges = tokio::task::spawn_blocking(move || {
        for kind in &kinds {
            assert_whole(&mut client, kind);
        }
    });
    exchanges.await.expect("whole answers");
}

#[tokio::test]
async fn the_answers_of_an_instance_that_is_reused_leave_in_one_write() {
    assert_every_kind_is_whole(InstanceReuse::default()).await;
}

#[tokio::test]
async fn the_first_answer_of_an_instance_leaves_in_one_write() {
    assert_every_kind_is_whole(InstanceReuse { max_reuse: 1, ..InstanceReuse::default() }).await;
}
