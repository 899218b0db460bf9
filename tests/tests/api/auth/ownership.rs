//! Another user, or another user's task, is indistinguishable from a missing one: on every route, with
//! every method, and whatever else is wrong with the request.

use std::io::ErrorKind;
use std::net::TcpListener;

use futures::future::join;
use neon_url::DatabaseUrl;
use reqwest::Method;
use serde_json::{Value, json};
use tests::{App, Request, Response, TestDatabase, User, until};
use tokio_postgres::Client;

use crate::{NO_TASK, path_of};

const JSON: &str = "application/json";

/// A request to one user's path.
struct Row<'a> {
    label: &'static str,
    method: &'static str,
    /// The path after `/api/{user_id}`; `{id}` is the task's.
    rest: &'static str,
    /// Media type and bytes.
    body: Option<(&'static str, &'a str)>,
    /// The status that the path's own user gets for a task of her own.
    own: u16,
}

impl Row<'_> {
    /// The request of `user` to `owner`'s path, about `task`, with a fixed request id, so that whole
    /// responses can be compared.
    fn request(&self, user: &User, owner: &User, task: &Value) -> Request {
        self.with_body(user.request(self.method(), &self.path(owner, task)))
    }

    /// The same request without a token.
    fn request_without_token(&self, owner: &User, task: &Value) -> Request {
        self.with_body(owner.app().request(self.method(), &self.path(owner, task)))
    }

    fn method(&self) -> Method {
        Method::from_bytes(self.method.as_bytes()).expect("a method")
    }

    fn path(&self, owner: &User, task: &Value) -> String {
        owner.path(&self.rest.replace("{id}", &task["id"].to_string()))
    }

    fn with_body(&self, request: Request) -> Request {
        let request = request.header("X-Request-Id", "the-same");
        match self.body {
            Some((content_type, bytes)) => request.body(content_type, bytes),
            None => request,
        }
    }

    /// The response to the path's own user for a task that never existed; to HEAD where the row uses it.
    async fn absent(&self, alice: &User) -> Response {
        let method = if self.method == "HEAD" { Method::HEAD } else { Method::GET };
        let path = alice.path(&format!("/tasks/{NO_TASK}"));
        alice.request(method, &path).header("X-Request-Id", "the-same").await
    }
}

/// Every route with each of its methods: valid requests, and requests with every other fault. `large`
/// is a body over the limit.
fn rows(large: &str) -> Vec<Row<'_>> {
    let row = |label, method, rest, body, own| Row { label, method, rest, body, own };
    let title = Some((JSON, r#"{"title": "stolen"}"#));
    let status = Some((JSON, r#"{"status": "complete"}"#));
    let malformed = Some((JSON, "{"));
    let blank = Some((JSON, r#"{"title": " "}"#));
    let not_text = Some((JSON, r#"{"title": "x\u0000", "description": 7, "status": null}"#));
    let nothing = Some((JSON, "{}"));
    let plain = Some(("text/plain", "stolen"));
    let large = Some((JSON, large));
    vec![
        row("list", "GET", "/tasks", None, 200),
        row("list by HEAD", "HEAD", "/tasks", None, 200),
        row("list of one status", "GET", "/tasks?status=complete", None, 200),
        row("list by priority", "GET", "/tasks?sort=priority", None, 200),
        row("list of no sort", "GET", "/tasks?sort=stolen", None, 400),
        row("list of no status", "GET", "/tasks?status=stolen", None, 400),
        row("list of no status by HEAD", "HEAD", "/tasks?status=stolen", None, 400),
        row("create", "POST", "/tasks", title, 201),
        row("create, malformed", "POST", "/tasks", malformed, 400),
        row("create, blank title", "POST", "/tasks", blank, 400),
        row("create, not text", "POST", "/tasks", not_text, 400),
        row("create, nothing", "POST", "/tasks", nothing, 400),
        row("create, no body", "POST", "/tasks", None, 415),
        row("create, not JSON", "POST", "/tasks", plain, 415),
        row("create, too large", "POST", "/tasks", large, 413),
        row("get", "GET", "/tasks/{id}", None, 200),
        row("get by HEAD", "HEAD", "/tasks/{id}", None, 200),
        row("get id 0", "GET", "/tasks/0", None, 400),
        row("get by HEAD id 0", "HEAD", "/tasks/0", None, 400),
        row("get id a word", "GET", "/tasks/stolen", None, 400),
        row("get id too large", "GET", "/tasks/2147483648", None, 400),
        row("get id not UTF-8", "GET", "/tasks/%FF", None, 400),
        row("put", "PUT", "/tasks/{id}", title, 200),
        row("put, malformed", "PUT", "/tasks/{id}", malformed, 400),
        row("put, blank title", "PUT", "/tasks/{id}", blank, 400),
        row("put, not text", "PUT", "/tasks/{id}", not_text, 400),
        row("put, nothing", "PUT", "/tasks/{id}", nothing, 400),
        row("put, no body", "PUT", "/tasks/{id}", None, 415),
        row("put, not JSON", "PUT", "/tasks/{id}", plain, 415),
        row("put, too large", "PUT", "/tasks/{id}", large, 413),
        row("put id a word", "PUT", "/tasks/stolen", title, 400),
        row("put id a word, malformed", "PUT", "/tasks/stolen", malformed, 400),
        row("patch", "PATCH", "/tasks/{id}", title, 200),
        row("patch, malformed", "PATCH", "/tasks/{id}", malformed, 400),
        row("patch, blank title", "PATCH", "/tasks/{id}", blank, 400),
        row("patch, not text", "PATCH", "/tasks/{id}", not_text, 400),
        row("patch, nothing", "PATCH", "/tasks/{id}", nothing, 400),
        row("patch, no body", "PATCH", "/tasks/{id}", None, 415),
        row("patch, not JSON", "PATCH", "/tasks/{id}", plain, 415),
        row("patch, too large", "PATCH", "/tasks/{id}", large, 413),
        row("patch id a word", "PATCH", "/tasks/stolen", title, 400),
        row("complete", "PATCH", "/tasks/{id}/complete", None, 200),
        row("complete, malformed", "PATCH", "/tasks/{id}/complete", malformed, 200),
        row("complete, not JSON", "PATCH", "/tasks/{id}/complete", plain, 200),
        row("complete id a word", "PATCH", "/tasks/stolen/complete", None, 400),
        row("reopen", "PATCH", "/tasks/{id}/incomplete", None, 200),
        row("reopen, malformed", "PATCH", "/tasks/{id}/incomplete", malformed, 200),
        row("reopen id a word", "PATCH", "/tasks/stolen/incomplete", None, 400),
        row("set status", "PATCH", "/tasks/{id}/status", status, 200),
        row("set status, malformed", "PATCH", "/tasks/{id}/status", malformed, 400),
        row("set status, nothing", "PATCH", "/tasks/{id}/status", nothing, 400),
        row("set status, no body", "PATCH", "/tasks/{id}/status", None, 415),
        row("set status, not JSON", "PATCH", "/tasks/{id}/status", plain, 415),
        row("set status, too large", "PATCH", "/tasks/{id}/status", large, 413),
        row("set status, id a word", "PATCH", "/tasks/stolen/status", status, 400),
        row("delete", "DELETE", "/tasks/{id}", None, 204),
        row("delete, malformed", "DELETE", "/tasks/{id}", malformed, 204),
        row("delete id a word", "DELETE", "/tasks/stolen", None, 400),
    ]
}

/// Every route with each method that it does not have, and with an unknown one.
fn rows_of_wrong_methods() -> Vec<Row<'static>> {
    let routes = [
        ("/tasks", &["PUT", "PATCH", "DELETE", "OPTIONS", "STEAL"][..]),
        ("/tasks/{id}", &["POST", "OPTIONS", "STEAL"]),
        ("/tasks/{id}/complete", &["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "STEAL"]),
        ("/tasks/{id}/incomplete", &["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "STEAL"]),
        ("/tasks/{id}/status", &["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "STEAL"]),
    ];
    // The methods of a route are no secret: they are the same for every user.
    let own = |method| if method == "OPTIONS" { 204 } else { 405 };
    let row = |rest, method| Row { label: method, method, rest, body: None, own: own(method) };
    routes
        .into_iter()
        .flat_map(|(rest, methods)| methods.iter().map(move |method| row(rest, *method)))
        .collect()
}

/// All headers except those that differ between any two responses, and `connection`: the host closes
/// a connection on which the rest of a large body is still to come.
fn stable_headers(response: &Response) -> Vec<(String, Vec<u8>)> {
    let passing = ["server-timing", "date", "connection"];
    let mut headers: Vec<_> = response
        .headers
        .iter()
        .filter(|(name, _)| !passing.contains(&name.as_str()))
        .map(|(name, value)| (name.to_string(), value.as_bytes().to_vec()))
        .collect();
    headers.sort();
    headers
}

/// Asserts that status, headers and body are the same, byte for byte.
#[track_caller]
fn assert_same(label: &str, response: &Response, expected: &Response) {
    assert_eq!(
        response.status, expected.status,
        "{label}: {response:#}\nrather than\n{expected:#}"
    );
    assert_eq!(stable_headers(response), stable_headers(expected), "{label}");
    assert_eq!(response.text(), expected.text(), "{label}");
}

#[track_caller]
fn assert_without_the_database(label: &str, response: &Response) {
    let timing = response.header("server-timing");
    assert!(timing.starts_with("db;dur=0.000, "), "{label}: {timing}");
}

/// The users and their tasks in the database: every column, and the row's version, which changes even
/// with an update to the same values.
async fn stored(client: &Client, users: &[&User]) -> Vec<String> {
    let ids: Vec<&str> = users.iter().map(|user| user.id.as_str()).collect();
    let statement = "
        select concat_ws(' ', 'user', u.xmin, u.ctid, u) from users u where id = any($1)
        union all
        select concat_ws(' ', 'task', t.xmin, t.ctid, t) from tasks t where user_id = any($1)
        order by 1";
    let rows = client.query(statement, &[&ids]).await.expect("query");
    rows.iter().map(|row| row.get(0)).collect()
}

/// Requests of `alice` to `bob`'s path and to a path without a user, about his task, hers and a missing
/// one: a label and the request.
fn foreign_requests(
    row: &Row<'_>,
    alice: &User,
    bob: &User,
    his: &Value,
    hers: &Value,
) -> Vec<(String, Request)> {
    let nobody = alice.app().unregistered_user("nobody");
    let none = json!({ "id": NO_TASK });
    let places =
        [("his", bob, his), ("hers", bob, hers), ("none", bob, &none), ("nobody's", &nobody, his)];
    places
        .into_iter()
        .map(|(place, owner, task)| {
            (format!("{}, {place}", row.label), row.request(alice, owner, task))
        })
        .collect()
}

/// Asserts that `alice` learns nothing about `bob`, and changes nothing of his, with any request.
async fn assert_learns_nothing(alice: &User, bob: &User) {
    let client = alice.app().client().await;
    let his = bob.task("his").await;
    bob.patch(&format!("{}/complete", path_of(&bob.task("done").await))).await.good(200);
    let nobody = alice.app().unregistered_user("nobody");
    let before = stored(&client, &[bob, &nobody]).await;
    let large = " ".repeat(200_000);

    for row in rows(&large) {
        let label = row.label;
        let hers = alice.task("hers").await;
        let absent = row.absent(alice).await;
        assert_eq!(absent.status, 404, "{label}: {absent}");
        for (label, request) in foreign_requests(&row, alice, bob, &his, &hers) {
            let response = request.await;
            assert_same(&label, &response, &absent);
            assert_without_the_database(&label, &response);
        }
        let (his_path, nobodys) = (
            row.request_without_token(bob, &his).await,
            row.request_without_token(&nobody, &his).await,
        );
        assert_eq!(his_path.status, 401, "{label}: {his_path}");
        assert_same(label, &his_path, &nobodys);
        assert_without_the_database(label, &his_path);

        // None of these requests has changed her task; and the request itself is as the row describes it.
        assert_eq!(alice.get(&path_of(&hers)).await.good(200), hers, "{label}");
        let own = row.request(alice, alice, &hers).await;
        assert_eq!(own.status, row.own, "{label}: {own}");
    }
    assert_eq!(stored(&client, &[bob, &nobody]).await, before);
}

#[tokio::test]
async fn another_users_path_looks_like_a_missing_task() {
    let app = App::start().await;
    let (alice, bob) = (app.user("alice").await, app.user("bob").await);
    assert_learns_nothing(&alice, &bob).await;
    assert_learns_nothing(&bob, &alice).await;
}

#[tokio::test]
async fn another_users_task_in_ones_own_path_looks_like_a_missing_one() {
    let app = App::start().await;
    let (alice, bob) = (app.user("alice").await, app.user("bob").await);
    let client = app.client().await;
    let (his, none) = (bob.task("his").await, json!({ "id": NO_TASK }));
    let before = stored(&client, &[&bob]).await;
    let large = " ".repeat(200_000);
    for row in rows(&large).iter().filter(|row| row.rest.contains("{id}")) {
        let foreign = row.request(&alice, &alice, &his).await;
        let absent = row.request(&alice, &alice, &none).await;
        assert_same(row.label, &foreign, &absent);
        assert!([400, 404, 413, 415].contains(&foreign.status), "{}: {foreign}", row.label);
    }
    assert_eq!(stored(&client, &[&bob]).await, before);
    assert_eq!(alice.tasks().await, [] as [Value; 0]);
}

/// The route is checked before the caller: a token, a user or a task makes no difference.
#[tokio::test]
async fn an_unknown_method_is_rejected_the_same_way_for_every_caller() {
    let app = App::start().await;
    let (alice, bob) = (app.user("alice").await, app.user("bob").await);
    let client = app.client().await;
    let (his, hers) = (bob.task("his").await, alice.task("hers").await);
    let before = stored(&client, &[&alice, &bob]).await;
    for row in rows_of_wrong_methods() {
        let label = format!("{} {}", row.method, row.rest);
        let own = row.request(&alice, &alice, &hers).await;
        assert_eq!(own.status, row.own, "{label}: {own}");
        assert_same(&label, &row.request(&alice, &alice, &his).await, &own);
        assert_same(&label, &row.request_without_token(&bob, &his).await, &own);
        for (label, request) in foreign_requests(&row, &alice, &bob, &his, &hers) {
            let response = request.await;
            assert_same(&label, &response, &own);
            assert_without_the_database(&label, &response);
        }
    }
    assert_eq!(stored(&client, &[&alice, &bob]).await, before);
}

/// The service's connections with the last statement of each and its start. Unlike statistics, this is
/// updated at once and for each connection. Without the time at which a connection became idle: a
/// driver closes a statement some time later.
async fn activity(watcher: &Client) -> Vec<String> {
    let statement = "
        select concat_ws(' ', pid, backend_start, query_start, state, query)
          from pg_stat_activity
         where datname = current_database() and backend_type = 'client backend' and pid <> pg_backend_pid()
         order by pid";
    let rows = watcher.query(statement, &[]).await.expect("query");
    rows.iter().map(|row| row.get(0)).collect()
}

#[tokio::test]
async fn another_users_path_causes_no_statement() {
    let app = App::start_with(|_| {}).await;
    let watcher = app.client().await;
    // Without accounts: the harness would create them over its own connections.
    let (alice, bob) = (app.unregistered_user("alice"), app.unregistered_user("bob"));
    let (his, hers) = (bob.task("his").await, alice.task("hers").await);
    let before = tests::until("the service's connections are at rest", async || {
        let activity = activity(&watcher).await;
        activity.iter().all(|connection| connection.contains(" idle ")).then_some(activity)
    })
    .await;
    assert!(!before.is_empty());
    let large = " ".repeat(200_000);
    for row in rows(&large) {
        for (label, request) in foreign_requests(&row, &alice, &bob, &his, &hers) {
            let response = request.await;
            assert_eq!(response.status, 404, "{label}: {response}");
        }
    }
    assert_eq!(activity(&watcher).await, before);

    // A statement would have been seen.
    alice.get(&format!("/tasks/{NO_TASK}")).await.problem(404);
    assert_ne!(activity(&watcher).await, before);
}

#[tokio::test]
async fn another_users_path_opens_no_connection() {
    // A listener in place of the database, which never answers.
    let database = TcpListener::bind("127.0.0.1:0").expect("listen");
    database.set_nonblocking(true).expect("ask for connections without waiting for one");
    let port = database.local_addr().expect("the address of a listener").port();
    let url: DatabaseUrl =
        format!("postgresql://u:pw@127.0.0.1:{port}/x?connect_timeout=1").parse().expect("a URL");
    let app = App::start_on(TestDatabase::create().await, |options| {
        options.database(&url).set("database_timeout_ms", "200");
    })
    .await;
    let (alice, bob) = (app.unregistered_user("alice"), app.unregistered_user("bob"));
    let (his, hers) = (json!({ "id": 1 }), json!({ "id": 2 }));
    let large = " ".repeat(200_000);
    for row in rows(&large) {
        for (label, request) in foreign_requests(&row, &alice, &bob, &his, &hers) {
            let response = request.await;
            assert_eq!(response.status, 404, "{label}: {response}");
        }
    }
    let connections = database.accept().map_err(|err| err.kind());
    assert!(matches!(connections, Err(ErrorKind::WouldBlock)), "{connections:?}");

    // A connection would have been seen. It is closed, because not every component can give it up, and there
    // is no other one.
    let close = async {
        drop(until("a connection to the database", async || database.accept().ok()).await);
        drop(database);
    };
    let (response, ()) = join(alice.get("/tasks").into_future(), close).await;
    response.problem(503);
}
