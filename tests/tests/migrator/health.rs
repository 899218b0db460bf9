//! `migrator health`

use serde_json::{Value, json};
use tests::TestDatabase;

use crate::folder::Folder;
use crate::program::{run, run_with};

#[tokio::test]
async fn a_person_can_read_the_report() {
    let database = TestDatabase::migrated().await;
    let outcome = run(&database, &["health"]).await.exits(0);
    let labels: Vec<&str> =
        outcome.stdout.lines().filter_map(|line| line.get(..12)).map(str::trim).collect();
    assert_eq!(
        labels,
        [
            "database",
            "endpoint",
            "usable",
            "TLS",
            "server",
            "connecting",
            "round trip",
            "connections",
            "migrations",
            "size"
        ]
    );
    assert!(outcome.stdout.contains("at V1: 1 applied, 0 pending"), "{}", outcome.stdout);
}

#[tokio::test]
async fn a_machine_can_read_the_report() {
    let database = TestDatabase::migrated().await;
    let report = run(&database, &["health", "--json"]).await.exits(0).json();
    assert_eq!(report["healthy"], true);
    assert_eq!(report["error"], Value::Null);
    assert_eq!(report["endpoint"]["host"], database.url().host());
    assert_eq!(report["endpoint"]["kind"], "direct");
    assert_eq!(
        report["migrations"],
        json!({ "current": 1, "applied": 1, "pending": 0, "diverged": 0, "missing": 0 })
    );
    let number = |pointer: &str| report.pointer(pointer).and_then(Value::as_f64).unwrap_or(-1.0);
    assert!(number("/connect_ms/cold") > 0.0, "{report:#}");
    assert!(number("/connect_ms/warm") > 0.0, "{report:#}");
    assert!(number("/round_trip_ms/p50") > 0.0, "{report:#}");
    assert!(number("/round_trip_ms/p95") >= number("/round_trip_ms/p50"), "{report:#}");
    assert!(number("/connections/total") >= 1.0, "{report:#}");
    assert!(number("/connections/max") >= number("/connections/total"), "{report:#}");
    assert!(number("/database_size_bytes") > 0.0, "{report:#}");
}

#[tokio::test]
async fn pending_migrations_are_a_warning() {
    let database = TestDatabase::create().await;
    run(&database, &["health"]).await.exits(0).says("warning: pending migrations: 1");
}

#[tokio::test]
async fn diverged_migrations_are_a_warning() {
    let database = TestDatabase::migrated().await;
    let folder = Folder::of_three();
    run(&database, &["health", "--dir", folder.path()])
        .await
        .exits(0)
        .says("warning: history and migrations have diverged");
}

#[tokio::test]
async fn an_unreachable_database_is_a_no_with_the_reason() {
    let url = "postgresql://ann:hunter2@127.0.0.1:1/shop";
    let outcome = run_with(&[("DATABASE_URL", url)], &["health"]).await.exits(1);
    let outcome = outcome.keeps_quiet_about("hunter2");
    let expected = "no: cannot reach the database at `127.0.0.1:1`: connection refused";
    assert!(outcome.stdout.contains(expected), "{}", outcome.stdout);
}

#[tokio::test]
async fn an_unreachable_database_is_still_one_document() {
    let url = "postgresql://ann:hunter2@127.0.0.1:1/shop";
    let outcome = run_with(&[("DATABASE_URL", url)], &["health", "--json"]).await.exits(1);
    let report = outcome.keeps_quiet_about("hunter2").json();
    assert_eq!(report["healthy"], false);
    assert_eq!(report["error"]["kind"], "unreachable");
    assert_eq!(report["error"]["exit_code"], 1);
    assert_eq!(report["server_version"], Value::Null);
}

#[tokio::test]
async fn a_pooled_host_is_looked_at_as_it_is() {
    let url = "postgresql://ann@ep-no-such-123456-pooler.us-east-2.aws.neon.tech/shop";
    let arguments = ["health", "--json", "--connect-timeout", "200ms"];
    let report = run_with(&[("DATABASE_URL", url)], &arguments).await.exits(1).json();
    assert_eq!(report["endpoint"]["kind"], "pooled");
    assert_eq!(report["endpoint"]["host"], "ep-no-such-123456-pooler.us-east-2.aws.neon.tech");
}

#[tokio::test]
async fn a_bad_connection_string_is_a_usage_error() {
    run_with(&[("DATABASE_URL", "shop")], &["health"]).await.exits(2);
}
