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
            "role",
            "size"
        ]
    );
    assert!(outcome.stdout.contains("at V3: 3 applied, 0 pending"), "{}", outcome.stdout);
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
        json!({ "current": 3, "applied": 3, "pending": 0, "diverged": 0, "missing": 0 })
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
    run(&database, &["health"]).await.exits(0).says("warning: pending migrations: 3; ");
    run(&database, &["up", "--to", "2"]).await.exits(0);
    run(&database, &["health"]).await.exits(0).says("warning: pending migrations: 1; ");
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
async fn a_superuser_is_a_warning() {
    let database = TestDatabase::migrated().await;
    let role = database.role("worker").await;
    let superuser = format!("alter role {} superuser", role.quoted());
    database.client().await.batch_execute(&superuser).await.expect("make a superuser");
    let url = database.url_as(&role).to_connection_string();
    let warning = format!("warning: the role `{}` is a superuser", role.name);
    run_with(&[("DATABASE_URL", &url)], &["health"]).await.exits(0).says(&warning);
}

#[tokio::test]
async fn an_owner_of_tables_is_a_warning() {
    let database = TestDatabase::migrated().await;
    let role = database.role("worker").await;
    let own = format!(
        "alter table tasks owner to {role}; alter table users owner to {role};
         alter table idempotency_keys owner to {role}",
        role = role.quoted()
    );
    database.client().await.batch_execute(&own).await.expect("make an owner");
    let warning = format!(
        "warning: the role `{}` owns the tables idempotency_keys, tasks and users: an API",
        role.name
    );
    let arguments = ["health", "--role", &role.name];
    run(&database, &arguments).await.exits(0).says(&warning).says("`migrator grant --role NAME`");
}

#[tokio::test]
async fn a_member_of_an_owner_is_a_warning() {
    let database = TestDatabase::migrated().await;
    let (owner, member) = (database.role("owner").await, database.role("member").await);
    let own = format!(
        "alter table tasks owner to {owner}; grant {owner} to {}",
        member.quoted(),
        owner = owner.quoted()
    );
    database.client().await.batch_execute(&own).await.expect("make an owner");
    let warning = format!("warning: the role `{}` owns the table tasks: an API", member.name);
    run(&database, &["health", "--role", &member.name]).await.exits(0).says(&warning);
}

#[tokio::test]
async fn a_role_that_can_create_tables_is_a_warning() {
    let database = TestDatabase::migrated().await;
    let role = database.role("worker").await;
    let create = format!("grant create on schema public to {}", role.quoted());
    database.client().await.batch_execute(&create).await.expect("let it create");
    let warning = format!("warning: the role `{}` can create tables", role.name);
    run(&database, &["health", "--role", &role.name]).await.exits(0).says(&warning);
}

#[tokio::test]
async fn a_granted_role_is_no_warning() {
    let database = TestDatabase::migrated().await;
    let role = database.api_role();
    let url = database.url_as(role).to_connection_string();
    let as_itself = run_with(&[("DATABASE_URL", &url)], &["health", "--json"]).await;
    let by_name = run(&database, &["health", "--role", &role.name, "--json"]).await;
    for outcome in [as_itself, by_name] {
        let report = outcome.exits(0).keeps_quiet_about("warning: ").json();
        assert_eq!(report["warnings"], json!([]));
        assert_eq!(
            report["role"],
            json!({
                "name": role.name,
                "superuser": false,
                "bypasses_rls": false,
                "can_create": false,
                "owns_tables": [],
            })
        );
    }
}

#[tokio::test]
async fn a_role_that_does_not_exist_is_a_usage_error() {
    let database = TestDatabase::migrated().await;
    run(&database, &["health", "--role", "nobody at all"])
        .await
        .exits(2)
        .says("error: there is no role `nobody at all`")
        .says("hint: create it first: create role \"nobody at all\" login password");
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
