//! The warnings, each from its threshold on.

use std::collections::BTreeMap;

use neon_url::DatabaseUrl;

use super::{endpoint, find};
use crate::connect::tls::TlsReport;
use crate::ops::health::prepared_statements::PreparedStatements;
use crate::ops::health::report::{
    Connections, EndpointCheck, EndpointReport, HealthReport, MigrationCounts, OldestTransaction,
    TransactionAge,
};
use crate::ops::health::sequences::SequenceUse;

const OTHER: &str = "postgresql://ann@db.example.com/shop";
const DIRECT: &str = "postgresql://ann@ep-cool-1.us-east-2.aws.neon.tech/shop";

fn url(text: &str) -> DatabaseUrl {
    text.parse().expect("a connection string")
}

fn with_connections(total: i64) -> HealthReport {
    let by_state = BTreeMap::from([("active".to_owned(), 1), ("idle".to_owned(), total - 1)]);
    let connections = Some(Connections { by_state, total, max: 100 });
    HealthReport { connections, ..HealthReport::default() }
}

fn with_transaction(age_s: f64) -> HealthReport {
    let state = "idle in transaction".to_owned();
    let oldest_transaction = Some(OldestTransaction { pid: 4711, age_s, state });
    HealthReport { oldest_transaction, ..HealthReport::default() }
}

fn with_age(age: i64) -> HealthReport {
    let transaction_age = Some(TransactionAge { age, freeze_max_age: 200_000_000 });
    HealthReport { transaction_age, ..HealthReport::default() }
}

fn with_clock(difference: f64) -> HealthReport {
    HealthReport { clock_difference_s: Some(difference), ..HealthReport::default() }
}

fn with_certificate(days: i64) -> HealthReport {
    let tls = TlsReport {
        version: "TLSv1.3".to_owned(),
        cipher: "TLS_AES_256_GCM_SHA384".to_owned(),
        certificate_not_after: None,
        certificate_days_left: Some(days),
    };
    let endpoint = EndpointReport { tls: Some(tls), ..EndpointReport::default() };
    HealthReport { endpoint, ..HealthReport::default() }
}

fn with_migrations(pending: usize, diverged: usize) -> HealthReport {
    let migrations = Some(MigrationCounts { pending, diverged, ..MigrationCounts::default() });
    HealthReport { migrations, ..HealthReport::default() }
}

fn with_sequence(last_value: i64, used_pct: f64) -> HealthReport {
    let fullest_sequence = Some(SequenceUse {
        name: "tasks_id_seq".to_owned(),
        column: "tasks.id".to_owned(),
        last_value,
        max_value: 2_147_483_647,
        used_pct: Some(used_pct),
    });
    HealthReport { fullest_sequence, ..HealthReport::default() }
}

fn with_indexes(names: &[&str]) -> HealthReport {
    let names = names.iter().map(|&name| name.to_owned()).collect();
    HealthReport { invalid_indexes: Some(names), ..HealthReport::default() }
}

#[test]
fn each_is_told_from_its_threshold_on() {
    let read_only = HealthReport { read_only: Some(true), ..HealthReport::default() };
    // On the heap: reports are large.
    for (label, report, expected) in vec![
        ("nothing known", HealthReport::default(), None),
        ("busy enough", with_connections(80), None),
        (
            "too busy",
            with_connections(81),
            Some("81 of 100 connections are taken, 80 of them idle"),
        ),
        ("five minutes", with_transaction(300.0), None),
        (
            "longer",
            with_transaction(659.9),
            Some("a transaction is open for 10 minutes (server process 4711, idle in transaction)"),
        ),
        ("freezing", with_age(300_000_000), None),
        (
            "not getting on",
            with_age(300_000_001),
            Some(
                "the oldest transaction id is 300000001 transactions old, and freezing begins at 200000000: autovacuum does not get on",
            ),
        ),
        ("clocks agree", with_clock(-5.0), None),
        ("ahead", with_clock(5.04), Some("the server's clock is 5.0 s ahead of this machine's")),
        ("behind", with_clock(-61.0), Some("the server's clock is 61.0 s behind this machine's")),
        ("valid", with_certificate(14), None),
        ("soon over", with_certificate(13), Some("the certificate ends in 13 days")),
        ("one index", with_indexes(&["a"]), Some("the index is invalid: a")),
        ("two indexes", with_indexes(&["a", "b"]), Some("the indexes are invalid: a and b")),
        ("no index", with_indexes(&[]), None),
        ("up to date", with_migrations(0, 0), None),
        ("pending", with_migrations(2, 0), Some("pending migrations: 2")),
        ("diverged", with_migrations(0, 1), Some("history and migrations have diverged")),
        (
            "a replica",
            read_only,
            Some(
                "nothing can be written here: it is a replica, or transactions are read-only by default",
            ),
        ),
    ] {
        let found = find(&url(OTHER), &report);
        let what: Vec<&str> = found.iter().map(|warning| warning.what.as_str()).collect();
        assert_eq!(what, expected.into_iter().collect::<Vec<_>>(), "{label}");
        assert!(found.iter().all(|warning| !warning.advice.is_empty()), "{label}");
    }
}

#[test]
fn a_sequence_is_told_from_80_per_cent_on() {
    assert_eq!(find(&url(OTHER), &with_sequence(1_717_986_917, 79.9)), []);
    let found = find(&url(OTHER), &with_sequence(1_717_986_918, 80.0));
    let [warning] = &found[..] else { panic!("{found:?}") };
    assert_eq!(
        warning.to_string(),
        "80.0 % of the numbers for tasks.id are used up: 1717986918 of 2147483647; make the column `bigint`, and what refers to it, with its sequence `tasks_id_seq`: after the last number nothing can be inserted"
    );
}

#[test]
fn the_direct_endpoint_of_neon_is_not_for_the_api() {
    let found = find(&url(DIRECT), &HealthReport::default());
    let [warning] = &found[..] else { panic!("{found:?}") };
    assert_eq!(
        warning.to_string(),
        "this is the direct endpoint, which has few connections; the API should use the pooled one, `ep-cool-1-pooler.us-east-2.aws.neon.tech`"
    );
}

#[test]
fn an_endpoint_is_told_about_when_something_is_wrong_with_it() {
    let failed = Some("no answer".to_owned());
    let (lost, survive) = (PreparedStatements::Lost, PreparedStatements::Survive);
    for (kind, error, prepared_statements, expected) in [
        ("pooled", None, Some(survive), None),
        ("pooled", None, Some(PreparedStatements::Untested), None),
        ("pooled", None, Some(lost), Some("prepared_statements")),
        ("pooled", failed.clone(), None, Some("pooled_endpoint")),
        ("direct", failed, None, Some("direct_endpoint_unusable")),
        ("direct", None, None, None),
    ] {
        let check = EndpointCheck {
            kind,
            host: "db.example.com".to_owned(),
            port: 5432,
            works: error.is_none(),
            connect_ms: None,
            error,
            prepared_statements,
            prepared_statements_untested: None,
        };
        assert_eq!(endpoint(&check).map(|warning| warning.kind), expected, "{check:?}");
    }
}
