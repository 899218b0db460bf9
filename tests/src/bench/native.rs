//! The native server (`benches/native`), and what it tells about the API's statements.

use std::process::Command;

use anyhow::{Context, ensure};
use serde_json::json;

use super::sql::Statements;
use crate::build::native;
use crate::runtime::ServerProcess;

/// As many connections to PostgreSQL as a host of components has.
pub(crate) const POOL_SIZE: u32 = 64;

/// Starts the server on this database.
pub(crate) fn start(database_url: &str, jwt_secret: &str) -> ServerProcess {
    let config =
        json!({ "database_url": database_url, "jwt_secret": jwt_secret, "pool_size": POOL_SIZE });
    ServerProcess::start(&native(), "serve", &config)
}

/// The API's statements by name.
pub(crate) fn statements() -> anyhow::Result<Statements> {
    let output = Command::new(native()).arg("statements").output().context("run `native`")?;
    ensure!(output.status.success(), "`native statements`: {}", output.status);
    serde_json::from_slice(&output.stdout).context("read the statements")
}
