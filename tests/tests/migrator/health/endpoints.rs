//! The pooled endpoint beside the direct one. With a real pooler: `cargo test-pooler`.

use serde_json::json;
use tests::TestDatabase;

use super::warning_kinds;
use crate::support::program::{run, run_with};

const REFUSED: &str = "postgresql://ann:hunter2@127.0.0.1:1/shop";

#[tokio::test]
async fn a_server_without_a_pooler_has_one_endpoint() {
    let database = TestDatabase::migrated().await;
    let report = run(&database, &["health", "--json"]).await.exits(0).json();
    assert_eq!(
        report["endpoints"],
        json!([{
            "kind": "direct",
            "host": database.url().host(),
            "port": database.url().port(),
            "works": true,
            "connect_ms": report["connect_ms"]["warm"],
            "error": null,
            "prepared_statements": null,
            "prepared_statements_untested": null,
        }])
    );
}

#[tokio::test]
async fn a_pooled_endpoint_that_does_not_work_is_a_warning() {
    let database = TestDatabase::migrated().await;
    let arguments = ["health", "--json", "--pooled-url", REFUSED];
    let report = run(&database, &arguments).await.exits(0).does_not_print("hunter2").json();
    let pooled = &report["endpoints"][0];
    assert_eq!((&pooled["kind"], &pooled["works"]), (&json!("pooled"), &json!(false)));
    assert_eq!(pooled["error"], "cannot reach the database at `127.0.0.1:1`: connection refused");
    assert_eq!(pooled["prepared_statements"], json!(null));
    assert_eq!(report["endpoints"][1]["works"], true);
    assert_eq!(report["healthy"], true);
    assert!(warning_kinds(&report).contains(&"pooled_endpoint"), "{report:#}");
}

#[tokio::test]
async fn the_text_names_the_endpoint_that_works() {
    let database = TestDatabase::migrated().await;
    let output = run(&database, &["health", "--pooled-url", REFUSED]).await.exits(0);
    let pooled = "\npooled       127.0.0.1:1 does not work: cannot reach the database at ";
    assert!(output.stdout.contains(pooled), "{output:#?}");
    let direct = format!("\ndirect       127.0.0.1:{} works, ", database.url().port());
    assert!(output.stdout.contains(&direct), "{output:#?}");
    output
        .says("warning: the pooled endpoint, `127.0.0.1`, does not work: ")
        .says("hint: the API should connect through it: look at the pooler");
}

#[tokio::test]
async fn the_pooled_endpoint_may_work_where_the_direct_one_does_not() {
    let database = TestDatabase::migrated().await;
    let pooled = database.url().to_connection_string();
    let variables = [("DATABASE_URL", REFUSED), ("MIGRATOR_POOLED_URL", &pooled)];
    let report = run_with(&variables, &["health", "--json"]).await.exits(1).json();
    assert_eq!(report["usable"], false);
    assert_eq!(report["endpoints"][0]["works"], true);
    assert_eq!(report["endpoints"][1]["works"], false);
    assert_eq!(report["endpoints"][1]["error"], report["error"]["message"]);
}

#[tokio::test]
async fn what_shares_no_sessions_proves_nothing() {
    let database = TestDatabase::migrated().await;
    let url = database.url().to_connection_string();
    let arguments = ["health", "--json", "--pooled-url", &url];
    // The same server, without a pooler.
    let variables = [("DATABASE_URL", url.as_str())];
    let report = run_with(&variables, &arguments).await.exits(0).json();
    let pooled = &report["endpoints"][0];
    assert_eq!(pooled["prepared_statements"], "untested", "{report:#}");
    let reason = pooled["prepared_statements_untested"].as_str().expect("a reason");
    assert!(reason.starts_with("each client kept its server session"), "{reason}");
    assert_eq!(
        report["notes"],
        json!([format!(
            "whether prepared statements survive the pooled endpoint is not known: {reason}"
        )])
    );
    assert!(!warning_kinds(&report).contains(&"prepared_statements"), "{report:#}");
}

#[tokio::test]
async fn both_endpoints_of_neon_are_tried() {
    for given in ["ep-no-such-123456", "ep-no-such-123456-pooler"] {
        let url = format!("postgresql://ann:hunter2@{given}.us-east-2.aws.neon.tech/shop");
        let arguments = ["health", "--json", "--connect-timeout", "200ms"];
        let output = run_with(&[("DATABASE_URL", &url)], &arguments).await.exits(1);
        let report = output.does_not_print("hunter2").json();
        let endpoints: Vec<_> = (0..2)
            .map(|index| &report["endpoints"][index])
            .map(|endpoint| (endpoint["kind"].as_str(), endpoint["host"].as_str()))
            .collect();
        let host = |label: &str| format!("{label}.us-east-2.aws.neon.tech");
        let (pooled, direct) = (host("ep-no-such-123456-pooler"), host("ep-no-such-123456"));
        let expected =
            [(Some("pooled"), Some(pooled.as_str())), (Some("direct"), Some(direct.as_str()))];
        assert_eq!(endpoints, expected, "{given}");
        assert!(report["endpoints"][0]["error"].is_string(), "{report:#}");
        assert!(report["endpoints"][1]["error"].is_string(), "{report:#}");
    }
}

#[tokio::test]
async fn a_pooled_url_that_is_none_is_a_usage_error_that_does_not_repeat_it() {
    let database = TestDatabase::migrated().await;
    let pooled = "postgresql://ann:hunter2@db.example.com/shop?sslmode=disable";
    run(&database, &["health", "--pooled-url", pooled])
        .await
        .exits(2)
        .says("error: cannot use the pooled URL: `sslmode=disable` is too weak for a remote host")
        .does_not_print("hunter2");
}

#[tokio::test]
async fn an_empty_pooled_url_is_none() {
    let database = TestDatabase::migrated().await;
    let url = database.url().to_connection_string();
    let variables = [("DATABASE_URL", url.as_str()), ("MIGRATOR_POOLED_URL", "")];
    let report = run_with(&variables, &["health", "--json"]).await.exits(0).json();
    assert_eq!(report["endpoints"].as_array().map(Vec::len), Some(1));
}
