//! A database that is unreachable, rejects connections or is slow: 503 or 504, never a bare 500, and no
//! internals in the response.

use std::time::{Duration, Instant};

use futures::future::join_all;
use neon_url::DatabaseUrl;
use reqwest::Method;
use serde_json::json;
use tests::{App, Response, TestDatabase, TestServer, User, until};
use tokio_postgres::{Client, Transaction};

use crate::path_of;

/// Every task route: a label, the method, the path after `/api/{user_id}`.
const ROUTES: [(&str, Method, &str); 7] = [
    ("list", Method::GET, "/tasks"),
    ("create", Method::POST, "/tasks"),
    ("get", Method::GET, "/tasks/1"),
    ("put", Method::PUT, "/tasks/1"),
    ("patch", Method::PATCH, "/tasks/1"),
    ("delete", Method::DELETE, "/tasks/1"),
    ("complete", Method::PATCH, "/tasks/1/complete"),
];

async fn request(user: &User, method: &Method, rest: &str) -> Response {
    user.request(method.clone(), &user.path(rest)).json(json!({ "title": "x" })).await
}

/// Asserts a 503 with `Retry-After`.
#[track_caller]
fn assert_unavailable(label: &str, response: &Response) {
    assert_eq!(response.status, 503, "{label}: {response}");
    response.problem(503);
    let seconds: u32 = response.header("retry-after").parse().expect("seconds");
    assert!((1..=60).contains(&seconds), "{label}: {seconds}");
}

/// Asserts that nothing of the connection string or of PostgreSQL's and the host's messages is there.
#[track_caller]
fn assert_reveals_nothing(label: &str, response: &Response, url: &DatabaseUrl) {
    let text = format!("{:?} {}", response.headers, response.text()).to_lowercase();
    let port = url.port().to_string();
    let secrets =
        [url.host(), port.as_str(), url.user(), url.password().unwrap_or("-"), url.database()];
    let words = [
        "postgres",
        "sqlstate",
        "fatal",
        "refused",
        "select ",
        "insert ",
        "tokio",
        "wasm",
        "backtrace",
        "/src/",
        ".rs:",
    ];
    // Short names, such as a user `u`, occur in every text.
    for secret in secrets.into_iter().filter(|secret| secret.len() > 3).chain(words) {
        assert!(!text.contains(secret), "{label}: `{secret}` is in {text}");
    }
}

#[tokio::test]
async fn an_unreachable_database_is_a_503_on_every_task_route() {
    let closed = "postgresql://someuser:somepassword@127.0.0.1:1/somedatabase?connect_timeout=1"
        .parse()
        .expect("a connection string");
    let app = App::start_with(|options| {
        options.database(&closed);
    })
    .await;
    let alice = app.unregistered_user("alice");
    for (label, method, rest) in ROUTES {
        let response = request(&alice, &method, rest).await;
        assert_unavailable(label, &response);
        // Not checked for the port 1, which may be in a length or a time.
        assert_reveals_nothing(label, &response, &closed);
    }
}

#[tokio::test]
async fn bad_requests_are_refused_without_a_database() {
    let closed = "postgresql://someuser:somepassword@127.0.0.1:1/somedatabase?connect_timeout=1"
        .parse()
        .expect("a connection string");
    let app = App::start_with(|options| {
        options.database(&closed);
    })
    .await;
    let (alice, bob) = (app.unregistered_user("alice"), app.unregistered_user("bob"));
    alice.create(json!({ "title": "" })).await.problem(400);
    alice.get("/tasks/0").await.problem(400);
    alice.get("/tasks?status=x").await.problem(400);
    alice.request(Method::GET, &bob.path("/tasks")).await.problem(404);
    app.get("/api/alice/tasks").await.problem(401);
}

#[tokio::test]
async fn a_wrong_password_is_a_503() {
    // The throwaway server asks for passwords; another one may use `trust`.
    let database = TestServer::throwaway().await.migrated_database().await;
    let right = database.api_url();
    let (host, port) = (right.host(), right.port());
    let (user, name) = (right.user(), right.database());
    let wrong = format!("postgresql://{user}:wrongpassword@{host}:{port}/{name}");
    let app = App::start_on(database, |options| {
        options.set("database_url", &wrong);
    })
    .await;
    let response = app.unregistered_user("alice").get("/tasks").await;
    assert_unavailable("wrong password", &response);
    assert_reveals_nothing("wrong password", &response, &app.database().api_url());
    assert!(!response.text().contains("wrongpassword"));
    assert!(!app.log().contains("wrongpassword"), "{}", app.log());
}

#[tokio::test]
async fn a_database_that_does_not_exist_is_a_503() {
    let app = App::start_with(|options| {
        let url =
            options.variables["database_url"].parse::<DatabaseUrl>().expect("a connection string");
        options.database(&url.with_database("taskie_test_no_such_database"));
    })
    .await;
    let response = app.unregistered_user("alice").get("/tasks").await;
    assert_unavailable("no such database", &response);
    assert_reveals_nothing(
        "no such database",
        &response,
        &app.database().api_url().with_database("taskie_test_no_such_database"),
    );
}

#[tokio::test]
async fn a_host_that_may_not_be_connected_to_is_a_503() {
    let app = App::start_with(|options| {
        options.set("database_host", "another.example.com");
    })
    .await;
    let response = app.unregistered_user("alice").get("/tasks").await;
    assert_unavailable("host not allowed", &response);
    assert_reveals_nothing("host not allowed", &response, &app.database().api_url());
}

#[tokio::test]
async fn a_database_without_a_schema_is_an_opaque_500() {
    let app = App::start_on(TestDatabase::create().await, |_| {}).await;
    let alice = app.unregistered_user("alice");
    for (label, method, rest) in ROUTES {
        let response = request(&alice, &method, rest).await;
        assert_eq!(response.status, 500, "{label}: {response}");
        response.problem(500).kind("internal");
        assert_reveals_nothing(label, &response, &app.database().api_url());
        let id = response.header("x-request-id");
        assert!(app.log().contains(id), "{label}: {id} is not in the log");
    }
    app.get("/health/db").await.problem(503);
}

#[tokio::test]
async fn a_database_that_refuses_is_a_503_until_it_accepts_again() {
    let app = App::start_with(|options| {
        options.directly();
    })
    .await;
    let alice = app.user("alice").await;
    let task = alice.task("Buy milk").await;
    let (admin, name) = (app.database().admin().await, app.database().name());
    let refuse = format!(
        "update pg_database set datallowconn = false where datname = '{name}';
         select pg_terminate_backend(pid) from pg_stat_activity where datname = '{name}'"
    );
    admin.batch_execute(&refuse).await.expect("refuse connections");

    // The component notices the end of its connection only when it uses it.
    for (label, method, rest) in ROUTES {
        let response = request(&alice, &method, rest).await;
        assert_unavailable(label, &response);
        assert_reveals_nothing(label, &response, &app.database().api_url());
    }
    app.get("/health/db").await.problem(503);
    app.get("/health").await.good(200);

    let accept = format!("update pg_database set datallowconn = true where datname = '{name}'");
    admin.batch_execute(&accept).await.expect("accept connections");
    assert_eq!(alice.tasks().await, [task]);
}

#[tokio::test]
async fn terminated_connections_are_replaced() {
    let app = App::start_with(|_| {}).await;
    let alice = app.user("alice").await;
    let task = alice.task("Buy milk").await;
    let terminate = format!(
        "select pg_terminate_backend(pid) from pg_stat_activity where datname = '{}'",
        app.database().name()
    );
    app.database().admin().await.batch_execute(&terminate).await.expect("terminate");
    assert_eq!(alice.tasks().await, [task]);
}

#[tokio::test]
async fn a_role_without_connections_left_is_a_503() {
    let database = TestServer::throwaway().await.migrated_database().await;
    let admin = database.client().await;
    let role = database.name().replace("test", "role");
    let create_role = format!(
        "create role {role} login password 'limitedpassword' connection limit 1;
         grant select, insert, update, delete on all tables in schema public to {role};
         grant usage on all sequences in schema public to {role}"
    );
    admin.batch_execute(&create_role).await.expect("create a role");
    let url: DatabaseUrl = format!(
        "postgresql://{role}:limitedpassword@{}:{}/{}?connect_timeout=1",
        database.url().host(),
        database.url().port(),
        database.name()
    )
    .parse()
    .expect("a connection string");
    let app = App::start_on(database, |options| {
        options.database(&url);
    })
    .await;
    let alice = app.unregistered_user("alice");

    let only = tokio_postgres::connect(&url.to_connection_string(), tokio_postgres::NoTls).await;
    let (client, connection) = only.expect("the only connection");
    let connection = tokio::spawn(connection);
    let response = alice.get("/tasks").await;
    assert_unavailable("no connection left", &response);
    assert_reveals_nothing("no connection left", &response, &url);

    drop(client);
    connection.await.expect("the connection's task").expect("the connection's end");
    let response = until("the server has seen the connection end", async || {
        let response = alice.get("/tasks").await;
        (response.status == 200).then_some(response)
    });
    response.await.good(200);
}

#[tokio::test]
async fn a_locked_table_is_a_504_on_every_task_route() {
    for (label, method, rest) in ROUTES {
        // One service for each route: a connection whose statement still waits cannot be used.
        let app = App::start_with(|options| {
            options.set("database_timeout_ms", "500");
        })
        .await;
        let alice = app.user("alice").await;
        let mut other = app.client().await;
        let transaction = lock_tasks(&mut other).await;

        let begin = Instant::now();
        let response = request(&alice, &method, rest).await;
        let elapsed = begin.elapsed();

        assert_eq!(response.status, 504, "{label}: {response}");
        response.problem(504);
        assert_reveals_nothing(label, &response, &app.database().api_url());
        assert!(elapsed >= Duration::from_millis(400), "{label}: {elapsed:?}");
        assert!(elapsed < Duration::from_secs(5), "{label}: {elapsed:?}");
        transaction.rollback().await.expect("release");
    }
}

#[tokio::test]
async fn a_lock_blocks_only_requests_that_need_the_table() {
    let app = App::start_with(|options| {
        options.set("database_timeout_ms", "500");
    })
    .await;
    let alice = app.user("alice").await;
    let task = alice.task("Buy milk").await;
    let mut other = app.client().await;
    let transaction = lock_tasks(&mut other).await;
    let (stuck, health) =
        futures::join!(alice.get("/tasks").into_future(), app.get("/health").into_future());
    stuck.problem(504);
    health.good(200);
    until("a connection that is not stuck", async || {
        (app.get("/health/db").await.status == 200).then_some(())
    })
    .await;

    transaction.rollback().await.expect("release");
    let tasks = until("the connection is usable again", async || {
        let response = alice.get(&path_of(&task)).await;
        (response.status == 200).then(|| response.json())
    });
    assert_eq!(tasks.await, task);
}

/// Locks the tasks until the transaction ends.
async fn lock_tasks(client: &mut Client) -> Transaction<'_> {
    let transaction = client.transaction().await.expect("begin");
    transaction.batch_execute("lock table tasks in access exclusive mode").await.expect("lock");
    transaction
}

#[tokio::test]
async fn a_statement_that_the_server_gives_up_is_a_504() {
    let app = App::start_with(|options| {
        options.directly().set("database_timeout_ms", "8000");
    })
    .await;
    let alice = app.user("alice").await;
    let mut other = app.client().await;
    let _transaction = lock_tasks(&mut other).await;
    let response = alice.get("/tasks").await;
    assert_eq!(response.status, 504, "{response}");
    assert_reveals_nothing("given up", &response, &app.database().api_url());
    // The server's limit, set in the connection string, is the shorter one.
    assert!(app.log().contains("database error 57014"), "{}", app.log());
}

#[tokio::test]
async fn a_lock_that_the_role_does_not_wait_for_is_a_504() {
    let app = App::start_with(|_| {}).await;
    let alice = app.user("alice").await;
    let limit = format!(
        "alter role {} in database {} set lock_timeout = '200ms'",
        app.database().api_role().quoted(),
        app.database().name()
    );
    app.client().await.batch_execute(&limit).await.expect("limit");
    let mut other = app.client().await;
    let _transaction = lock_tasks(&mut other).await;
    let response = alice.get("/tasks").await;
    assert_eq!(response.status, 504, "{response}");
    assert_reveals_nothing("given up", &response, &app.database().api_url());
}

/// Every limit of the server's that can end a statement. Not every one can be brought about with every
/// version, so each is raised here as well: the code is all that counts.
#[tokio::test]
async fn every_limit_of_the_server_is_a_504() {
    let app = App::start_with(|_| {}).await;
    let alice = app.user("alice").await;
    let task = alice.task("x").await;
    let client = app.client().await;
    for code in ["57014", "55P03", "25P03", "25P04"] {
        let raise = format!(
            "create or replace function give_up() returns trigger language plpgsql as
             $$ begin raise exception 'enough' using errcode = '{code}'; end $$;
             create or replace trigger give_up before update on tasks
               for each row execute function give_up()"
        );
        client.batch_execute(&raise).await.expect("create a trigger");
        let response = alice.patch(&path_of(&task)).json(json!({ "title": "y" })).await;
        assert_eq!(response.status, 504, "{code}: {response}");
        response.problem(504).kind("database-too-slow");
        assert!(app.log().contains(&format!("database error {code}")), "{}", app.log());
    }
}

/// From PostgreSQL 17 on there is a limit on transactions, which ends the session. Older ones have the
/// limit on statements that comes with the connection.
#[tokio::test]
async fn a_transaction_that_the_server_ends_is_a_504() {
    let app = App::start_with(|options| {
        options.directly().set("database_timeout_ms", "8000");
    })
    .await;
    let alice = app.user("alice").await;
    let mut other = app.client().await;
    let version = "select current_setting('server_version_num')::int4 >= 170000";
    let has_limit = other.query_one(version, &[]).await.expect("ask").get(0);
    let code = if has_limit { "25P04" } else { "57014" };
    if has_limit {
        let set = format!(
            "alter role {} in database {} set transaction_timeout = '500ms'",
            app.database().api_role().quoted(),
            app.database().name()
        );
        other.batch_execute(&set).await.expect("limit");
    }
    let transaction = lock_tasks(&mut other).await;
    let url = app.database().api_url();
    for response in [
        alice.get("/tasks").await,
        alice.create(json!({ "title": "x" })).await,
        app.unregistered_user("newcomer").create(json!({ "title": "x" })).await,
    ] {
        assert_eq!(response.status, 504, "{response}");
        assert_reveals_nothing("given up", &response, &url);
    }
    assert!(app.log().contains(&format!("database error {code}")), "{}", app.log());
    transaction.rollback().await.expect("release");
    alice.task("x").await;
}

/// The role has no time limit, as if `migrator grant` had set none.
#[tokio::test]
async fn a_statement_that_was_given_up_does_not_go_on_at_the_server() {
    const REQUESTS: usize = 20;
    let database = TestDatabase::migrated().await;
    let role = database.role("taskie_test_unlimited").await;
    let grant = format!(
        "grant select, insert, update, delete on all tables in schema public to {role};
         grant usage on all sequences in schema public to {role}",
        role = role.quoted()
    );
    database.client().await.batch_execute(&grant).await.expect("grant");
    let url = database.url_as(&role);
    let app = App::start_on(database, |options| {
        // Long enough to open all the connections on a busy machine: the limit is also theirs.
        options.database(&url).set("database_timeout_ms", "5000");
    })
    .await;
    let alice = app.user("alice").await;
    let (mut other, watch) = (app.client().await, app.client().await);
    let active = async || {
        let query = "select count(*) from pg_stat_activity where usename = $1 and state = 'active'";
        let row = watch.query_one(query, &[&role.name]).await.expect("count the active");
        row.get::<_, i64>(0)
    };
    let transaction = lock_tasks(&mut other).await;

    let requests: Vec<_> =
        (0..REQUESTS).map(|_| tokio::spawn(alice.get("/tasks").into_future())).collect();
    until("statements wait for the table", async || (active().await > 0).then_some(())).await;
    for response in join_all(requests).await {
        response.expect("a request that was made").problem(504);
    }
    // The table is still locked: only a limit can have ended them.
    until("the server has given them up", async || (active().await == 0).then_some(())).await;

    transaction.rollback().await.expect("release");
    alice.get("/tasks").await.good(200);
}
