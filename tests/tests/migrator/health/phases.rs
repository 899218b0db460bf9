//! The phases of a connection: name lookup, TCP, TLS and login, each with its time.

use std::time::Duration;

use serde_json::Value;
use tests::{TestDatabase, TestServer};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::number;
use super::proxy::{Delay, Proxy};
use crate::connection::tls::{authority_file, database_with_tls, with_tls};
use crate::support::program::run_with;

/// The report on a healthy database.
async fn report(url: &str) -> Value {
    let arguments = ["health", "--json", "--database-ca", &authority_file()];
    run_with(&[("DATABASE_URL", url)], &arguments).await.exits(0).json()
}

/// The report on an unusable database.
async fn failure(url: &str) -> Value {
    failure_within(url, "10s").await
}

/// The same, with a time limit for connecting.
async fn failure_within(url: &str, limit: &str) -> Value {
    let arguments = ["health", "--json", "--connect-timeout", limit];
    run_with(&[("DATABASE_URL", url)], &arguments).await.exits(1).json()
}

/// Asserts that the report has exactly these phases, and that they add up to the total.
#[track_caller]
fn assert_phases(report: &Value, expected: &[&str]) {
    for connection in ["cold", "warm"] {
        let phases = report["connect_phases_ms"][connection].as_object().expect("phases");
        let present: Vec<&str> = ["dns", "tcp", "tls", "auth"]
            .into_iter()
            .filter(|phase| phases[*phase].is_number())
            .collect();
        assert_eq!(present, expected, "{report:#}");
        let sum: f64 = present.iter().filter_map(|phase| phases[*phase].as_f64()).sum();
        let total = phases["total"].as_f64().expect("a total");
        assert!((sum - total).abs() < 0.01, "{sum} is not {total}");
        assert_eq!(report["connect_ms"][connection], phases["total"]);
    }
}

#[tokio::test]
async fn of_an_address_there_is_no_lookup() {
    let database = TestDatabase::migrated().await;
    let url = database.url().to_connection_string();
    assert_phases(&report(&url).await, &["tcp", "auth"]);
}

#[tokio::test]
async fn of_a_name_there_is_a_lookup() {
    let database = TestServer::throwaway().await.empty_database().await;
    let url = database.url().to_connection_string();
    let url = url.replacen("@127.0.0.1:", "@localhost:", 1);
    assert_phases(&report(&url).await, &["dns", "tcp", "auth"]);
}

#[tokio::test]
async fn of_tls_there_is_a_handshake() {
    let database = database_with_tls().await;
    let url = with_tls(&database, "localhost");
    let report = report(&url).await;
    assert_phases(&report, &["dns", "tcp", "tls", "auth"]);
    assert_eq!(report["endpoint"]["tls"]["version"], "TLSv1.3");
}

#[tokio::test]
async fn preferred_tls_is_used_where_it_is_offered() {
    let database = database_with_tls().await;
    let url = with_tls(&database, "localhost").replace("sslmode=require", "sslmode=prefer");
    let report = report(&url).await;
    assert_phases(&report, &["dns", "tcp", "tls", "auth"]);
    assert_eq!(report["endpoint"]["tls"]["version"], "TLSv1.3");
}

#[tokio::test]
async fn preferred_tls_is_skipped_where_it_is_not_offered() {
    let database = TestServer::throwaway().await.empty_database().await;
    let url = database.url().to_connection_string().replace("sslmode=disable", "sslmode=prefer");
    let gateway = Proxy::without_tls(&url).await;
    let report = report(gateway.url()).await;
    assert_phases(&report, &["tcp", "auth"]);
    assert_eq!(report["endpoint"]["tls"], Value::Null);
    assert_eq!(report["endpoint"]["ssl_mode"], "prefer");
}

#[tokio::test]
async fn of_a_socket_there_is_neither_a_lookup_nor_tls() {
    let database = TestServer::throwaway().await.empty_database().await;
    let gateway = Proxy::by_socket(&database);
    let report = report(gateway.url()).await;
    assert_phases(&report, &["tcp", "auth"]);
    assert!(report["endpoint"]["host"].as_str().is_some_and(|host| host.starts_with('/')));
    assert_eq!(gateway.opened(), 4);
}

#[tokio::test]
async fn a_slow_login_is_a_slow_login() {
    let database = TestDatabase::migrated().await;
    let url = database.url().to_connection_string();
    let gateway = Proxy::to(&url, Delay::Every(Duration::from_millis(400))).await;
    let report = report(gateway.url()).await;
    assert!(number(&report, "/connect_phases_ms/warm/auth") >= 400.0, "{report:#}");
    assert!(number(&report, "/connect_phases_ms/warm/tcp") < 400.0, "{report:#}");
}

#[tokio::test]
async fn a_slow_handshake_is_a_slow_handshake() {
    let database = database_with_tls().await;
    let slow = Delay::Every(Duration::from_millis(400));
    let gateway = Proxy::to(&with_tls(&database, "localhost"), slow).await;
    let report = report(gateway.url()).await;
    assert!(number(&report, "/connect_phases_ms/warm/tls") >= 400.0, "{report:#}");
    assert!(number(&report, "/connect_phases_ms/warm/auth") < 400.0, "{report:#}");
}

#[tokio::test]
async fn the_text_has_them_too() {
    let database = database_with_tls().await;
    let arguments = ["health", "--database-ca", &authority_file()];
    let url = with_tls(&database, "localhost");
    let output = run_with(&[("DATABASE_URL", &url)], &arguments).await.exits(0);
    let line = output.stdout.lines().find(|line| line.starts_with("connecting"));
    let line = line.unwrap_or_else(|| panic!("{output:#?}"));
    let shape: String = line.chars().filter(|c| !c.is_ascii_digit()).collect();
    let phases = "(dns ., tcp ., tls ., auth .)";
    assert_eq!(shape, format!("connecting   . ms cold {phases}, . ms warm {phases}"));
}

#[tokio::test]
async fn a_lookup_that_fails_is_named() {
    let report = failure_within("postgresql://ann@no-such-host.invalid/shop", "1s").await;
    assert_eq!(report["failed_phase"], "dns");
    assert_eq!(report["error"]["phase"], "dns");
}

#[tokio::test]
async fn a_refused_connection_is_named() {
    let report = failure("postgresql://ann@127.0.0.1:1/shop").await;
    assert_eq!(report["failed_phase"], "tcp");
    assert_eq!(report["usable"], false);
    assert_eq!(report["connect_ms"], Value::Null);
    assert_eq!(report["connect_phases_ms"], Value::Null);
}

#[tokio::test]
async fn a_handshake_that_fails_is_named() {
    let database = database_with_tls().await;
    let report = failure(&with_tls(&database, "localhost")).await;
    assert_eq!(report["failed_phase"], "tls");
    assert_eq!(report["error"]["kind"], "tls");
}

#[tokio::test]
async fn tls_that_is_declined_is_named() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("listen");
    let port = listener.local_addr().expect("an address").port();
    let server = tokio::spawn(async move {
        let (mut client, _) = listener.accept().await.expect("accept");
        client.read_exact(&mut [0; 8]).await.expect("a request for TLS");
        client.write_all(b"N").await.expect("decline");
    });
    let report = failure(&format!("postgresql://ann@127.0.0.1:{port}/shop?sslmode=require")).await;
    assert_eq!(report["failed_phase"], "tls");
    server.await.expect("the server ends");
}

#[tokio::test]
async fn a_timeout_is_named_by_its_phase() {
    let silent = TcpListener::bind("127.0.0.1:0").await.expect("listen");
    let port = silent.local_addr().expect("an address").port();
    let url = format!("postgresql://ann@127.0.0.1:{port}/shop");
    let report = failure_within(&url, "500ms").await;
    assert_eq!(report["failed_phase"], "auth");
    let message = report["error"]["message"].as_str().expect("a message");
    assert!(message.ends_with("no answer within 0.5 s, during the login"), "{message}");
    let report = failure_within(&format!("{url}?sslmode=require"), "500ms").await;
    assert_eq!(report["failed_phase"], "tls");
}

#[tokio::test]
async fn a_login_that_fails_is_named() {
    let database = TestServer::throwaway().await.empty_database().await;
    let url = database.url().with_role("nobody at all", "hunter2").to_connection_string();
    let output = run_with(&[("DATABASE_URL", &url)], &["health"]).await.exits(1);
    assert!(output.stdout.contains("\nfailed at    the login\n"), "{output:#?}");
    output.does_not_print("hunter2").says("hint: check the user name and the password");
    assert_eq!(failure(&url).await["failed_phase"], "auth");
}
