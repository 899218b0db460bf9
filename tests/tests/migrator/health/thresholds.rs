//! `--max-connect-ms`, `--max-ping-ms`, `--max-connections-pct`

use std::time::Duration;

use serde_json::{Value, json};
use tests::TestDatabase;

use super::number;
use super::proxy::{Delay, Proxy};
use crate::support::program::{run, run_with};

#[tokio::test]
async fn that_are_not_exceeded_change_nothing() {
    let database = TestDatabase::migrated().await;
    let arguments = [
        "health",
        "--json",
        "--max-connect-ms",
        "60000",
        "--max-ping-ms",
        "60000.5",
        "--max-connections-pct",
        "100",
    ];
    let report = run(&database, &arguments).await.exits(0).json();
    assert_eq!(report["healthy"], true);
    assert_eq!(report["exceeded"], json!([]));
}

#[tokio::test]
async fn a_slow_round_trip_is_exit_code_1() {
    let database = TestDatabase::migrated().await;
    let arguments = ["health", "--json", "--max-ping-ms", "0.000001"];
    let report = run(&database, &arguments).await.exits(1).json();
    assert_eq!(report["healthy"], false);
    assert_eq!(report["usable"], true);
    assert_eq!(report["error"], Value::Null);
    assert_eq!(report["exceeded"][0]["limit"], "max_ping_ms");
    assert_eq!(report["exceeded"][0]["measured"], report["round_trip_ms"]["p95"]);
    assert_eq!(report["exceeded"][0]["allowed"], 0.000_001);
    assert!(report["exceeded"][0]["advice"].as_str().is_some_and(|advice| !advice.is_empty()));
}

#[tokio::test]
async fn a_slow_connection_is_exit_code_1() {
    let database = TestDatabase::migrated().await;
    let url = database.url().to_connection_string();
    let gateway = Proxy::to(&url, Delay::Every(Duration::from_millis(300))).await;
    let arguments = ["health", "--json", "--max-connect-ms", "250"];
    let report = run_with(&[("DATABASE_URL", gateway.url())], &arguments).await.exits(1).json();
    assert_eq!(report["exceeded"][0]["limit"], "max_connect_ms");
    assert_eq!(report["exceeded"][0]["measured"], report["connect_ms"]["warm"]);
    assert_eq!(report["exceeded"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn too_many_connections_are_exit_code_1() {
    let database = TestDatabase::migrated().await;
    let admin = database.client().await;
    let row = admin.query_one("show max_connections", &[]).await.expect("ask");
    let max: usize = row.get::<_, &str>(0).parse().expect("a number");
    // The limit of one per cent, and the connections above it.
    let mut more = Vec::new();
    for _ in 0..=max / 100 {
        more.push(database.client().await);
    }
    let arguments = ["health", "--json", "--max-connections-pct", "1"];
    let report = run(&database, &arguments).await.exits(1).json();
    assert_eq!(report["exceeded"][0]["limit"], "max_connections_pct");
    assert!(number(&report, "/exceeded/0/measured") > 1.0);
    drop((admin, more));
}

#[tokio::test]
async fn the_text_has_a_hint() {
    let database = TestDatabase::migrated().await;
    let output = run(&database, &["health", "--max-ping-ms", "0.000001"]).await.exits(1);
    assert!(output.stdout.contains("\nusable       yes\nexceeded     a statement takes up to "));
    output
        .says("error: a statement takes up to ")
        .says(" ms there and back, more than the 0.000001 ms of `--max-ping-ms`\n")
        .says("hint: run this, and the API, in the database's region");
}

#[tokio::test]
async fn that_are_invalid_are_usage_errors() {
    for (option, value) in [
        ("--max-connect-ms", "0"),
        ("--max-connect-ms", "-5"),
        ("--max-connect-ms", "fast"),
        ("--max-ping-ms", "NaN"),
        ("--max-ping-ms", "inf"),
        ("--max-connections-pct", "0"),
        ("--max-connections-pct", "101"),
        ("--max-connections-pct", "1.5"),
    ] {
        let argument = format!("{option}={value}");
        let variables = [("DATABASE_URL", "postgresql://ann@127.0.0.1:1/shop")];
        run_with(&variables, &["health", &argument]).await.exits(2).says(option);
    }
}
