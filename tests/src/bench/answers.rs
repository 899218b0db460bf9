//! Every kind of response of the API, and the request for it.

use anyhow::{Context, ensure};

use super::requests::authorization;
use super::services::{ORIGIN, Services};
use crate::{KeepAlive, Token, User, raw_request};

const JSON: &str = "Content-Type: application/json";
const PROBLEM: &str = "Accept: application/problem+json";

/// More than the API accepts.
const LARGE_BODY_BYTES: usize = 200_000;

/// A kind of response.
pub(crate) struct Kind {
    pub(crate) name: String,
    /// The expected status.
    pub(crate) status: u16,
    /// Builds the request with this number, from 0.
    pub(crate) request: Box<dyn FnMut(u32) -> Vec<u8>>,
    /// A path of the same service that always succeeds.
    pub(crate) settle_path: &'static str,
    /// Statements before and after the requests.
    pub(crate) around: Option<[&'static str; 2]>,
}

impl Kind {
    fn new(name: &str, status: u16, request: Vec<u8>) -> Self {
        Self {
            name: name.to_owned(),
            status,
            request: Box::new(move |_| request.clone()),
            settle_path: "/health",
            around: None,
        }
    }
}

/// The API's kinds, each for this number of requests.
pub(crate) async fn of_the_api(
    services: &Services,
    client: &mut KeepAlive,
    requests: u32,
) -> anyhow::Result<Vec<Kind>> {
    let mut kinds = of_any_caller();
    kinds.extend(of_tasks(services, client)?);
    kinds.extend(of_writes(services, requests).await?);
    kinds.extend(of_bad_requests(services));
    kinds.extend(of_the_page(client)?);
    kinds.extend(without_tables(services));
    Ok(kinds)
}

/// The bare component's kinds, for comparison.
pub(crate) fn of_the_floor(services: &Services) -> Vec<Kind> {
    let task = format!("/floor/get?id={}&user={}", services.tasks[0], services.user.id);
    let list = format!("/floor/list?user={}", services.lister.id);
    let mut kinds: Vec<Kind> = [
        ("floor: nothing", "/floor/nothing"),
        ("floor: get", &task),
        ("floor: list of 100", &list),
    ]
    .map(|(name, path)| Kind::new(name, 200, raw_request("GET", path, &[], "")))
    .into();
    for kind in &mut kinds {
        kind.settle_path = "/floor/nothing";
    }
    kinds
}

fn of_any_caller() -> Vec<Kind> {
    let origin = format!("Origin: {ORIGIN}");
    let preflight: &[&str] = &[
        &origin,
        "Access-Control-Request-Method: POST",
        "Access-Control-Request-Headers: authorization, content-type",
    ];
    let other_origin: &[&str] =
        &["Origin: https://other.example", "Access-Control-Request-Method: GET"];
    let get = |path| raw_request("GET", path, &[], "");
    vec![
        Kind::new("GET /", 200, get("/")),
        Kind::new("GET /health", 200, get("/health")),
        Kind::new("HEAD /health", 200, raw_request("HEAD", "/health", &[], "")),
        Kind::new("GET /health with Origin", 200, raw_request("GET", "/health", &[&origin], "")),
        Kind::new("GET /health/db", 200, get("/health/db")),
        Kind::new("GET /health/pool", 200, get("/health/pool")),
        Kind::new("OPTIONS", 204, raw_request("OPTIONS", "/api/user/tasks", &[], "")),
        Kind::new("preflight", 204, raw_request("OPTIONS", "/api/user/tasks", preflight, "")),
        Kind::new(
            "preflight, other origin",
            204,
            raw_request("OPTIONS", "/api/user/tasks", other_origin, ""),
        ),
        Kind::new("no such route", 404, get("/nowhere")),
        Kind::new("wrong method", 405, raw_request("DELETE", "/health", &[], "")),
        Kind::new("wrong method, tasks", 405, raw_request("DELETE", "/api/user/tasks", &[], "")),
    ]
}

fn of_tasks(services: &Services, client: &mut KeepAlive) -> anyhow::Result<Vec<Kind>> {
    let user = &services.user;
    let token = authorization(user);
    let path = user.path(&format!("/tasks/{}", services.tasks[0]));
    let get = raw_request("GET", &path, &[&token], "");
    let etag = etag(client, &get)?;
    let known = format!("If-None-Match: {etag}");
    let list = services.lister.path("/tasks?limit=100");
    let by_priority = format!("{list}&sort=priority");
    let lister = authorization(&services.lister);
    let origin = format!("Origin: {ORIGIN}");
    Ok(vec![
        Kind::new("get", 200, get),
        Kind::new("get with Origin", 200, raw_request("GET", &path, &[&token, &origin], "")),
        Kind::new("get, HEAD", 200, raw_request("HEAD", &path, &[&token], "")),
        Kind::new("get, known", 304, raw_request("GET", &path, &[&token, &known], "")),
        Kind::new("list of 100", 200, raw_request("GET", &list, &[&lister], "")),
        Kind::new("list by priority", 200, raw_request("GET", &by_priority, &[&lister], "")),
        Kind::new(
            "list, none",
            200,
            raw_request("GET", &user.path("/tasks?status=complete"), &[&token], ""),
        ),
    ])
}

async fn of_writes(services: &Services, requests: u32) -> anyhow::Result<Vec<Kind>> {
    let (user, creator) = (&services.user, &services.creator);
    let (token, creator_token) = (authorization(user), authorization(creator));
    let create = creator.path("/tasks");
    let update = creator.path(&format!("/tasks/{}", services.add_tasks(creator, 1).await?[0]));
    let complete = format!("{update}/complete");
    let (reopen, status) = (format!("{update}/incomplete"), format!("{update}/status"));
    let complete_body = r#"{"status":"complete"}"#;
    let body = r#"{"title":"Buy groceries","priority":"high"}"#;
    let doomed = services.add_tasks(creator, i32::try_from(requests)?).await?;
    let mut delete = Kind::new("delete", 204, Vec::new());
    let (owner, owner_token) = (creator.clone(), creator_token.clone());
    delete.request = Box::new(move |number| {
        let id = usize::try_from(number).ok().and_then(|number| doomed.get(number));
        let path = owner.path(&format!("/tasks/{}", id.copied().unwrap_or_default()));
        raw_request("DELETE", &path, &[&owner_token], "")
    });
    let stale = "If-Match: \"1-1\"";
    let keyed: &[&str] = &[&creator_token, JSON, "Idempotency-Key: one-and-the-same"];
    let other_body = r#"{"title":"Buy something else"}"#;
    let headers: &[&str] = &[&creator_token, JSON];
    Ok(vec![
        Kind::new("create", 201, raw_request("POST", &create, headers, body)),
        Kind::new("create, replayed", 201, raw_request("POST", &create, keyed, body)),
        Kind::new("key of another", 422, raw_request("POST", &create, keyed, other_body)),
        Kind::new("update", 200, raw_request("PUT", &update, headers, body)),
        Kind::new("complete", 200, raw_request("PATCH", &complete, &[&creator_token], "")),
        Kind::new("reopen", 200, raw_request("PATCH", &reopen, &[&creator_token], "")),
        Kind::new("set status", 200, raw_request("PATCH", &status, headers, complete_body)),
        delete,
        Kind::new(
            "update, stale",
            412,
            raw_request("PUT", &update, &[&creator_token, JSON, stale], body),
        ),
        Kind::new(
            "another user's path",
            404,
            raw_request("GET", &creator.path("/tasks/1"), &[&token], ""),
        ),
    ])
}

fn of_bad_requests(services: &Services) -> Vec<Kind> {
    let user = &services.user;
    let token = authorization(user);
    let forged = Token::new(&user.id).signed("a secret of somebody else's, long enough for it");
    let forged = format!("Authorization: Bearer {forged}");
    let unregistered = user.app().unregistered_user("nobody");
    let unregistered =
        unregistered.with_token(Token::new(&unregistered.id).signed(user.app().jwt_secret()));
    let other_email = Token::new(&unregistered.id).claim("email", user.email());
    let other_email = unregistered.with_token(other_email.signed(user.app().jwt_secret()));
    let tasks = user.path("/tasks");
    let task = user.path(&format!("/tasks/{}", services.tasks[0]));
    let create = |user: &User, media_type: &str, body: &str| {
        raw_request("POST", &user.path("/tasks"), &[&authorization(user), media_type], body)
    };
    let body = r#"{"title":"Buy groceries"}"#;
    let large = format!(r#"{{"title":"{}"}}"#, "x".repeat(LARGE_BODY_BYTES));
    vec![
        Kind::new("bad body", 400, create(user, JSON, r#"{"title":" "}"#)),
        Kind::new("bad priority", 400, create(user, JSON, r#"{"title":"x","priority":"urgent"}"#)),
        Kind::new(
            "bad status",
            400,
            raw_request("PATCH", &format!("{task}/status"), &[&token, JSON], "{}"),
        ),
        Kind::new("bad id", 400, raw_request("GET", &user.path("/tasks/x"), &[&token], "")),
        Kind::new("bad query", 400, raw_request("GET", &format!("{tasks}?limit=0"), &[&token], "")),
        Kind::new("no token", 401, raw_request("GET", &task, &[], "")),
        Kind::new("no token, problem", 401, raw_request("GET", &task, &[PROBLEM], "")),
        Kind::new("no token, with a body", 401, raw_request("POST", &tasks, &[JSON], body)),
        Kind::new("bad token", 401, raw_request("GET", &task, &[&forged], "")),
        Kind::new("no account", 403, create(&unregistered, JSON, body)),
        Kind::new("email of another", 409, create(&other_email, JSON, body)),
        Kind::new(
            "no such task",
            404,
            raw_request("GET", &user.path("/tasks/2147483647"), &[&token], ""),
        ),
        Kind::new("too large", 413, create(user, JSON, &large)),
        Kind::new("wrong media type", 415, create(user, "Content-Type: text/plain", body)),
    ]
}

/// The API's own failures: of those that do not need a service or a database of their own.
fn without_tables(services: &Services) -> Vec<Kind> {
    let user = &services.user;
    let token = authorization(user);
    let task = user.path(&format!("/tasks/{}", services.tasks[0]));
    let headers: &[&str] = &[&token, JSON];
    let body = r#"{"title":"Buy groceries"}"#;
    let mut kinds = vec![
        Kind::new("no schema, get", 500, raw_request("GET", &task, &[&token], "")),
        Kind::new("no schema, problem", 500, raw_request("GET", &task, &[&token, PROBLEM], "")),
        Kind::new("no schema, update", 500, raw_request("PUT", &task, headers, body)),
        Kind::new("no schema, health/db", 503, raw_request("GET", "/health/db", &[], "")),
    ];
    for kind in &mut kinds {
        kind.around = Some([
            "alter table tasks rename to tasks_away",
            "alter table tasks_away rename to tasks",
        ]);
    }
    kinds
}

/// The page, the files that it names, and the document.
fn of_the_page(client: &mut KeepAlive) -> anyhow::Result<Vec<Kind>> {
    client.exchange(&raw_request("GET", "/docs", &[], "")).context("get /docs")?;
    let page = String::from_utf8_lossy(client.body()).into_owned();
    let named = page.split('"').filter(|text| text.starts_with("docs/"));
    let named = named.map(|name| format!("/{name}"));
    let own = ["/docs", "/openapi.json"].map(str::to_owned);
    let paths: Vec<String> = own.into_iter().chain(named).collect();
    ensure!(paths.len() > 2, "the page names no files");
    let mut kinds = Vec::new();
    for path in &paths {
        let get = raw_request("GET", path, &[], "");
        let known = format!("If-None-Match: {}", etag(client, &get)?);
        let name = path.rsplit('/').next().unwrap_or(path);
        kinds.push(Kind::new(name, 200, get));
        kinds.push(Kind::new(
            &format!("{name}, known"),
            304,
            raw_request("GET", path, &[&known], ""),
        ));
    }
    kinds.push(Kind::new("docs, HEAD", 200, raw_request("HEAD", "/docs", &[], "")));
    kinds.push(Kind::new("docs, OPTIONS", 204, raw_request("OPTIONS", "/docs", &[], "")));
    kinds.push(Kind::new("docs, wrong method", 405, raw_request("POST", "/docs", &[], "")));
    kinds.push(Kind::new("docs, no such file", 404, raw_request("GET", "/docs/nope", &[], "")));
    Ok(kinds)
}

/// The `ETag` in the response to this request.
fn etag(client: &mut KeepAlive, request: &[u8]) -> anyhow::Result<String> {
    let path = || String::from_utf8_lossy(request).lines().next().unwrap_or_default().to_owned();
    let exchange = client.exchange(request).with_context(path)?;
    let etag = client.header("etag").map(str::to_owned);
    etag.with_context(|| format!("{}: {} without an ETag", path(), exchange.status))
}
