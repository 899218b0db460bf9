//! The report as a whole.

use insta::{assert_json_snapshot, assert_snapshot};
use serde_json::{Value, json};
use tests::{TestDatabase, TestServer};

use super::number;
use crate::support::program::{run, run_with};

/// The members, other than numbers, that differ from run to run or from machine to machine.
const VARYING: [(&str, &str); 12] = [
    ("/checked_at", "<time>"),
    // A busy machine may look like a cold start.
    ("/cold_start", "<cold start>"),
    ("/notes", "<notes>"),
    ("/connections/by_state", "<states>"),
    ("/endpoint/database", "<database>"),
    ("/endpoint/host", "<host>"),
    ("/endpoint/user", "<user>"),
    ("/endpoints/0/host", "<host>"),
    ("/role/name", "<user>"),
    ("/server_version", "<version>"),
    // Depends on the day and the server's version.
    ("/warnings", "<warnings>"),
    ("/warning_details", "<warnings>"),
];

/// Replaces the numbers, which differ from run to run.
fn without_numbers(value: &mut Value) {
    match value {
        Value::Number(_) => *value = json!("…"),
        Value::Array(items) => items.iter_mut().for_each(without_numbers),
        Value::Object(members) => members.values_mut().for_each(without_numbers),
        Value::Null | Value::Bool(_) | Value::String(_) => {}
    }
}

/// Replaces all members that differ; each must exist.
#[track_caller]
fn redact(document: &mut Value) {
    without_numbers(document);
    for (pointer, meaning) in VARYING {
        let value = document.pointer_mut(pointer).unwrap_or_else(|| panic!("no {pointer}"));
        assert!(!value.is_null(), "{pointer}");
        *value = json!(meaning);
    }
}

/// Likewise, where the numbers are in a text.
fn without_digits(text: &str) -> String {
    let digits = |c: char| c.is_ascii_digit() || c == '.';
    let mut kept = String::new();
    for c in text.chars().map(|c| if digits(c) { '#' } else { c }) {
        if c != '#' || !kept.ends_with('#') {
            kept.push(c);
        }
    }
    kept
}

#[tokio::test]
async fn the_json_always_has_the_same_members() {
    let database = TestServer::throwaway().await.migrated_database().await;
    let role = database.api_role();
    let url = database.url_as(role).to_connection_string();
    let output = run_with(&[("DATABASE_URL", &url)], &["health", "--json"]).await.exits(0);
    let mut document = output.json();
    redact(&mut document);
    assert_json_snapshot!(document, @r#"
    {
      "checked_at": "<time>",
      "clock_difference_s": "…",
      "cold_start": "<cold start>",
      "command": "health",
      "connect_ms": {
        "cold": "…",
        "warm": "…"
      },
      "connect_phases_ms": {
        "cold": {
          "auth": "…",
          "dns": null,
          "tcp": "…",
          "tls": null,
          "total": "…"
        },
        "warm": {
          "auth": "…",
          "dns": null,
          "tcp": "…",
          "tls": null,
          "total": "…"
        }
      },
      "connections": {
        "by_state": "<states>",
        "max": "…",
        "total": "…"
      },
      "database_size_bytes": "…",
      "endpoint": {
        "database": "<database>",
        "host": "<host>",
        "kind": "direct",
        "port": "…",
        "ssl_mode": "disable",
        "tls": null,
        "user": "<user>"
      },
      "endpoints": [
        {
          "connect_ms": "…",
          "error": null,
          "host": "<host>",
          "kind": "direct",
          "port": "…",
          "prepared_statements": null,
          "prepared_statements_untested": null,
          "works": true
        }
      ],
      "error": null,
      "exceeded": [],
      "failed_phase": null,
      "fullest_sequence": null,
      "healthy": true,
      "invalid_indexes": [],
      "migrations": {
        "applied": "…",
        "current": "…",
        "diverged": "…",
        "incomplete": "…",
        "missing": "…",
        "pending": "…"
      },
      "notes": "<notes>",
      "oldest_transaction": null,
      "read_only": false,
      "required_columns": [],
      "role": {
        "bypasses_rls": false,
        "can_create": false,
        "name": "<user>",
        "owns_tables": [],
        "superuser": false
      },
      "round_trip_ms": {
        "count": "…",
        "p50": "…",
        "p95": "…"
      },
      "server_version": "<version>",
      "transaction_age": {
        "age": "…",
        "freeze_max_age": "…"
      },
      "usable": true,
      "warning_details": "<warnings>",
      "warnings": "<warnings>"
    }
    "#);
}

#[tokio::test]
async fn the_text_is_readable() {
    let database = TestServer::throwaway().await.migrated_database().await;
    let role = database.api_role();
    let url = database.url_as(role).to_connection_string();
    let output = run_with(&[("DATABASE_URL", &url)], &["health"]).await.exits(0);
    assert!(output.stdout.contains("at V5: 5 applied, 0 pending\n"), "{output:#?}");
    let text = output.stdout.replace(database.name(), "<database>").replace(&role.name, "<user>");
    let text: Vec<String> = text
        .lines()
        .filter(|line| !line.starts_with("note "))
        .map(|line| match line.split_once(" (") {
            Some((number, _)) if line.starts_with("connections") => format!("{number} (<states>)"),
            Some((version, _)) if line.starts_with("server") => version.to_owned(),
            _ => line.to_owned(),
        })
        .map(|line| without_digits(&line))
        .collect();
    assert_snapshot!(text.join("\n"), @r"
    database     <database> on #:# as <user>
    endpoint     direct
    usable       yes
    TLS          none
    server       PostgreSQL #
    connecting   # ms cold (tcp #, auth #), # ms warm (tcp #, auth #)
    round trip   # ms p#, # ms p# of #
    connections  # of # (<states>)
    migrations   at V#: # applied, # pending
    role         <user>, owns no table and can create none
    size         # MiB
    ");
}

#[tokio::test]
async fn a_machine_can_read_the_report() {
    let database = TestDatabase::migrated().await;
    let report = run(&database, &["health", "--json"]).await.exits(0).json();
    assert_eq!(report["command"], "health");
    assert_eq!(report["healthy"], true);
    assert_eq!(report["usable"], true);
    assert_eq!(report["error"], Value::Null);
    assert_eq!(report["endpoint"]["host"], database.url().host());
    assert_eq!(report["endpoint"]["kind"], "direct");
    assert_eq!(
        report["migrations"],
        json!({
            "current": 5, "applied": 5, "pending": 0, "diverged": 0, "missing": 0, "incomplete": 0
        })
    );
    assert!(number(&report, "/connect_ms/cold") > 0.0, "{report:#}");
    assert!(number(&report, "/connect_ms/warm") > 0.0, "{report:#}");
    assert!(number(&report, "/round_trip_ms/p50") > 0.0, "{report:#}");
    assert!(
        number(&report, "/round_trip_ms/p95") >= number(&report, "/round_trip_ms/p50"),
        "{report:#}"
    );
    assert!(number(&report, "/connections/total") >= 1.0, "{report:#}");
    assert!(
        number(&report, "/connections/max") >= number(&report, "/connections/total"),
        "{report:#}"
    );
    assert!(number(&report, "/database_size_bytes") > 0.0, "{report:#}");
    // The server is on this machine.
    assert!(number(&report, "/clock_difference_s").abs() < 5.0, "{report:#}");
    assert!(number(&report, "/transaction_age/age") > 0.0, "{report:#}");
    assert!(number(&report, "/transaction_age/freeze_max_age") >= 100_000.0, "{report:#}");
}

#[tokio::test]
async fn an_unreachable_database_is_exit_code_1_with_the_reason() {
    let url = "postgresql://ann:hunter2@127.0.0.1:1/shop";
    let output = run_with(&[("DATABASE_URL", url)], &["health"]).await.exits(1);
    let output = output.does_not_print("hunter2");
    let expected = "no: cannot reach the database at `127.0.0.1:1`: connection refused";
    assert!(output.stdout.contains(expected), "{}", output.stdout);
    output.says("hint: is it running, and are host and port right?");
}

#[tokio::test]
async fn an_unreachable_database_is_still_one_document() {
    let url = "postgresql://ann:hunter2@127.0.0.1:1/shop";
    let output = run_with(&[("DATABASE_URL", url)], &["health", "--json"]).await.exits(1);
    let report = output.does_not_print("hunter2").json();
    assert_eq!(report["healthy"], false);
    assert_eq!(report["usable"], false);
    assert_eq!(report["error"]["kind"], "unreachable");
    assert_eq!(report["error"]["exit_code"], 1);
    assert_eq!(report["server_version"], Value::Null);
}

#[tokio::test]
async fn a_pooled_host_is_checked_without_being_replaced() {
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
