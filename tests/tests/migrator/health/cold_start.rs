//! Cold starts: a first connection that takes far longer than the later ones.

use std::time::Duration;

use serde_json::json;
use tests::TestDatabase;

use super::number;
use super::proxy::{Delay, Proxy};
use crate::support::program::run_with;

/// Time in which a suspended compute starts. Many times the connection time on a busy machine.
const WAKING: Duration = Duration::from_secs(2);

async fn sleeping(database: &TestDatabase) -> Proxy {
    Proxy::to(&database.url().to_connection_string(), Delay::First(WAKING)).await
}

#[tokio::test]
async fn is_recognised_and_reported() {
    let database = TestDatabase::migrated().await;
    let gateway = sleeping(&database).await;
    let variables = [("DATABASE_URL", gateway.url())];
    let report = run_with(&variables, &["health", "--json"]).await.exits(0).json();
    assert_eq!(report["cold_start"], true, "{report:#}");
    assert!(number(&report, "/connect_ms/cold") >= 2000.0, "{report:#}");
    assert!(number(&report, "/connect_ms/warm") < 2000.0, "{report:#}");
    let note = report["notes"][0].as_str().expect("a note");
    assert!(note.starts_with("cold start: the first connection took 2"), "{note}");
    assert!(
        note.ends_with("something had to wake up first: the server, a pooler, or a name server"),
        "{note}"
    );
}

#[tokio::test]
async fn is_a_note_for_people_and_no_warning() {
    let database = TestDatabase::migrated().await;
    let gateway = sleeping(&database).await;
    let output = run_with(&[("DATABASE_URL", gateway.url())], &["health"]).await.exits(0);
    assert!(output.stdout.contains("\nnote         cold start: the first"), "{output:#?}");
    assert!(!output.stderr.contains("cold start"), "{output:#?}");
}

#[tokio::test]
async fn does_not_exceed_the_limit_for_connecting() {
    let database = TestDatabase::migrated().await;
    let gateway = sleeping(&database).await;
    let arguments = ["health", "--json", "--max-connect-ms", "1500"];
    let report = run_with(&[("DATABASE_URL", gateway.url())], &arguments).await.exits(0).json();
    assert_eq!(report["cold_start"], true, "{report:#}");
    assert_eq!(report["exceeded"], json!([]));
}

#[tokio::test]
async fn is_not_what_is_always_slow() {
    let database = TestDatabase::migrated().await;
    let url = database.url().to_connection_string();
    let gateway = Proxy::to(&url, Delay::Every(Duration::from_millis(500))).await;
    let variables = [("DATABASE_URL", gateway.url())];
    let report = run_with(&variables, &["health", "--json"]).await.exits(0).json();
    assert_eq!(report["cold_start"], false, "{report:#}");
    assert_eq!(report["notes"], json!([]));
    assert_eq!(gateway.opened(), 4, "one cold connection and three warm ones");
}
