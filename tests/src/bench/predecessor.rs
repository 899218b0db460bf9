//! The API's predecessor (`benches/predecessor`): a server in Python, with packages of its own.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, ensure};
use serde_json::json;

use super::native::POOL_SIZE;
use crate::build::workspace;
use crate::runtime::ServerProcess;

const PROGRAM: &str = "benches/predecessor/main.py";
const PACKAGES: &str = "benches/predecessor/requirements-predecessor.txt";

/// What to do where Python or a package is missing.
const HINT: &str = "\
hint: `--predecessor` needs Python 3.10 or newer with `venv` (`apt install python3 python3-venv`), and a package index \
for the first time; without it, leave the option out";

/// Installs its packages below `target/`, if they are not there, and starts it on this database.
pub(crate) fn start(database_url: &str, jwt_secret: &str) -> anyhow::Result<ServerProcess> {
    let output = Command::new(workspace().join(".ci/python-tools"))
        .arg(PACKAGES)
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("run `.ci/python-tools`\n{HINT}"))?;
    ensure!(output.status.success(), "failed to install the predecessor's packages\n{HINT}");
    let programs = String::from_utf8(output.stdout).context("read the folder of Python")?;
    let python = Path::new(programs.trim()).join("python");
    let config =
        json!({ "database_url": database_url, "jwt_secret": jwt_secret, "pool_size": POOL_SIZE });
    Ok(ServerProcess::start(&python, PROGRAM, &config))
}
