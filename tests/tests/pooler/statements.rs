//! `migrator health`: the check that prepared statements survive the pooler.

use serde_json::Value;
use tests::{Pooler, PoolerSettings, TestDatabase, TestServer};

use super::{health, migrator, through};

const REMEMBERS: PoolerSettings =
    PoolerSettings { max_prepared_statements: 100, pool_size: 10, tls: false };
const FORGETS: PoolerSettings =
    PoolerSettings { max_prepared_statements: 0, pool_size: 10, tls: false };

async fn database() -> TestDatabase {
    TestServer::throwaway().await.migrated_database().await
}

fn kinds(report: &Value) -> Vec<&str> {
    let details = report["warning_details"].as_array().expect("a list of warnings");
    details.iter().map(|detail| detail["kind"].as_str().expect("a kind")).collect()
}

#[tokio::test]
async fn survive_a_pooler_that_remembers_them() {
    let database = database().await;
    let pooler = Pooler::before(database.url(), REMEMBERS).await;
    let report = health(&database, &through(&pooler, &database)).await;
    assert_eq!(report["endpoints"][0]["kind"], "pooled");
    assert_eq!(report["endpoints"][0]["works"], true, "{report:#}");
    assert_eq!(report["endpoints"][0]["prepared_statements"], "survive", "{report:#}");
    assert_eq!(report["endpoints"][1]["works"], true, "{report:#}");
    assert!(!kinds(&report).contains(&"prepared_statements"), "{report:#}");
}

#[tokio::test]
async fn are_lost_on_a_pooler_that_forgets_them() {
    let database = database().await;
    let pooler = Pooler::before(database.url(), FORGETS).await;
    let report = health(&database, &through(&pooler, &database)).await;
    assert_eq!(report["endpoints"][0]["works"], true, "{report:#}");
    assert_eq!(report["endpoints"][0]["prepared_statements"], "lost", "{report:#}");
    assert_eq!(report["healthy"], true, "a warning only");
    assert!(kinds(&report).contains(&"prepared_statements"), "{report:#}");
}

#[tokio::test]
async fn lost_ones_are_explained_in_the_text() {
    let database = database().await;
    let pooler = Pooler::before(database.url(), FORGETS).await;
    let url = database.url().to_connection_string();
    let arguments = ["health", "--pooled-url", &through(&pooler, &database)];
    let output = migrator(&url, &arguments).await.exits(0);
    assert!(output.stdout.contains(", prepared statements are lost\n"), "{output:#?}");
    output
        .says("warning: prepared statements do not survive the pooled endpoint, `127.0.0.1`\n")
        .says("hint: set `max_prepared_statements` above 0 in PgBouncer");
}

#[tokio::test]
async fn the_proof_leaves_nothing_behind() {
    let database = database().await;
    let pooler = Pooler::before(database.url(), FORGETS).await;
    let first = health(&database, &through(&pooler, &database)).await;
    assert_eq!(first["endpoints"][0]["prepared_statements"], "lost", "{first:#}");

    // Every server session of the pooler, each held by a client.
    let pids = "select coalesce(array_agg(pid), '{}') from pg_stat_activity
                 where datname = current_database() and backend_type = 'client backend'
                   and pid <> pg_backend_pid()";
    let direct = database.client().await;
    let row = direct.query_one(pids, &[]).await.expect("ask");
    let sessions: Vec<i32> = row.get(0);
    assert!(sessions.len() > 1, "{sessions:?}");
    let mut clients = Vec::new();
    let mut held = Vec::new();
    for _ in 0..FORGETS.pool_size {
        let client = pooler.client(database.url()).await;
        client.batch_execute("begin").await.expect("begin");
        let question = "select pg_backend_pid(), (select count(*) from pg_prepared_statements)";
        let row = client.query_typed(question, &[]).await.expect("ask").remove(0);
        assert_eq!(row.get::<_, i64>(1), 0, "prepared statements are left");
        held.push(row.get::<_, i32>(0));
        clients.push(client);
    }
    assert!(sessions.iter().all(|pid| held.contains(pid)), "{sessions:?} of {held:?}");
}

#[tokio::test]
async fn a_single_server_session_proves_nothing() {
    let database = database().await;
    for max_prepared_statements in [0, 100] {
        let settings = PoolerSettings { max_prepared_statements, pool_size: 1, tls: false };
        let pooler = Pooler::before(database.url(), settings).await;
        let report = health(&database, &through(&pooler, &database)).await;
        let endpoint = &report["endpoints"][0];
        assert_eq!(endpoint["prepared_statements"], "untested", "{report:#}");
        assert_eq!(endpoint["prepared_statements_untested"], "no second server session within 3 s");
    }
}

#[tokio::test]
async fn the_report_itself_can_be_had_through_either() {
    let database = database().await;
    for settings in [REMEMBERS, FORGETS] {
        let pooler = Pooler::before(database.url(), settings).await;
        let report =
            migrator(&through(&pooler, &database), &["health", "--json"]).await.exits(0).json();
        assert_eq!(report["usable"], true);
        assert_eq!(report["migrations"]["applied"], 5);
    }
}
