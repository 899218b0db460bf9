//! This repository's own host in a process of its own: this program, started again with the argument
//! [`ARGUMENT`], for which it has to call [`serve`].

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{io, thread};

use anyhow::Context;
use local::{AppOptions, GuestOutput, InstanceReuse};
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

use super::ServerProcess;
use super::local::build_component;
use crate::app::Options;
use crate::background_runtime;
use crate::build::workspace;

/// What tells the program to be the host.
const ARGUMENT: &str = "host";

/// What the host is told.
#[derive(Deserialize, Serialize)]
struct Config {
    manifest: PathBuf,
    variables: BTreeMap<String, String>,
    listen: SocketAddr,
    max_reuse: usize,
    max_concurrent: usize,
    idle_timeout: Duration,
    request_timeout: Option<Duration>,
}

/// Builds the components and starts the host.
pub(super) fn start(options: &Options, listen: SocketAddr) -> ServerProcess {
    build_component(&options.manifest);
    let program = std::env::current_exe().expect("the path of this program");
    let reuse = &options.reuse;
    let config = Config {
        manifest: options.manifest.clone(),
        variables: options.variables.clone(),
        listen,
        max_reuse: reuse.max_reuse,
        max_concurrent: reuse.max_concurrent,
        idle_timeout: reuse.idle_timeout,
        request_timeout: reuse.request_timeout,
    };
    ServerProcess::start(Path::new(&program), ARGUMENT, &config)
}

/// Serves what standard input names, until that ends; `print` gets the address.
pub(crate) async fn serve(print: fn(&str)) -> anyhow::Result<()> {
    let mut line = String::new();
    io::stdin().read_line(&mut line).context("read the configuration")?;
    let config: Config = serde_json::from_str(&line).context("read the configuration")?;
    let options = AppOptions {
        manifest: config.manifest,
        runtime_config: Some(workspace().join("runtime-config.toml")),
        variables: config.variables,
        listen: config.listen,
        reuse: InstanceReuse {
            max_reuse: config.max_reuse,
            max_concurrent: config.max_concurrent,
            idle_timeout: config.idle_timeout,
            request_timeout: config.request_timeout,
            at_random: false,
        },
        output: GuestOutput::Inherit,
        instructions: None,
    };
    let app = background_runtime::run(async { local::App::start(options).await }).await?;
    print(&app.addr().to_string());
    let (ended, end) = oneshot::channel();
    thread::spawn(move || {
        let _ = io::copy(&mut io::stdin(), &mut io::sink());
        let _ = ended.send(());
    });
    let _ = end.await;
    background_runtime::run(async { app.stop().await }).await;
    Ok(())
}
