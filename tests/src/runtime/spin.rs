//! The Spin runtime, as a process: `spin up`.

use std::fs::File;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tempfile::NamedTempFile;
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

use crate::app::Options;
use crate::build::workspace;

/// How long Spin may take to listen: it compiles the component first.
const START_LIMIT: Duration = Duration::from_secs(120);

/// How long Spin gets to end by itself.
const STOP_LIMIT: Duration = Duration::from_secs(10);

/// How often a free port may turn out to be taken by somebody faster.
const PORT_TRIES: u32 = 5;

pub(crate) struct Spin {
    child: Child,
    address: SocketAddr,
    /// Spin's and the component's standard error.
    log: NamedTempFile,
}

impl Spin {
    pub(crate) async fn start(program: &Path, options: &Options, listen: SocketAddr) -> Self {
        build();
        for _ in 0..PORT_TRIES {
            let address = if listen.port() == 0 { free_address() } else { listen };
            let mut spin = Self::spawn(program, options, address);
            match spin.wait_until_it_listens().await {
                None => return spin,
                Some(_) if listen.port() == 0 && spin.log().contains("in use") => {}
                Some(status) => panic!("`spin up` ended at once, {status}:\n{}", spin.log()),
            }
        }
        panic!("no free port was left alone long enough for `spin up`");
    }

    fn spawn(program: &Path, options: &Options, address: SocketAddr) -> Self {
        let log = NamedTempFile::new().expect("make a file for Spin's log");
        let to_log =
            || File::options().append(true).open(log.path()).expect("open the file for Spin's log");
        let mut command = Command::new(program);
        command.arg("up").arg("--from").arg(workspace().join("spin.toml"));
        command.arg("--listen").arg(address.to_string());
        let runtime_config = workspace().join("runtime-config.toml");
        if runtime_config.exists() {
            command.arg("--runtime-config-file").arg(runtime_config);
        }
        let reuse = options.reuse;
        command.args(["--max-instance-reuse-count", &reuse.max_reuse.to_string()]);
        command.args(["--max-instance-concurrent-reuse-count", &reuse.max_concurrent.to_string()]);
        // Not as arguments, which every user of the machine can read.
        for (name, value) in &options.variables {
            command.env(format!("SPIN_VARIABLE_{}", name.to_uppercase()), value);
        }
        let child = command
            .current_dir(workspace())
            // `spin up` starts the program that really serves: both are stopped through the group.
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(to_log())
            .stderr(to_log())
            .kill_on_drop(true)
            .spawn()
            .unwrap_or_else(|err| {
                panic!(
                    "failed to run `{}`: {err}\nhint: install Spin 4.1 or newer, or name its program in SPIN, \
                     or leave TASKIE_RUNTIME unset to use the local runtime",
                    program.display()
                )
            });
        Self { child, address, log }
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

    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.log.path()).expect("read Spin's log")
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
            // It fails when all of them are gone, which is what it is for.
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

/// Builds the component, once for this process.
fn build() {
    static BUILT: OnceLock<()> = OnceLock::new();
    BUILT.get_or_init(super::local::build_component);
}

fn free_address() -> SocketAddr {
    let listener = TcpListener::bind(super::ANY_PORT).expect("find a free port");
    listener.local_addr().expect("the address of a listener")
}
