//! The API through the pooler.

use std::time::Duration;

use futures::future::join_all;
use serde_json::json;
use tests::{AUTHORITY, App, InstanceReuse, Pooler, PoolerSettings, TestServer};

const REMEMBERS: PoolerSettings =
    PoolerSettings { max_prepared_statements: 100, pool_size: 10, tls: false };

/// PgBouncer rejects a connection with the time limit as a parameter; every instance has to detect that.
#[tokio::test]
async fn the_api_works_without_its_statement_timeout_where_the_pooler_rejects_it() {
    let database = TestServer::throwaway().await.migrated_database().await;
    let pooler = Pooler::before(database.url(), REMEMBERS).await;
    let url = pooler.through(database.url());
    let app = App::start_on(database, |options| {
        options.database(&url);
        options.reuse = InstanceReuse { max_reuse: 2, ..InstanceReuse::default() };
    })
    .await;
    let alice = app.user("alice").await;
    let mut tasks = Vec::new();
    for title in ["one", "two", "three", "four"] {
        tasks.insert(0, alice.task(title).await);
    }
    assert_eq!(alice.tasks().await, tasks);
}

/// The pooler is there and its server is not, as when a suspended compute wakes up: PgBouncer refuses the
/// statements that wait for it.
#[tokio::test]
async fn a_server_that_comes_back_behind_the_pooler_is_waited_for() {
    const AWAY: Duration = Duration::from_secs(3);
    let server = TestServer::with_settings(&[]).await;
    server.offer_tls().await;
    let database = server.migrated_database().await;
    let pooler = Pooler::before(database.url(), PoolerSettings::LIKE_NEON).await;
    let url = pooler.through(&database.api_url());
    let app = App::start_on(database, |options| {
        options.database(&url).set("database_ca", AUTHORITY);
    })
    .await;
    let alice = app.user("alice").await;
    alice.task("before").await;
    server.crash().await;
    let titles = ["one", "two", "three", "four"];
    let requests: Vec<_> = titles
        .map(|title| tokio::spawn(alice.create(json!({ "title": title })).into_future()))
        .into();
    tokio::time::sleep(AWAY).await;
    server.start_again().await;
    for response in join_all(requests).await {
        response.expect("a request that was made").good(201);
    }
    alice.get("/tasks").await.good(200);
}
