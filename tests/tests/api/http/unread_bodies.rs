//! Requests that are answered without their bodies. A client may be sending such a body when the response is there: it
//! must not lose the response for it, nor its connection.

use std::io;

use tests::{App, InstanceReuse, KeepAlive, chunked, raw_request};

use crate::{NO_TASK, path_of};

/// A request whose body the service does not need.
struct Case {
    label: &'static str,
    method: &'static str,
    path: String,
    headers: Vec<String>,
    status: u16,
}

const JSON: &str = "Content-Type: application/json";

async fn cases(app: &App) -> Vec<Case> {
    let alice = app.user("alice").await;
    let bob = app.user("bob").await;
    let token = || vec![alice.authorization(), JSON.to_owned()];
    let (tasks, task) = (alice.path("/tasks"), alice.path(&path_of(&alice.task("Buy milk").await)));
    let case = |label, method, path: &str, headers, status| Case {
        label,
        method,
        path: path.to_owned(),
        headers,
        status,
    };
    let with = |header: &str| [token(), vec![header.to_owned()]].concat();
    vec![
        case("no token", "POST", &tasks, vec![JSON.to_owned()], 401),
        case("no token, update", "PATCH", &task, vec![JSON.to_owned()], 401),
        case("another user's path", "PUT", &bob.path("/tasks/1"), token(), 404),
        case("bad id", "PUT", &alice.path("/tasks/x"), token(), 400),
        case("bad precondition", "PUT", &task, with("If-Match: x"), 400),
        case("text", "POST", &tasks, vec![alice.authorization()], 415),
        case("unknown route", "POST", "/nope", token(), 404),
        case("wrong method", "PUT", &tasks, token(), 405),
        case("page, wrong method", "POST", "/docs", vec![], 405),
        case(
            "absent task",
            "PATCH",
            &alice.path(&format!("/tasks/{NO_TASK}/complete")),
            token(),
            404,
        ),
        // Successful nonetheless.
        case("complete", "PATCH", &format!("{task}/complete"), token(), 200),
        case("list", "GET", &tasks, token(), 200),
        case("health", "GET", "/health", vec![], 200),
    ]
}

/// Sends the bodies when the responses are there, as a client does that had begun before.
fn send_bodies(client: &mut KeepAlive, cases: &[Case], bytes: usize) {
    let body = "x".repeat(bytes);
    let chunked = chunked(&body);
    for case in cases {
        send(client, case, &format!("Content-Length: {bytes}"), &body);
        // A successful response does not wait for the host to tell whether there is a body of an unknown length.
        if case.status >= 400 {
            send(client, case, "Transfer-Encoding: chunked", &chunked);
        }
    }
}

fn send(client: &mut KeepAlive, case: &Case, announcement: &str, body: &str) {
    let Case { label, method, path, headers, status } = case;
    let headers: Vec<&str> = headers.iter().map(String::as_str).chain([announcement]).collect();
    let head = raw_request(method, path, &headers, "");
    let exchange = |client: &mut KeepAlive| {
        let status = client.exchange(&head)?.status;
        let is_kept = client.is_connected();
        client.begin(body.as_bytes())?;
        let next = client.exchange(&raw_request("GET", "/health", &[], ""))?;
        io::Result::Ok((status, is_kept, next.status))
    };
    let label = format!("{label}, {announcement}");
    assert_eq!(some_attempt(&label, || exchange(client)), (*status, true, 200), "{label}");
}

/// The service waits for a fifth of a second only, and a busy machine may take longer now and then.
fn some_attempt<T>(label: &str, mut exchange: impl FnMut() -> io::Result<T>) -> T {
    let mut failures = Vec::new();
    for _ in 0..5 {
        match exchange() {
            Ok(seen) => return seen,
            Err(failure) => failures.push(failure),
        }
    }
    panic!("{label}: the response or the connection is lost: {failures:?}");
}

async fn assert_bodies_do_no_harm(reuse: InstanceReuse, bytes: usize) {
    let app = App::start_with(|options| options.reuse = reuse).await;
    let (cases, address) = (cases(&app).await, app.address());
    let client = move || send_bodies(&mut KeepAlive::new(address), &cases, bytes);
    tokio::task::spawn_blocking(client).await.expect("responses as expected");
}

#[tokio::test]
async fn a_body_that_is_not_needed_does_not_close_the_connection() {
    for bytes in [100, 300_000] {
        assert_bodies_do_no_harm(InstanceReuse::default(), bytes).await;
    }
}

#[tokio::test]
async fn a_body_that_is_not_needed_does_not_close_the_connection_of_a_single_use_instance() {
    let reuse = InstanceReuse { max_reuse: 1, ..InstanceReuse::default() };
    assert_bodies_do_no_harm(reuse, 300_000).await;
}

#[tokio::test]
async fn a_client_that_sends_a_body_over_the_limit_to_its_end_gets_the_response() {
    let app = App::start_with(|_| {}).await;
    let alice = app.user("alice").await;
    let (token, path, address) = (alice.authorization(), alice.path("/tasks"), app.address());
    let client = move || {
        let mut client = KeepAlive::new(address);
        let body = "x".repeat(700_000);
        let chunked = chunked(&body);
        let length = format!("Content-Length: {}", body.len());
        for (announcement, body) in
            [(length.as_str(), &body), ("Transfer-Encoding: chunked", &chunked)]
        {
            let head = raw_request("POST", &path, &[&token, JSON, announcement], "");
            let exchange = || {
                client.begin(&head)?;
                // All of it, before the response is read.
                client.begin(body.as_bytes())?;
                let status = client.exchange(b"")?.status;
                io::Result::Ok((status, client.is_connected()))
            };
            assert_eq!(some_attempt(announcement, exchange), (413, true), "{announcement}");
        }
    };
    tokio::task::spawn_blocking(client).await.expect("responses as expected");
}

#[tokio::test]
async fn where_a_client_waits_to_be_asked_for_its_body_the_connection_ends() {
    let app = App::start_with(|_| {}).await;
    let alice = app.user("alice").await;
    let headers = [JSON, "Content-Length: 100", "Expect: 100-continue"];
    // Reads until the service hangs up: what comes next could be taken for the body.
    let response = app.send_raw(raw_request("POST", &alice.path("/tasks"), &headers, "")).await;
    assert_eq!(response.status(), Some(401), "{response:?}");
    assert_eq!(response.header("connection"), Some("close"), "{response:?}");
}
