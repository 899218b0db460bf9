//! The migrator and the API through a real PgBouncer: `.ci/pgbouncer && cargo test-pooler`, or with another
//! program of 1.21 or newer, named in `TASKIE_PGBOUNCER` or in `PATH`.

mod api;
mod kills;
mod lock;
mod neon;
mod statements;

use tests::{CliOutput, Pooler, TestDatabase};
use tokio::process::Command;

/// Runs the migrator on a database, in an empty folder.
async fn migrator(url: &str, arguments: &[&str]) -> CliOutput {
    // The first call builds the program, which blocks.
    let program = tokio::task::spawn_blocking(tests::migrator).await.expect("build the migrator");
    let folder = tempfile::TempDir::new().expect("create a folder");
    let mut command = Command::new(program);
    for variable in ["DATABASE_CA", "MIGRATOR_DIR", "MIGRATOR_POOLED_URL"] {
        command.env_remove(variable);
    }
    command.args(arguments).env("DATABASE_URL", url).current_dir(folder.path());
    CliOutput::new(command.output().await.expect("run the migrator"))
}

/// The health report on a database and a pooler in front of it.
async fn health(database: &TestDatabase, pooled: &str) -> serde_json::Value {
    let direct = database.url().to_connection_string();
    let arguments = ["health", "--json", "--pooled-url", pooled];
    migrator(&direct, &arguments).await.exits(0).json()
}

/// The connection string of a database, through the pooler.
fn through(pooler: &Pooler, database: &TestDatabase) -> String {
    pooler.through(database.url()).to_connection_string()
}
