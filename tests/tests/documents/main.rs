//! README.md and the chapters in `docs/`: their commands run and print what is below them, their links lead
//! somewhere, and what the code can report is explained. `cargo test --test documents`, which needs `bash`, `curl` and `psql`.
//!
//! After a change of a message, `TASKIE_UPDATE_DOCS=1 cargo test --test documents` writes the new output
//! into the chapters.

mod deployment;
mod links;
mod operations;
mod transcript;

use std::path::Path;

use tempfile::TempDir;
use tests::{App, TestDatabase, workspace};

use self::transcript::Transcript;

/// The address that the documents have.
const API: &str = "http://127.0.0.1:3000";

/// Two commands of README.md that other steps of `.ci/run` run; nothing else of Cargo but tokens.
const CARGO: &str = r#"cargo() {
  case "$*" in
    up | test) ;;
    "run -q --bin local -- token "*) command cargo "$@" ;;
    *) echo "cargo $*: not run by any step"; exit 1 ;;
  esac
}"#;

#[tokio::test]
async fn the_commands_of_the_readme_run() {
    for (script, command) in [(".ci/smoke", "cargo up "), (".ci/run", "cargo test\n")] {
        let text = std::fs::read_to_string(workspace().join(script)).expect("read a script");
        assert!(text.contains(command), "`{command}` of README.md is not in {script}");
    }
    run_with_api("README.md").await;
}

#[tokio::test]
async fn the_commands_of_the_tutorial_run() {
    run_with_api("docs/tutorial.md").await;
}

/// Runs a document's commands against the API on a database of its own.
async fn run_with_api(path: &'static str) {
    let app = App::start_with(|_| {}).await;
    Transcript::read(path)
        .stands_for(API, &app.url())
        .variable("SPIN_VARIABLE_JWT_SECRET", app.jwt_secret())
        .run(workspace(), CARGO)
        .await;
}

#[tokio::test]
async fn the_commands_of_the_migrator_run() {
    run_with_migrator("docs/migrator/README.md").await;
}

#[tokio::test]
async fn the_commands_about_downtime_run() {
    run_with_migrator("docs/migrator/zero-downtime.md").await;
}

#[tokio::test]
async fn the_commands_about_new_migrations_run() {
    run_with_migrator("docs/migrator/new-migration.md").await;
}

#[tokio::test]
async fn the_commands_about_offline_sql_run() {
    run_with_migrator("docs/migrator/offline-sql.md").await;
}

#[tokio::test]
async fn the_commands_about_a_baseline_run() {
    run_with_migrator("docs/migrator/baseline.md").await;
}

#[tokio::test]
async fn the_commands_about_health_run() {
    run_with_migrator("docs/migrator/health.md").await;
}

#[tokio::test]
async fn the_commands_about_scaling_run() {
    run_with_migrator("docs/scaling.md").await;
}

#[tokio::test]
async fn the_commands_about_roles_run() {
    run_with_migrator("docs/migrator/roles.md").await;
}

#[tokio::test]
async fn the_commands_beside_the_migrations_run() {
    run_with_migrator("migrations/README.md").await;
}

/// Runs a document's commands with the built migrator, in an empty folder and on an empty database.
async fn run_with_migrator(path: &'static str) {
    let migrator = tokio::task::spawn_blocking(tests::migrator).await.expect("build the migrator");
    let database = TestDatabase::create().await;
    let role = database.role("taskie_api").await;
    let folder = TempDir::new().expect("create a folder");
    let programs = migrator.parent().and_then(Path::to_str).expect("a plain path");
    let search_path = std::env::var("PATH").expect("a search path");
    let port = database.url().port().to_string();
    Transcript::read(path)
        .stands_for("taskie_api", &role.name)
        .stands_for("neondb", database.name())
        .stands_for("127.0.0.1:5432", &format!("127.0.0.1:{port}"))
        .variable("DATABASE_URL", &database.url().to_connection_string())
        .variable("PATH", &format!("{programs}:{search_path}"))
        .variable("REPOSITORY", workspace().to_str().expect("a plain path"))
        .run(folder.path(), "")
        .await;
}
