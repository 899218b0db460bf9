//! `GET /health`, `/health/db` and `/health/pool`

use std::time::{Duration, Instant};

use futures::{StreamExt, stream};
use serde_json::{Value, json};
use tests::{App, Difference, InstanceReuse, Response, TestDatabase, until};

use crate::db::behind_proxy;
use crate::large_instances;

/// True if this response is from the database, not from the cache.
fn is_new(response: &Response) -> bool {
    !response.header("server-timing").starts_with("db;dur=0.000,")
}

/// The current figures: a cached response is one second old at most.
async fn pool_now(app: &App) -> Value {
    until("the database is asked again", async || {
        let response = app.get("/health/pool").await;
        is_new(&response).then(|| response.good(200))
    })
    .await
}

#[tokio::test]
async fn the_process_is_healthy() {
    let response = App::start().await.get("/health").await;
    assert_eq!(response.good(200), json!({ "status": "healthy" }));
}

#[tokio::test]
async fn the_process_is_healthy_without_a_database() {
    let app = App::start_with(|options| {
        options.database(&crate::closed_database());
    })
    .await;
    assert_eq!(app.get("/health").await.good(200), json!({ "status": "healthy" }));
}

#[tokio::test]
async fn the_databases_health_names_version_latency_and_migration() {
    let app = App::start().await;
    let health = app.get("/health/db").await.good(200);
    let client = app.client().await;
    let row =
        client.query_one("select current_setting('server_version')", &[]).await.expect("query");
    assert_eq!(health["status"], "healthy");
    assert_eq!(health["server_version"], row.get::<_, &str>(0));
    assert!(health["latency_ms"].as_f64().is_some_and(|latency| latency > 0.0), "{health}");
    assert!(health["pooled"].is_boolean(), "{health}");
    let row = client
        .query_one("select max(version) from refinery_schema_history", &[])
        .await
        .expect("query");
    assert_eq!(health["migration_version"], row.get::<_, i32>(0));
}

/// Such as a timestamp.
#[tokio::test]
async fn a_version_may_have_64_bits() {
    let app = App::start_with(|_| {}).await;
    let insert = "
        alter table refinery_schema_history alter column version type int8;
        insert into refinery_schema_history values (20240131123456, 'x', '2024-01-31T12:34:56Z', '1')";
    app.client().await.batch_execute(insert).await.expect("write the history");
    let health = app.get("/health/db").await.good(200);
    assert_eq!(health["migration_version"], 20_240_131_123_456_i64);
}

#[tokio::test]
async fn a_direct_connection_is_not_pooled() {
    let app = App::start_with(|_| {}).await;
    assert_eq!(app.get("/health/db").await.good(200)["pooled"], false);
}

#[tokio::test]
async fn a_database_without_a_schema_is_not_healthy() {
    let app = App::start_on(TestDatabase::create().await, |_| {}).await;
    app.get("/health/db").await.problem(503);
}

#[tokio::test]
async fn a_schema_older_than_the_service_is_not_healthy() {
    for older in [
        "alter table tasks drop column priority",
        "drop table idempotency_keys",
        "drop function insert_task",
    ] {
        let (_app, response) = health_after(older, "true").await;
        response.problem(503).kind("schema-outdated").mentions("apply the migrations");
    }
}

#[tokio::test]
async fn a_schema_without_a_history_is_healthy() {
    let app = App::start_with(|_| {}).await;
    app.client().await.batch_execute("drop table refinery_schema_history").await.expect("drop");
    let health = app.get("/health/db").await.good(200);
    assert_eq!(health["migration_version"], Value::Null);
}

/// Asks for the database's health when it is as the statements leave it, for a service whose accounts
/// are another program's as well.
async fn health_after(statements: &str, provision_users: &str) -> (App, Response) {
    let app = App::start_with(|options| {
        options.set("provision_users", provision_users);
    })
    .await;
    let statements = statements.replace("ROLE", &app.database().api_role().quoted());
    app.client().await.batch_execute(&statements).await.expect("change the database");
    let response = app.get("/health/db").await;
    (app, response)
}

#[tokio::test]
async fn a_database_that_takes_no_writes_is_not_healthy() {
    let read_only = "do $$ begin execute format(
                       'alter role ROLE in database %I set default_transaction_read_only = on',
                       current_database()); end $$";
    let (app, response) = health_after(read_only, "true").await;
    response.problem(503).kind("database-read-only").mentions("read-only");
    assert_eq!(response.header("retry-after"), "2");
    // So it is: the tasks can be read.
    let alice = app.user("alice").await;
    alice.get("/tasks").await.good(200);
    alice.create(json!({ "title": "x" })).await.problem(503);
}

#[tokio::test]
async fn a_role_that_lacks_a_right_is_not_healthy() {
    for (right, provision_users, said) in [
        ("delete on tasks", "true", "lacks delete on tasks ("),
        ("select, update on tasks", "true", "lacks select on tasks, update on tasks ("),
        ("insert on idempotency_keys", "false", "lacks insert on idempotency_keys ("),
        // Of one column that the service writes.
        ("update (status) on tasks", "true", "lacks update on tasks ("),
        ("insert (description) on tasks", "true", "lacks insert on tasks ("),
        ("select on users", "false", "lacks select on users ("),
        ("insert on users", "true", "lacks insert on users ("),
        ("usage on sequence tasks_id_seq", "true", "lacks usage on the sequence of tasks.id ("),
        ("execute on function insert_task", "true", "lacks execute on insert_task ("),
    ] {
        let (_app, response) =
            health_after(&format!("revoke {right} from public, ROLE"), provision_users).await;
        assert_eq!(response.status, 503, "{right}: {response}");
        let problem = response.problem(503).kind("misconfigured").mentions(said);
        problem.mentions("`migrator grant`").mentions("`database_url`");
    }
}

#[tokio::test]
async fn a_right_that_the_service_does_not_use_is_not_missing() {
    for (rights, provision_users) in
        [("insert on users", "false"), ("update (email) on users", "true")]
    {
        let (_app, response) =
            health_after(&format!("revoke {rights} from ROLE"), provision_users).await;
        response.good(200);
    }
}

#[tokio::test]
async fn row_security_that_shuts_the_role_out_is_not_healthy() {
    for (label, statements, said) in [
        (
            "no policy",
            "alter table tasks enable row level security;
             alter table idempotency_keys enable row level security",
            "row security is enabled on idempotency_keys, tasks",
        ),
        ("the accounts", "alter table users enable row level security", "enabled on users"),
        (
            "a policy for somebody else",
            "alter table tasks enable row level security;
             create policy theirs on tasks to pg_monitor using (true)",
            "enabled on tasks",
        ),
        (
            "a policy for reads",
            "alter table tasks enable row level security;
             create policy reads on tasks for select using (true)",
            "enabled on tasks",
        ),
        (
            "a restrictive policy",
            "alter table tasks enable row level security;
             create policy narrow on tasks as restrictive using (true)",
            "enabled on tasks",
        ),
    ] {
        let (_app, response) = health_after(statements, "true").await;
        assert_eq!(response.status, 503, "{label}: {response}");
        response.problem(503).kind("misconfigured").mentions(said);
    }
}

#[tokio::test]
async fn row_security_with_a_policy_for_the_role_is_healthy() {
    for statements in [
        "alter table tasks enable row level security; create policy mine on tasks to ROLE using (true)",
        "alter table tasks enable row level security; create policy every on tasks using (true)",
        "alter table users enable row level security; create policy reads on users using (true)",
    ] {
        let (app, response) = health_after(statements, "true").await;
        response.good(200);
        app.unregistered_user("newcomer").task("x").await;
    }
}

#[tokio::test]
async fn an_unreachable_database_is_not_healthy() {
    let app = App::start_with(|options| {
        options.database(&crate::closed_database());
    })
    .await;
    for path in ["/health/db", "/health/pool"] {
        let response = app.get(path).await;
        response.problem(503);
        let seconds: u32 = response.header("retry-after").parse().expect("seconds");
        assert!((1..=60).contains(&seconds), "{path}: {seconds}");
    }
}

#[tokio::test]
async fn the_pool_adds_up() {
    let app = App::start().await;
    let pool = app.get("/health/pool").await.good(200);
    let figure =
        |name: &str| pool[name].as_i64().unwrap_or_else(|| panic!("no number `{name}` in {pool}"));
    assert_eq!(pool.as_object().map(serde_json::Map::len), Some(5), "{pool}");
    // The connection of this query is one of them.
    assert!(figure("checked_out") >= 1, "{pool}");
    assert!(figure("checked_in") >= 0, "{pool}");
    assert_eq!(figure("total"), figure("checked_in") + figure("checked_out"), "{pool}");
    assert_eq!(figure("overflow"), (figure("total") - figure("size")).max(0), "{pool}");
}

#[tokio::test]
async fn the_pools_size_is_10_unless_it_is_configured() {
    let usual = App::start_with(|_| {}).await;
    assert_eq!(usual.get("/health/pool").await.good(200)["size"], 10);
    let configured = App::start_with(|options| {
        options.set("pool_size", "3");
    })
    .await;
    assert_eq!(configured.get("/health/pool").await.good(200)["size"], 3);
}

#[tokio::test]
async fn connections_beyond_the_size_are_overflow() {
    let app = App::start_with(|options| {
        options.set("pool_size", "2");
    })
    .await;
    let (database, role) = (app.database(), app.database().api_role());
    let (one, two, three) = (
        database.client_as(role).await,
        database.client_as(role).await,
        database.client_as(role).await,
    );
    let pool = app.get("/health/pool").await.good(200);
    assert_eq!(pool["size"], 2);
    assert!(pool["total"].as_i64().is_some_and(|total| total >= 4), "{pool}");
    assert!(pool["checked_in"].as_i64().is_some_and(|idle| idle >= 3), "{pool}");
    assert_eq!(pool["overflow"].as_i64(), pool["total"].as_i64().map(|total| total - 2), "{pool}");
    drop((one, two, three));
}

#[tokio::test]
async fn connections_of_other_roles_do_not_count() {
    let app = App::start_with(|_| {}).await;
    let before = pool_now(&app).await["total"].clone();
    let owners = (app.client().await, app.client().await, app.client().await);
    assert_eq!(pool_now(&app).await["total"], before);
    drop(owners);
}

#[tokio::test]
async fn connections_to_other_databases_do_not_count() {
    let app = App::start_with(|_| {}).await;
    let other = TestDatabase::create().await;
    let before = pool_now(&app).await["total"].clone();
    let role = app.database().api_role();
    let elsewhere =
        (other.client_as(role).await, other.client_as(role).await, other.client_as(role).await);
    assert_eq!(pool_now(&app).await["total"], before);
    drop(elsewhere);
}

/// One instance queries once a second; so does each further one, which a host starts if no running
/// instance can take a request.
#[tokio::test]
async fn the_database_is_asked_far_less_often_than_the_service() {
    const REQUESTS: usize = 200;
    const FEW: usize = 20;
    let app = App::start_with(|options| {
        options.reuse = large_instances();
    })
    .await;
    for path in ["/health/pool", "/health/db"] {
        let started = Instant::now();
        let requests = (0..REQUESTS).map(|_| app.get(path).into_future());
        let responses: Vec<Response> = stream::iter(requests).buffer_unordered(8).collect().await;
        let seconds = usize::try_from(started.elapsed().as_secs()).expect("a small number");

        for response in &responses {
            response.good(200);
        }
        let asked = responses.iter().filter(|response| is_new(response)).count();
        if Difference::OneRequestPerInstance.applies() {
            assert_eq!(asked, REQUESTS, "{path}");
            continue;
        }
        assert!(asked >= 1, "{path}");
        assert!(asked <= FEW * (1 + seconds), "{path}: {asked} in {seconds} s");
    }
}

/// With the host's default limits, and counted at the database.
///
/// A host starts an instance only if none of those that are there can take a request, so there are at most as many
/// as connections, but for those that have taken all their requests. Each queries when it is new, and once a second;
/// one that another one follows because it was idle, has been idle for a second.
#[tokio::test]
async fn many_connections_query_the_database_once_a_second_for_each_instance() {
    const CONNECTIONS: usize = 64;
    const REQUESTS: usize = 2_048;
    let reuse = InstanceReuse::default();
    let (app, proxy) = behind_proxy(Duration::from_secs(30), |options| {
        options.reuse = reuse;
    })
    .await;
    for path in ["/health/pool", "/health/db"] {
        proxy.take_sent();
        let started = Instant::now();
        let requests = (0..REQUESTS).map(|_| async { app.get(path).await.status });
        let statuses: Vec<u16> =
            stream::iter(requests).buffer_unordered(CONNECTIONS).collect().await;
        let seconds = usize::try_from(started.elapsed().as_secs()).expect("a small number");

        assert!(statuses.iter().all(|status| *status == 200), "{path}: {statuses:?}");
        let statements = proxy.count_sent("BES");
        if Difference::OneRequestPerInstance.applies() {
            assert_eq!(statements, REQUESTS, "{path}");
            continue;
        }
        // The requests that were the last ones of an instance may outlast an answer that is kept.
        let limit = CONNECTIONS * (1 + seconds) + 2 * REQUESTS / reuse.max_reuse;
        assert!((1..=limit).contains(&statements), "{path}: {statements} in {seconds} s");
    }
}

/// As behind a pooler that takes no settings with a connection: the role's limit is the only one.
#[tokio::test]
async fn a_statement_without_any_time_limit_is_a_warning() {
    let database = TestDatabase::migrated().await;
    let url = format!("{}&pgbouncer=true", database.api_url().to_connection_string());
    let app = App::start_on(database, |options| {
        options.directly().set("database_url", &url);
    })
    .await;
    assert_eq!(app.get("/health/db").await.good(200).get("warnings"), None);

    let database = app.database();
    let no_limit = format!(
        "alter role {} in database {} set statement_timeout = 0",
        database.api_role().quoted(),
        database.name()
    );
    app.client().await.batch_execute(&no_limit).await.expect("remove the limit");
    app.restart().await;
    let health = app.get("/health/db").await.good(200);
    if Difference::NoDatabaseDeadline.applies() {
        let warnings = health["warnings"].as_array().expect("a list of warnings");
        assert_eq!(warnings.len(), 1, "{health}");
        assert!(warnings[0].as_str().is_some_and(|text| text.contains("`statement_timeout`")));
    } else {
        // The component's own limit is enough.
        assert_eq!(health.get("warnings"), None, "{health}");
    }
}
