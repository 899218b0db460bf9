//! Bodies that never end and responses that are never read: such clients run into time limits, and other
//! clients are not affected.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::future::{join, join_all};
use futures::{StreamExt, stream};
use reqwest::Method;
use tests::{App, Component, InstanceReuse, RawResponse, User, raw_request, until};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use crate::path_of;

/// The beginning of a valid body.
const BEGINNING: &str = "{\"title\": ";

/// Time limit of all good requests while other clients misuse the service.
const LIMIT: Duration = Duration::from_mins(2);

const UNFINISHED_BODIES: usize = 250;
const CLIENTS_THAT_DO_NOT_READ: usize = 60;
const CLIENTS_OF_THE_POOL: usize = 300;

/// HTTP/2 connections that many of them share, each with fewer streams than a server allows.
const SHARED_CONNECTIONS: usize = 5;

async fn app_that_waits(millis: u32) -> App {
    App::start_with(|options| {
        options.set("request_timeout_ms", &millis.to_string());
    })
    .await
}

/// A request with an announced body that stops after its beginning.
fn unfinished(method: &str, path: &str, headers: &[&str]) -> Vec<u8> {
    let headers = [headers, &["Content-Length: 1000"]].concat();
    let mut bytes = raw_request(method, path, &headers, "");
    bytes.extend_from_slice(BEGINNING.as_bytes());
    bytes
}

/// A valid request without the end of its body.
fn unfinished_create(user: &User) -> Vec<u8> {
    let headers = [&user.authorization(), "Content-Type: application/json"];
    unfinished("POST", &user.path("/tasks"), &headers)
}

#[track_caller]
fn assert_too_slow(label: &str, response: &RawResponse) {
    assert_eq!(response.status(), Some(408), "{label}: {response:?}");
    response.to_response().problem(408).kind("body-too-slow");
}

#[tokio::test]
async fn a_body_that_does_not_end_is_a_408_and_the_end_of_its_connection() {
    let app = app_that_waits(1_000).await;
    let alice = app.user("alice").await;
    let task = alice.path(&path_of(&alice.task("Buy milk").await));
    let headers = [&alice.authorization(), "Content-Type: application/json"];
    let chunked = {
        let headers = [&headers[..], &["Transfer-Encoding: chunked"]].concat();
        let mut bytes = raw_request("POST", &alice.path("/tasks"), &headers, "");
        bytes.extend_from_slice(b"a\r\n{\"title\": \r\n");
        bytes
    };
    for (label, bytes) in [
        ("create", unfinished_create(&alice)),
        ("create, in chunks", chunked),
        ("update", unfinished("PATCH", &task, &headers)),
        ("replace", unfinished("PUT", &task, &headers)),
    ] {
        // Reads until the service hangs up.
        let response = app.send_raw(bytes).await;
        assert_too_slow(label, &response);
    }
    let tasks = alice.tasks().await;
    assert_eq!(tasks.len(), 1, "{tasks:?}");
}

#[tokio::test]
async fn over_http2_a_body_that_does_not_end_is_a_408_and_its_connection_goes_on() {
    let app = app_that_waits(1_000).await;
    let alice = app.user("alice").await;
    let shared = app.over_http2();
    let body = || stream::iter([BEGINNING]).chain(stream::pending());
    let requests = (0..10).map(|_| {
        let request = shared.request(Method::POST, &alice.path("/tasks")).token(&alice.token);
        request.json_pieces(body()).into_future()
    });
    for response in join_all(requests).await {
        response.problem(408).kind("body-too-slow");
    }
    shared.get(&alice.path("/tasks")).token(&alice.token).await.good(200);
}

#[tokio::test]
async fn a_slow_body_that_is_complete_in_time_counts() {
    let app = app_that_waits(60_000).await;
    let alice = app.user("alice").await;
    for app in [app.clone(), app.over_http2()] {
        // Slow on purpose: each piece is sent before the next one exists.
        let pieces = stream::iter([BEGINNING, "\"Buy ", "milk\"", "}"]).then(async |piece| {
            sleep(Duration::from_millis(300)).await;
            piece
        });
        let request = app.request(Method::POST, &alice.path("/tasks")).token(&alice.token);
        assert_eq!(request.json_pieces(pieces).await.good(201)["title"], "Buy milk");
    }
}

/// The time limit is so long that only the head can have caused the response.
#[tokio::test]
async fn a_request_that_is_refused_for_its_head_is_answered_before_its_body_is_there() {
    let app = app_that_waits(60_000).await;
    let (alice, bob) = (app.user("alice").await, app.user("bob").await);
    let (token, json) = (alice.authorization(), "Content-Type: application/json");
    let tasks = alice.path("/tasks");
    let task = alice.path(&path_of(&alice.task("Buy milk").await));
    let (bad_id, his) = (alice.path("/tasks/x"), bob.path("/tasks"));
    for (label, method, path, headers, status) in [
        ("no token", "POST", &tasks, &[json][..], 401),
        ("no token", "PATCH", &task, &[json], 401),
        ("bad token", "POST", &tasks, &["Authorization: Bearer x", json], 401),
        ("another user's path", "POST", &his, &[&token, json], 404),
        ("bad id", "PUT", &bad_id, &[&token, json], 400),
        ("text", "POST", &tasks, &[&token, "Content-Type: text/plain"], 415),
        ("no media type", "PATCH", &task, &[&token], 415),
        ("wrong method", "DELETE", &tasks, &[&token, json], 405),
        ("unknown route", "POST", &"/nope".to_owned(), &[&token, json], 404),
    ] {
        let response = app.send_raw(unfinished(method, path, headers)).await;
        assert_eq!(response.status(), Some(status), "{label}: {response:?}");
        response.to_response().problem(status);
    }
}

/// Requests 1 MiB and reads nothing of it while the connection is kept.
async fn ask_and_do_not_read(app: &App, lister: &User) -> TcpStream {
    let mut stream = TcpStream::connect(app.address()).await.expect("connect to the service");
    let list =
        raw_request("GET", &lister.path("/tasks?limit=1000"), &[&lister.authorization()], "");
    stream.write_all(&list).await.expect("ask for the list");
    stream
}

/// Requests 1 MiB and hangs up after so many bytes of it.
async fn ask_and_hang_up(app: &App, lister: &User, bytes: usize) {
    let mut stream = ask_and_do_not_read(app, lister).await;
    let mut part = vec![0; bytes];
    stream.read_exact(&mut part).await.expect("read a part of the list");
}

/// Sends bodies that do not end, one after the other, until cancelled.
async fn leave_bodies_open(app: App, user: User, given_up: Arc<AtomicUsize>) {
    loop {
        assert_too_slow("beside others", &app.send_raw(unfinished_create(&user)).await);
        given_up.fetch_add(1, Ordering::Relaxed);
    }
}

async fn leave_bodies_open_over_http2(app: App, user: User, given_up: Arc<AtomicUsize>) {
    loop {
        let request = app.request(Method::POST, &user.path("/tasks")).token(&user.token);
        let body = stream::iter([BEGINNING]).chain(stream::pending());
        request.json_pieces(body).await.problem(408);
        given_up.fetch_add(1, Ordering::Relaxed);
    }
}

/// The same without a token, which is answered at once.
async fn leave_bodies_open_without_a_token(app: App, user: User) {
    loop {
        let headers = ["Content-Type: application/json"];
        let request = unfinished("POST", &user.path("/tasks"), &headers);
        assert_eq!(app.send_raw(request).await.status(), Some(401));
    }
}

async fn ask_for_the_pool(app: App) {
    for _ in 0..5 {
        app.get("/health/pool").await.good(200);
    }
}

async fn use_the_service(user: &User) {
    for _ in 0..20 {
        let task = user.task("Buy milk").await;
        assert_eq!(user.get(&path_of(&task)).await.good(200), task);
        assert_eq!(user.tasks().await[0], task);
    }
}

#[tokio::test]
async fn clients_that_hang_up_in_a_large_response_do_not_stop_others() {
    let app = App::start_with(|_| {}).await;
    let (alice, lister) = (app.user("alice").await, app.user("lister").await);
    add_long_tasks(&app, &lister).await;
    let hang_up = async {
        for _ in 0..10 {
            let parts = [0, 1, 10_000, 70_000, 140_000, 200_000, 500_000];
            join_all(parts.map(|bytes| ask_and_hang_up(&app, &lister, bytes))).await;
        }
    };
    timeout(LIMIT, join(hang_up, use_the_service(&alice))).await.expect("answers in time");
    let log = app.log();
    for sign in ["ended with all", "wasm backtrace"] {
        assert!(!log.contains(sign), "{log}");
    }
}

/// Transactions of the service's database so far.
async fn transactions(client: &tokio_postgres::Client) -> i64 {
    let query = "select xact_commit from pg_stat_database where datname = current_database()";
    client.query_one(query, &[]).await.expect("count transactions").get(0)
}

#[tokio::test]
async fn clients_that_neither_finish_nor_read_do_not_stop_others() {
    let app = app_beside_misuse(InstanceReuse::default()).await;
    let client = app.client().await;
    let before = transactions(&client).await;
    assert_misuse_does_not_stop_others(&app).await;
    // A statement is three of them. Each of the requests for `/health/pool` would have one if none were shared, as
    // where no host reuses an instance.
    let count = transactions(&client).await - before;
    let is_reused = Component::under_test() == Component::Wasip3;
    assert!(count < 3_000 || !is_reused, "{count} transactions");
}

#[tokio::test]
async fn clients_that_neither_finish_nor_read_do_not_stop_others_on_single_use_instances() {
    let reuse = InstanceReuse { max_reuse: 1, ..InstanceReuse::default() };
    assert_misuse_does_not_stop_others(&app_beside_misuse(reuse).await).await;
}

/// Their instances wait for their bodies for a moment, after the responses.
#[tokio::test]
async fn clients_without_a_token_that_do_not_finish_do_not_stop_others() {
    for max_reuse in [1, InstanceReuse::default().max_reuse] {
        let reuse = InstanceReuse { max_reuse, ..InstanceReuse::default() };
        let app = App::start_with(|options| options.reuse = reuse).await;
        let (alice, stranger) = (app.user("alice").await, app.unregistered_user("stranger"));
        let mut misuse = tokio::task::JoinSet::new();
        for _ in 0..UNFINISHED_BODIES {
            misuse.spawn(leave_bodies_open_without_a_token(app.clone(), stranger.clone()));
        }
        timeout(LIMIT, use_the_service(&alice)).await.expect("answers in time");
        if let Some(Err(failure)) = misuse.try_join_next() {
            panic!("{failure}");
        }
    }
}

async fn app_beside_misuse(reuse: InstanceReuse) -> App {
    App::start_with(|options| {
        options.set("request_timeout_ms", "2000").reuse = reuse;
    })
    .await
}

async fn assert_misuse_does_not_stop_others(app: &App) {
    let (alice, mallory, lister) =
        (app.user("alice").await, app.user("mallory").await, app.user("lister").await);
    add_long_tasks(app, &lister).await;
    let shared: Vec<App> = (0..SHARED_CONNECTIONS).map(|_| app.over_http2()).collect();

    let given_up = Arc::new(AtomicUsize::new(0));
    // Half of them on separate connections.
    let mut misuse = tokio::task::JoinSet::new();
    for i in 0..UNFINISHED_BODIES / 2 {
        misuse.spawn(leave_bodies_open(app.clone(), mallory.clone(), Arc::clone(&given_up)));
        let shared = shared[i % SHARED_CONNECTIONS].clone();
        let mallory = mallory.clone();
        misuse.spawn(leave_bodies_open_over_http2(shared, mallory, Arc::clone(&given_up)));
    }
    let not_read =
        join_all((0..CLIENTS_THAT_DO_NOT_READ).map(|_| ask_and_do_not_read(app, &lister))).await;
    let gateways: Vec<App> = (0..SHARED_CONNECTIONS).map(|_| app.over_http2()).collect();
    let pool = join_all(
        (0..CLIENTS_OF_THE_POOL)
            .map(|i| ask_for_the_pool(gateways[i % SHARED_CONNECTIONS].clone())),
    );
    let everybody = join(pool, use_the_service(&alice));

    timeout(LIMIT, everybody).await.expect("answers in time");
    // As many as there are at once, so that none stays.
    until("all bodies are given up", async || {
        (given_up.load(Ordering::Relaxed) >= UNFINISHED_BODIES).then_some(())
    })
    .await;
    drop(not_read);
    if let Some(Err(failure)) = misuse.try_join_next() {
        panic!("{failure}");
    }
}

/// Adds tasks for a page of 1 MiB; without a limit it would have 30.
async fn add_long_tasks(app: &App, user: &User) {
    let statement = "
        insert into tasks (user_id, title, description)
        select $1, 'long', repeat(E'\\x01', 5000) from generate_series(1, 1000)";
    app.client().await.execute(statement, &[&user.id]).await.expect("add tasks");
    let page = user.get("/tasks?limit=1000").await;
    page.good(200);
    assert!((900_000..1_100_000).contains(&page.body.len()), "{} bytes", page.body.len());
}
