//! Runs the program under test, in an empty folder and with nothing in its environment that could
//! change what it does.

use std::path::Path;
use std::process::Stdio;

use serde_json::Value;
use tempfile::TempDir;
use tests::TestDatabase;
use tokio::process::Command;

/// What a run came to.
#[derive(Debug)]
pub(crate) struct Outcome {
    code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Runs it on a database.
pub(crate) async fn run(database: &TestDatabase, arguments: &[&str]) -> Outcome {
    let url = database.url().to_connection_string();
    run_with(&[("DATABASE_URL", &url)], arguments).await
}

/// Runs it with some variables.
pub(crate) async fn run_with(variables: &[(&str, &str)], arguments: &[&str]) -> Outcome {
    let folder = TempDir::new().expect("make a folder");
    run_in(folder.path(), variables, arguments).await
}

/// Runs it in a folder, with some variables.
pub(crate) async fn run_in(
    folder: &Path,
    variables: &[(&str, &str)],
    arguments: &[&str],
) -> Outcome {
    let mut command = command(arguments).await;
    command.current_dir(folder).envs(variables.iter().copied());
    let output = command.output().await.expect("run the migrator");
    Outcome {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).expect("text on standard output"),
        stderr: String::from_utf8(output.stderr).expect("text on standard error"),
    }
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
        "MIGRATOR_LOCK_TIMEOUT",
        "MIGRATOR_DIR",
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

impl Outcome {
    /// Panics, with everything that was printed, unless the program exited with `code`.
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self:#?}");
        self
    }

    /// Panics unless the talk contains `text`.
    #[track_caller]
    pub(crate) fn says(self, text: &str) -> Self {
        assert!(self.stderr.contains(text), "`{text}` is not in:\n{}", self.stderr);
        self
    }

    /// Panics where anything that was printed contains `text`.
    #[track_caller]
    pub(crate) fn keeps_quiet_about(self, text: &str) -> Self {
        let printed = format!("{}{}", self.stdout, self.stderr);
        assert!(!printed.contains(text), "`{text}` is in:\n{printed}");
        self
    }

    /// Standard output as the one JSON document that it must be.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("not one JSON document: {error}\n{self:#?}"))
    }
}
