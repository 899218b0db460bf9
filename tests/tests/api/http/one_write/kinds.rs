//! Every kind of response, and the requests for it.

use serde_json::json;
use tests::{App, Token, User, chunked, raw_request};

use super::REQUESTS;
use crate::{NO_TASK, path_of};

const JSON: &str = "Content-Type: application/json";
const PROBLEM: &str = "Accept: application/problem+json";
const ORIGIN: &str = "Origin: https://app.example";

/// The origin that the service allows.
pub(super) const ALLOWED_ORIGIN: &str = "https://app.example";

/// A kind of response: its name, its status, and the requests for it.
pub(super) struct Kind {
    pub(super) name: String,
    pub(super) status: u16,
    pub(super) requests: Vec<Vec<u8>>,
}

impl Kind {
    /// The same request each time.
    pub(super) fn of(name: &str, status: u16, request: Vec<u8>) -> Self {
        Self { name: name.to_owned(), status, requests: vec![request; REQUESTS] }
    }
}

/// All but the failures of the service.
pub(super) async fn all(app: &App) -> Vec<Kind> {
    let (alice, lister) = (app.user("alice").await, app.user("lister").await);
    let mut kinds = of_any_caller();
    kinds.extend(of_reads(&alice, &lister).await);
    kinds.extend(of_writes(&alice).await);
    kinds.extend(of_bad_requests(&alice));
    kinds.extend(of_the_page(app).await);
    kinds
}

fn of_any_caller() -> Vec<Kind> {
    let get = |path, headers: &[&str]| raw_request("GET", path, headers, "");
    let preflight = |origin| {
        let headers = [origin, "Access-Control-Request-Method: POST"];
        raw_request("OPTIONS", "/api/user/tasks", &headers, "")
    };
    vec![
        Kind::of("index", 200, get("/", &[])),
        Kind::of("health", 200, get("/health", &[])),
        Kind::of("health, HEAD", 200, raw_request("HEAD", "/health", &[], "")),
        Kind::of("health, from an origin", 200, get("/health", &[ORIGIN])),
        Kind::of("health of the database", 200, get("/health/db", &[])),
        Kind::of("health of the pool", 200, get("/health/pool", &[])),
        Kind::of("options", 204, raw_request("OPTIONS", "/api/user/tasks", &[], "")),
        Kind::of("preflight", 204, preflight(ORIGIN)),
        Kind::of("preflight, other origin", 204, preflight("Origin: https://other.example")),
        Kind::of("unknown route", 404, get("/nope", &[])),
        Kind::of("wrong method", 405, raw_request("DELETE", "/health", &[], "")),
        Kind::of("wrong method, tasks", 405, raw_request("DELETE", "/api/user/tasks", &[], "")),
    ]
}

async fn of_reads(alice: &User, lister: &User) -> Vec<Kind> {
    let token = alice.authorization();
    let task = path_of(&alice.task("Buy milk").await);
    let known = format!("If-None-Match: {}", alice.get(&task).await.header("etag"));
    let task = alice.path(&task);
    let none = alice.path("/tasks?status=complete");
    let get = |path: &str, headers: &[&str]| raw_request("GET", path, headers, "");

    let add =
        "insert into tasks (user_id, title) select $1, 'one of 100' from generate_series(1, 100)";
    lister.app().client().await.execute(add, &[&lister.id]).await.expect("add tasks");
    let owner = lister.authorization();
    let list = lister.path("/tasks?limit=100");
    vec![
        Kind::of("get", 200, get(&task, &[&token])),
        Kind::of("get, from an origin", 200, get(&task, &[&token, ORIGIN])),
        Kind::of("get, HEAD", 200, raw_request("HEAD", &task, &[&token], "")),
        Kind::of("get, known", 304, get(&task, &[&token, &known])),
        Kind::of("list of 100", 200, get(&list, &[&owner])),
        Kind::of("list by priority", 200, get(&format!("{list}&sort=priority"), &[&owner])),
        Kind::of("list, none", 200, get(&none, &[&token])),
    ]
}

async fn of_writes(alice: &User) -> Vec<Kind> {
    let token = alice.authorization();
    let tasks = alice.path("/tasks");
    let task = alice.path(&path_of(&alice.task("Buy milk").await));
    let good = json!({ "title": "Buy bread" }).to_string();
    let other = json!({ "title": "Buy rolls" }).to_string();
    let complete = json!({ "status": "complete" }).to_string();
    let headers: &[&str] = &[&token, JSON];
    let keyed: &[&str] = &[&token, JSON, "Idempotency-Key: one-and-the-same"];
    let stale: &[&str] = &[&token, JSON, "If-Match: \"1-1\""];
    let patch = |path: &str| raw_request("PATCH", &format!("{task}/{path}"), &[&token], "");
    let mut delete = Kind { name: "delete".to_owned(), status: 204, requests: Vec::new() };
    for _ in 0..REQUESTS {
        let doomed = alice.path(&path_of(&alice.task("doomed").await));
        delete.requests.push(raw_request("DELETE", &doomed, &[&token], ""));
    }
    let status = raw_request("PATCH", &format!("{task}/status"), headers, &complete);
    vec![
        Kind::of("create", 201, raw_request("POST", &tasks, headers, &good)),
        Kind::of("create, replayed", 201, raw_request("POST", &tasks, keyed, &good)),
        Kind::of("key of another", 422, raw_request("POST", &tasks, keyed, &other)),
        Kind::of("replace", 200, raw_request("PUT", &task, headers, &good)),
        Kind::of("update", 200, raw_request("PATCH", &task, headers, &good)),
        Kind::of("complete", 200, patch("complete")),
        Kind::of("reopen", 200, patch("incomplete")),
        Kind::of("set status", 200, status),
        Kind::of("stale", 412, raw_request("PUT", &task, stale, &good)),
        delete,
    ]
}

fn of_bad_requests(alice: &User) -> Vec<Kind> {
    let app = alice.app();
    let (token, tasks) = (alice.authorization(), alice.path("/tasks"));
    let get = |path: &str, headers: &[&str]| raw_request("GET", &alice.path(path), headers, "");
    let create = |user: &User, media_type: &str, body: &str| {
        raw_request("POST", &user.path("/tasks"), &[&user.authorization(), media_type], body)
    };
    let forged = Token::new(&alice.id).signed("a secret of somebody else's, long enough for it");
    let forged = format!("Authorization: Bearer {forged}");
    let nobody = app.unregistered_user("nobody");
    let without_email = nobody.with_token(Token::new(&nobody.id).signed(app.jwt_secret()));
    let of_another = Token::new(&nobody.id).claim("email", alice.email());
    let of_another = nobody.with_token(of_another.signed(app.jwt_secret()));
    let good = json!({ "title": "Buy bread" }).to_string();
    let large = json!({ "title": "x".repeat(200_000) }).to_string();
    let absent = format!("/tasks/{NO_TASK}");
    let in_chunks = {
        let headers = [&token, JSON, "Transfer-Encoding: chunked"];
        [raw_request("POST", &tasks, &headers, ""), chunked(&large).into_bytes()].concat()
    };
    vec![
        Kind::of("invalid", 400, create(alice, JSON, "{}")),
        Kind::of("not JSON", 400, create(alice, JSON, "{")),
        Kind::of("bad id", 400, get("/tasks/x", &[&token])),
        Kind::of("bad query", 400, get("/tasks?limit=0", &[&token])),
        Kind::of("no token", 401, get("/tasks", &[])),
        Kind::of("no token, problem", 401, get("/tasks", &[PROBLEM])),
        Kind::of("no token, with a body", 401, raw_request("POST", &tasks, &[JSON], &good)),
        Kind::of("bad token", 401, get("/tasks", &["Authorization: Bearer x"])),
        Kind::of("forged token", 401, get("/tasks", &[&forged])),
        Kind::of("no account", 403, create(&without_email, JSON, &good)),
        Kind::of("absent task", 404, get(&absent, &[&token])),
        Kind::of(
            "another user's path",
            404,
            raw_request("GET", &nobody.path("/tasks"), &[&token], ""),
        ),
        Kind::of("address of another", 409, create(&of_another, JSON, &good)),
        Kind::of("too large", 413, create(alice, JSON, &large)),
        Kind::of("too large, in chunks", 413, in_chunks),
        Kind::of("wrong media type", 415, create(alice, "Content-Type: text/plain", &good)),
    ]
}

/// The page, the files that it names, and the document.
async fn of_the_page(app: &App) -> Vec<Kind> {
    let page = app.get("/docs").await;
    let text = page.text();
    let named = text.split('"').filter(|text| text.starts_with("docs/"));
    let named: Vec<String> = named.map(|name| format!("/{name}")).collect();
    assert!(!named.is_empty(), "the page names no files");
    let mut kinds = vec![
        Kind::of("page, HEAD", 200, raw_request("HEAD", "/docs", &[], "")),
        Kind::of("page, options", 204, raw_request("OPTIONS", "/docs", &[], "")),
        Kind::of("page, wrong method", 405, raw_request("POST", "/docs", &[], "")),
        Kind::of("page, no such file", 404, raw_request("GET", "/docs/nope", &[], "")),
    ];
    for path in ["/docs", "/openapi.json"].into_iter().chain(named.iter().map(String::as_str)) {
        let known = format!("If-None-Match: {}", app.get(path).await.header("etag"));
        let get = |headers: &[&str]| raw_request("GET", path, headers, "");
        kinds.push(Kind::of(path, 200, get(&[])));
        kinds.push(Kind::of(&format!("{path}, known"), 304, get(&[&known])));
    }
    kinds
}
