//! Runs the program under test, in an empty folder and without environment variables that change its
//! behaviour.

use std::path::Path;
use std::process::Stdio;

use tempfile::TempDir;
use tests::{CliOutput, TestDatabase};
use tokio::process::{Child, Command};

/// Runs it on a database.
pub(crate) async fn run(database: &TestDatabase, arguments: &[&str]) -> CliOutput {
    let url = database.url().to_connection_string();
    run_with(&[("DATABASE_URL", &url)], arguments).await
}

/// Runs it with some variables.
pub(crate) async fn run_with(variables: &[(&str, &str)], arguments: &[&str]) -> CliOutput {
    let folder = TempDir::new().expect("create a folder");
    run_in(folder.path(), variables, arguments).await
}

/// Runs it in a folder, with some variables.
pub(crate) async fn run_in(
    folder: &Path,
    variables: &[(&str, &str)],
    arguments: &[&str],
) -> CliOutput {
    let mut command = command(arguments).await;
    command.current_dir(folder).envs(variables.iter().copied());
    let output = command.output().await.expect("run the migrator");
    CliOutput::new(output)
}

/// Starts it on a database, for a test that observes it while it runs.
pub(crate) async fn start(database: &TestDatabase, arguments: &[&str]) -> Child {
    let mut command = command(arguments).await;
    command.env("DATABASE_URL", database.url().to_connection_string());
    command.spawn().expect("start the migrator")
}

/// Waits until a started program has ended.
pub(crate) async fn wait(program: Child) -> CliOutput {
    CliOutput::new(program.wait_with_output().await.expect("wait for the migrator"))
}

/// The program with arguments and without the variables that it reads.
pub(crate) async fn command(arguments: &[&str]) -> Command {
    // The first call builds the program, which blocks.
    let program = tokio::task::spawn_blocking(tests::migrator).await.expect("build the migrator");
    let mut command = Command::new(program);
    let read = [
        "DATABASE_URL",
        "DATABASE_CA",
        "MIGRATOR_CONNECT_TIMEOUT",
        "MIGRATOR_WAIT",
        "MIGRATOR_LOCK_TIMEOUT",
        "MIGRATOR_LOCK_RETRIES",
        "MIGRATOR_STATEMENT_TIMEOUT",
        "MIGRATOR_DIR",
        "MIGRATOR_POOLED_URL",
        "MIGRATOR_SHADOW_URL",
        "CLICOLOR_FORCE",
        "COLUMNS",
    ];
    for variable in read {
        command.env_remove(variable);
    }
    command.args(arguments).kill_on_drop(true);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}
