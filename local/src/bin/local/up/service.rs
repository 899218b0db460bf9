//! The application, served by either runtime.

use std::collections::BTreeMap;
use std::time::Duration;

use local::{App, AppOptions, Build, Error, GuestOutput};

use super::runtime::Runtime;
use crate::args::UpOptions;
use crate::paths::ProjectPaths;
use crate::spin::{SpinOptions, SpinProcess};

/// A running application. Dropped without [`Service::stop`], it ends all the same.
pub(super) enum Service {
    Local(App),
    Spin(Box<SpinProcess>),
}

impl Service {
    /// Starts the application, whose components must be built; it listens when this returns. `timeout` is the host's
    /// limit on a request unless another one was given.
    pub(super) async fn start(
        runtime: &Runtime,
        options: &UpOptions,
        paths: &ProjectPaths,
        variables: BTreeMap<String, String>,
        timeout: Duration,
    ) -> Result<Service, Error> {
        let manifest = runtime.manifest(paths);
        match runtime {
            Runtime::Local => App::start(AppOptions {
                instructions: None,
                manifest,
                runtime_config: paths.runtime_config(),
                variables,
                listen: options.listen,
                reuse: options.instances.reuse(timeout),
                output: GuestOutput::Inherit,
            })
            .await
            .map(Service::Local),
            Runtime::Spin(program) => {
                let build = program.build();
                let spin = SpinOptions {
                    watch: options.watch,
                    manifest,
                    // Older versions refuse a file with a limit on connections.
                    runtime_config: paths.runtime_config().filter(|_| build == Build::Wasip3),
                    variables,
                    listen: options.listen,
                    state_dir: (!options.ephemeral).then(|| paths.kept().join("spin")),
                    instances: options.instances.for_spin(build, timeout),
                    quiet: options.quiet,
                };
                SpinProcess::start(program, &spin).await.map(|spin| Service::Spin(Box::new(spin)))
            }
        }
    }

    /// `http://127.0.0.1:3000`, without a slash at the end.
    pub(super) fn url(&self) -> String {
        match self {
            Service::Local(app) => app.url(),
            Service::Spin(spin) => format!("http://{}", spin.address()),
        }
    }

    /// Completes only if it ends by itself, which is an error.
    pub(super) async fn ended(&mut self) -> Error {
        match self {
            Service::Local(_) => std::future::pending().await,
            Service::Spin(spin) => spin.ended().await,
        }
    }

    /// What a signal to stop does, and what the next one does.
    pub(super) fn stopping(&self) -> &'static str {
        match self {
            Service::Local(_) => "Stopping; Ctrl-C again ends requests in flight",
            Service::Spin(_) => "Stopping Spin; Ctrl-C again does not wait for it",
        }
    }

    /// Stops it and waits until it has ended. Dropping the future does not wait for requests in flight.
    pub(super) async fn stop(self) {
        match self {
            Service::Local(app) => app.stop().await,
            Service::Spin(spin) => spin.stop().await,
        }
    }
}
