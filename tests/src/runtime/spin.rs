//! The Spin runtime, as a process: `spin up`.

use std::fs::File;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::{Duration, Instant};

use ::local::HTTP1_BUFFER_BYTES;
use ::local::postgres::Watchdog;
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

use super::local::build_component;
use super::{free_address, watch};
use crate::app::Options;
use crate::background_runtime;
use crate::build::workspace;
use crate::component::default_variables;

/// Time limit for Spin to listen: it compiles the component first.
const START_LIMIT: Duration = Duration::from_mins(2);

/// Time limit for Spin to end after SIGINT.
const STOP_LIMIT: Duration = Duration::from_secs(10);

/// Attempts to find a port that no other process takes first.
const PORT_TRIES: u32 = 5;

/// Name of the file with Spin's output.
const LOG: &str = "spin.log";

/// Name of the file with the variables.
const VARIABLES: &str = "variables.toml";

pub(crate) struct Spin {
    child: Child,
    /// Stops Spin's process group when this process ends.
    _watchdog: Watchdog,
    address: SocketAddr,
    /// Spin's state and logs.
    folder: TempDir,
}

impl Spin {
    /// The process belongs to the background runtime, because it is awaited after the test's has ended.
    pub(crate) async fn start(program: &Path, options: &Options, listen: SocketAddr) -> Self {
        let manifest = options.manifest.clone();
        let built = tokio::task::spawn_blocking(move || build_component(&manifest)).await;
        built.expect("build the component");
        let (program, options) = (program.to_owned(), options.clone());
        background_runtime::run(async move { Self::start_here(&program, &options, listen).await })
            .await
    }

    async fn start_here(program: &Path, options: &Options, listen: SocketAddr) -> Self {
        for _ in 0..PORT_TRIES {
            let address = if listen.port() == 0 { free_address() } else { listen };
            let mut spin = Self::spawn(program, options, address);
            match spin.wait_until_it_listens().await {
                None => return spin,
                Some(_) if listen.port() == 0 && spin.log().contains("in use") => {}
                Some(status) => panic!("`spin up` ended at once, {status}:\n{}", spin.log()),
            }
        }
        panic!("every free port was taken by another process before `spin up` could listen");
    }

    fn spawn(program: &Path, options: &Options, address: SocketAddr) -> Self {
        let folder = tempfile::tempdir().expect("create a folder for Spin's logs");
        let log = File::create(folder.path().join(LOG)).expect("create a file for Spin's log");
        let log_too = log.try_clone().expect("share the file for Spin's log");
        let mut command = Command::new(program);
        command.arg("up").arg("--from").arg(&options.manifest);
        command.arg("--listen").arg(address.to_string());
        let runtime_config = workspace().join("runtime-config.toml");
        if runtime_config.exists() {
            command.arg("--runtime-config-file").arg(runtime_config);
        }
        // The key-value store is a file in it: no other service shares it.
        command.arg("--state-dir").arg(folder.path());
        command.arg("--log-dir").arg(folder.path());
        command.args(options.reuse.spin_options());
        command.arg(format!("--http1-max-buf-size={HTTP1_BUFFER_BYTES}"));
        // Not as arguments: every user of the machine can read those.
        if options.has_variables_file {
            let file = folder.path().join(VARIABLES);
            std::fs::write(&file, variables_file(options)).expect("write the file of variables");
            command.arg("--variable").arg(format!("@{}", file.display()));
        } else {
            for (name, value) in &options.variables {
                command.env(format!("SPIN_VARIABLE_{}", name.to_uppercase()), value);
            }
        }
        let child = command
            .current_dir(workspace())
            // As in production: with backtraces on, each read of an unset variable captures one.
            .env_remove("RUST_BACKTRACE")
            // `spin up` starts the program that serves: both are stopped through the group.
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(log_too)
            .kill_on_drop(true)
            .spawn()
            .unwrap_or_else(|err| {
                panic!(
                    "failed to run `{}`: {err}\nhint: install Spin 4.1 or newer, or name its program in SPIN, \
                     or run plain `cargo test`, which uses the local runtime",
                    program.display()
                )
            });
        let watchdog = watch(&child);
        Self { child, _watchdog: watchdog, address, folder }
    }

    /// `None` when it listens, its status when it has ended.
    async fn wait_until_it_listens(&mut self) -> Option<ExitStatus> {
        let deadline = Instant::now() + START_LIMIT;
        loop {
            if let Some(status) = self.child.try_wait().expect("watch `spin up`") {
                return Some(status);
            }
            if TcpStream::connect(self.address).await.is_ok() {
                return None;
            }
            assert!(Instant::now() < deadline, "`spin up` does not listen:\n{}", self.log());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The group of `spin up` and of the program that it starts to serve.
    pub(crate) fn process_group(&self) -> Option<u32> {
        self.child.id()
    }

    /// Spin's output, with the component's standard error.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join(LOG)).expect("read Spin's log")
    }

    pub(crate) async fn stop(mut self) {
        self.signal(Signal::SIGINT);
        if tokio::time::timeout(STOP_LIMIT, self.child.wait()).await.is_err() {
            self.signal(Signal::SIGKILL);
            self.child.wait().await.expect("wait for `spin up`");
        }
    }

    fn signal(&self, signal: Signal) {
        if let Some(id) = self.child.id().and_then(|id| i32::try_from(id).ok()) {
            // Fails if all of them have ended already.
            let _ = killpg(Pid::from_raw(id), signal);
        }
    }
}

impl Drop for Spin {
    /// For a test that panicked before it could stop it.
    fn drop(&mut self) {
        self.signal(Signal::SIGKILL);
    }
}

/// The variables in TOML, also those that keep their default: Spin looks up in its environment what a file does not have.
fn variables_file(options: &Options) -> String {
    let mut variables = default_variables(&options.manifest);
    let given = options.variables.iter();
    variables.extend(given.map(|(name, value)| (name.clone(), value.as_str().into())));
    variables.to_string()
}
