//! TLS, with a private certificate authority and a server with a certificate for `localhost`.

use tests::{AUTHORITY, TestDatabase, TestServer};

use crate::support::catalog::versions;
use crate::support::program::run_with;

/// A database on a server that offers TLS.
pub(crate) async fn database_with_tls() -> TestDatabase {
    let server = TestServer::throwaway().await;
    server.offer_tls().await;
    server.empty_database().await
}

/// The connection string with TLS, for a host name.
pub(crate) fn with_tls(database: &TestDatabase, host: &str) -> String {
    let url = database.url();
    tests::with_tls(url, host, url.port()).to_connection_string()
}

pub(crate) fn authority_file() -> String {
    tests::authority_file().to_str().expect("a plain path").to_owned()
}

#[tokio::test]
async fn a_private_authority_is_trusted_when_it_is_given() {
    let database = database_with_tls().await;
    let url = with_tls(&database, "localhost");
    let arguments = ["up", "--database-ca", &authority_file()];
    run_with(&[("DATABASE_URL", &url)], &arguments).await.exits(0);
    assert_eq!(versions(&database).await, [1, 2, 3, 4, 5]);
}

#[tokio::test]
async fn a_private_authority_can_be_given_as_text() {
    let database = database_with_tls().await;
    let url = with_tls(&database, "localhost");
    let variables = [("DATABASE_URL", url.as_str()), ("DATABASE_CA", AUTHORITY)];
    run_with(&variables, &["status"]).await.exits(0);
}

#[tokio::test]
async fn an_unknown_authority_is_not_trusted() {
    let database = database_with_tls().await;
    let url = with_tls(&database, "localhost");
    run_with(&[("DATABASE_URL", &url)], &["up"])
        .await
        .exits(3)
        .says("no trusted TLS connection")
        .says("hint: for a private certificate authority, pass its certificate")
        .does_not_print("does not answer yet");
    assert_eq!(versions(&database).await, [0; 0]);
}

#[tokio::test]
async fn a_certificate_for_another_name_is_not_trusted() {
    let database = database_with_tls().await;
    let url = with_tls(&database, "127.0.0.1");
    let arguments = ["up", "--database-ca", &authority_file()];
    run_with(&[("DATABASE_URL", &url)], &arguments)
        .await
        .exits(3)
        .says("certificate not valid for name \"127.0.0.1\"");
}

#[tokio::test]
async fn health_reports_version_cipher_and_certificate() {
    let database = database_with_tls().await;
    let url = with_tls(&database, "localhost");
    let arguments = ["health", "--json", "--database-ca", &authority_file()];
    let report = run_with(&[("DATABASE_URL", &url)], &arguments).await.exits(0).json();
    let tls = &report["endpoint"]["tls"];
    assert_eq!(tls["version"], "TLSv1.3");
    assert!(tls["cipher"].as_str().is_some_and(|name| name.starts_with("TLS_")), "{tls:#}");
    assert!(tls["certificate_days_left"].as_i64().is_some_and(|days| days > 10_000), "{tls:#}");
    assert!(tls["certificate_not_after"].as_str().is_some_and(|end| end.ends_with('Z')), "{tls:#}");
}

#[tokio::test]
async fn a_file_that_is_no_certificate_is_a_usage_error() {
    let variables = [("DATABASE_URL", "postgresql://ann@localhost/shop?sslmode=require")];
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    run_with(&variables, &["up", "--database-ca", manifest])
        .await
        .exits(2)
        .says("cannot use the certificate authority");
}

#[tokio::test]
async fn a_certificate_file_that_is_not_there_is_a_usage_error() {
    let variables = [("DATABASE_URL", "postgresql://ann@localhost/shop")];
    run_with(&variables, &["up", "--database-ca", "nowhere.pem"])
        .await
        .exits(2)
        .says("`nowhere.pem`");
}
