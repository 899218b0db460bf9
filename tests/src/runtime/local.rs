//! This repository's own host, in this process.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use local::{AppOptions, GuestOutput, Instructions};

use crate::app::Options;
use crate::background_runtime;
use crate::build::workspace;

pub(crate) struct Local {
    app: local::App,
    address: SocketAddr,
    output: Arc<Mutex<Vec<u8>>>,
    instructions: Option<Arc<Instructions>>,
}

impl Local {
    pub(crate) async fn start(options: &Options, listen: SocketAddr) -> Self {
        let manifest = options.manifest.clone();
        let built = tokio::task::spawn_blocking(move || build_component(&manifest)).await;
        built.expect("build the component");
        let output = Arc::new(Mutex::new(Vec::new()));
        let instructions = options.counts_instructions.then(Arc::default);
        let options = AppOptions {
            manifest: options.manifest.clone(),
            runtime_config: Some(workspace().join("runtime-config.toml")),
            variables: options.variables.clone(),
            listen,
            reuse: options.reuse,
            output: GuestOutput::Capture(Arc::clone(&output)),
            instructions: instructions.clone(),
        };
        let started = background_runtime::run(async { local::App::start(options).await }).await;
        let app =
            started.unwrap_or_else(|err| panic!("failed to start the local runtime: {err:#}"));
        let address = app.addr();
        Self { app, address, output, instructions }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn instances(&self) -> usize {
        self.app.instances()
    }

    pub(crate) fn instructions(&self) -> Option<&Instructions> {
        self.instructions.as_deref()
    }

    pub(crate) fn log(&self) -> String {
        let output = self.output.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&output).into_owned()
    }

    pub(crate) async fn stop(self) {
        background_runtime::run(async { self.app.stop().await }).await;
    }
}

/// Builds the application's components, once for this process.
pub(super) fn build_component(manifest: &Path) {
    static BUILT: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());
    let mut built = BUILT.lock().unwrap_or_else(PoisonError::into_inner);
    if !built.contains(manifest) {
        local::build_component(manifest)
            .unwrap_or_else(|err| panic!("failed to build the component: {err:#}"));
        built.insert(manifest.to_owned());
    }
}
