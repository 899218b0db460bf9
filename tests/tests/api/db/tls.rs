//! TLS to the database, with a private certificate authority: as production has it, and as it is refused.

use neon_url::DatabaseUrl;
use reqwest::Method;
use serde_json::json;
use tests::{
    AUTHORITY, App, Difference, FaultProxy, OTHER_AUTHORITY, TestDatabase, TestServer, with_tls,
};

use super::cause;

/// A database on a server that offers TLS for the name `localhost`.
async fn database() -> TestDatabase {
    let server = TestServer::throwaway().await;
    server.offer_tls().await;
    server.migrated_database().await
}

async fn app(database: TestDatabase, url: DatabaseUrl, authority: &str) -> App {
    App::start_on(database, |options| {
        options.database(&url);
        options.set("database_ca", authority);
    })
    .await
}

fn to_host(database: &TestDatabase, host: &str) -> DatabaseUrl {
    let url = database.api_url();
    with_tls(&url, host, url.port())
}

#[tokio::test]
async fn the_api_connects_with_tls() {
    if Difference::NoPrivateCa.applies() {
        return;
    }
    let database = database().await;
    let url = to_host(&database, "localhost");
    let app = app(database, url, AUTHORITY).await;
    let alice = app.user("alice").await;
    let task = alice.task("Buy milk").await;
    assert_eq!(alice.tasks().await, [task]);
    app.get("/health/db").await.good(200);
    let sql = "select count(*) filter (where ssl), count(*) filter (where not ssl)
                 from pg_stat_ssl natural join pg_stat_activity
                where usename = $1 and datname = current_database()";
    let role = &app.database().api_role().name;
    let row = app.client().await.query_one(sql, &[role]).await.expect("ask");
    let (with, without): (i64, i64) = (row.get(0), row.get(1));
    assert!(with > 0 && without == 0, "{with} with, {without} without TLS");
}

/// Asserts that reads and writes are refused at once, with a cause of these words, and that health says so.
async fn assert_refused(app: &App, words: &[&str]) {
    let alice = app.unregistered_user("alice");
    for method in [Method::GET, Method::POST] {
        let request = alice.request(method, &alice.path("/tasks"));
        let response = request.json(json!({ "title": "x" })).await;
        response.problem(503).kind("database-unavailable");
        assert_eq!(response.header("retry-after"), "2");
        assert!(!response.text().to_lowercase().contains("certificate"), "{response}");
        let cause = cause(app, &response).await.to_lowercase();
        assert!(words.iter().any(|word| cause.contains(word)), "{cause}");
        assert!(!cause.contains("postgresql://") && !cause.contains(".rs:"), "{cause}");
    }
    app.get("/health/db").await.problem(503);
}

#[tokio::test]
async fn an_unknown_authority_is_refused() {
    if Difference::NoPrivateCa.applies() {
        return;
    }
    let database = database().await;
    let url = to_host(&database, "localhost");
    let app = app(database, url, OTHER_AUTHORITY).await;
    // OpenSSL's words, and those of rustls.
    assert_refused(&app, &["certificate verify failed", "invalid peer certificate"]).await;
}

#[tokio::test]
async fn an_authority_that_nobody_named_is_refused() {
    let database = database().await;
    let url = to_host(&database, "localhost");
    let app = App::start_on(database, |options| {
        options.database(&url).unset("database_ca");
    })
    .await;
    assert_refused(&app, &["certificate verify failed", "invalid peer certificate"]).await;
}

#[tokio::test]
async fn a_certificate_for_another_name_is_refused() {
    if Difference::NoPrivateCa.applies() {
        return;
    }
    let database = database().await;
    let url = to_host(&database, "127.0.0.1");
    let app = app(database, url, AUTHORITY).await;
    assert_refused(&app, &["mismatch", "not valid for name"]).await;
}

#[tokio::test]
async fn a_server_without_tls_is_refused() {
    let database = TestDatabase::migrated().await;
    let proxy = FaultProxy::to(database.url()).await;
    proxy.decline_tls();
    let url = proxy.through(&with_tls(&database.api_url(), "127.0.0.1", database.url().port()));
    let app = App::start_on(database, |options| {
        options.database(&url).unset("database_ca");
    })
    .await;
    assert_refused(&app, &["does not support tls"]).await;
}
