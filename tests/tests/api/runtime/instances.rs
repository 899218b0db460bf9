//! Hosts at the limits of instances and time: every host behaves like Spin.

use std::time::Duration;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use reqwest::Method;
use tests::{App, Difference, InstanceReuse, Request, Response, until};
use tokio_postgres::Client;

/// The maximum number of instances in a Spin process.
const INSTANCES: usize = 1_000;

/// Requests beyond that.
const TOO_MANY: usize = 10;

/// HTTP/2 connections that share them, each with fewer streams than a server allows.
const CONNECTIONS: usize = 8;

/// Locks the tasks: requests for them wait in an instance until the gate opens.
async fn close_gate(app: &App) -> Client {
    let gate = app.client().await;
    gate.batch_execute("begin; lock table tasks in access exclusive mode")
        .await
        .expect("close the gate");
    gate
}

async fn open_gate(gate: &Client) {
    gate.batch_execute("commit").await.expect("open the gate");
}

/// Asserts the host's own 500, without a body.
#[track_caller]
fn assert_bare_500(response: &Response) {
    response.empty(500);
    assert!(!response.has_header("content-type"), "{response:#}");
    assert!(!response.has_header("x-request-id"), "{response:#}");
}

/// Repeats the request until it succeeds.
async fn until_good(path: &str, request: impl Fn() -> Request) {
    until(&format!("GET {path}"), async || (request().await.status == 200).then_some(())).await;
}

#[tokio::test]
async fn a_request_that_finds_no_instance_is_a_bare_500() {
    let app = App::start_with(|options| {
        options.reuse = InstanceReuse { max_concurrent: 1, ..InstanceReuse::default() };
    })
    .await;
    let alice = app.user("alice").await;
    let gate = close_gate(&app).await;
    let gateways: Vec<_> = (0..CONNECTIONS).map(|_| app.over_http2()).collect();
    let wait_at_the_gate = |i: usize| {
        let gateway = &gateways[i % CONNECTIONS];
        gateway.unregistered_user_with_id(&alice.id).get("/tasks").into_future()
    };
    let mut responses: FuturesUnordered<_> =
        (0..INSTANCES + TOO_MANY).map(wait_at_the_gate).collect();

    // Only these are answered at first: all others wait in instances.
    for _ in 0..TOO_MANY {
        assert_bare_500(&responses.next().await.expect("a response"));
    }
    // So is every route of every component, but not the host's own.
    let mut later = Vec::new();
    for path in ["/health", "/", "/docs", "/openapi.json"] {
        let mut response = app.get(path).await;
        // Spin may just have aborted one that needs another stack. Others take its place.
        while response.status == 200 && later.len() < TOO_MANY {
            later.push(tokio::spawn(wait_at_the_gate(later.len())));
            response = app.get(path).await;
        }
        assert_bare_500(&response);
    }
    app.get("/.well-known/spin/health").await.header("content-length");
    let reason = if Difference::OneRequestPerInstance.applies() {
        "maximum concurrent limit of 1000 for component instances"
    } else {
        "instantiation error"
    };
    assert!(app.log().contains(reason), "{}", app.log());

    open_gate(&gate).await;
    let mut good = 0;
    while let Some(response) = responses.next().await {
        match response.status {
            200 => good += 1,
            // Spin aborts some that need another stack at this very moment.
            _ => assert_bare_500(&response),
        }
    }
    for response in later {
        let response = response.await.expect("a response");
        match response.status {
            200 => good += 1,
            _ => assert_bare_500(&response),
        }
    }
    let least = if app.instances().is_some() { INSTANCES } else { INSTANCES / 2 };
    assert!(good >= least, "only {good} requests had an instance");
    // Idle instances of one component leave no room for another's until they end.
    for path in ["/health", "/docs"] {
        until_good(path, || app.request(Method::GET, path)).await;
    }
}

#[tokio::test]
async fn a_request_without_a_response_in_time_is_a_bare_500() {
    let app = App::start_with(|options| {
        options.reuse.request_timeout = Some(Duration::from_secs(1));
    })
    .await;
    let alice = app.user("alice").await;
    let gate = close_gate(&app).await;
    let response = alice.get("/tasks").await;
    if Difference::NoDatabaseDeadline.applies() {
        // The host does not end a call to PostgreSQL, either: the server does.
        response.problem(504);
    } else {
        assert_bare_500(&response);
    }
    open_gate(&gate).await;
    until_good("/tasks", || alice.get("/tasks")).await;
}
