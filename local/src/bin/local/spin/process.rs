//! The process `spin up` or `spin watch`, and the processes that it starts.

use std::collections::BTreeMap;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use local::postgres::Watchdog;
use local::{Build, Error, ErrorKind};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

use super::output::SpinOutput;
use super::program::SpinProgram;

/// Time limit for Spin to listen: it compiles the components first.
const START_LIMIT: Duration = Duration::from_mins(2);

/// Interval of the attempts to connect.
const POLL: Duration = Duration::from_millis(25);

/// Attempts with a free port, which another process can take first.
const PORT_TRIES: u32 = 5;

/// Variables that must not change what Spin does here: a second build, HTTPS at an address that is printed as HTTP,
/// and a backtrace for each variable that a component does not find.
const NOT_INHERITED: &[&str] =
    &["RUST_BACKTRACE", "SPIN_ALWAYS_BUILD", "SPIN_TLS_CERT", "SPIN_TLS_KEY"];

/// Where instances are limited by options, and Spin did not start.
const OLD_HINT: &str = "leave out the options for component instances: Spin before 3.6 has none";

/// Options of `spin up`.
pub(crate) struct SpinOptions {
    /// Runs `spin watch`, which builds and starts it again when a file changes.
    pub(crate) watch: bool,
    pub(crate) manifest: PathBuf,
    pub(crate) runtime_config: Option<PathBuf>,
    /// Values of application variables; the environment has the others.
    pub(crate) variables: BTreeMap<String, String>,
    /// The address to listen on; port 0 takes a free one.
    pub(crate) listen: SocketAddr,
    /// The folder of the key-value store and the logs. `None` keeps both in memory.
    pub(crate) state_dir: Option<PathBuf>,
    /// Options for component instances.
    pub(crate) instances: Vec<String>,
    /// Prints only what components print.
    pub(crate) quiet: bool,
}

/// A Spin that serves. Dropped without [`SpinProcess::stop`], it is stopped all the same, but nobody waits for it.
pub(crate) struct SpinProcess {
    child: Child,
    /// The process group: `spin up` starts another program, which serves.
    group: Pid,
    /// Stops the group when this process ends, however it ends.
    watchdog: Watchdog,
    output: SpinOutput,
    address: SocketAddr,
}

impl SpinProcess {
    /// Starts Spin; it listens when this returns.
    pub(crate) async fn start(
        program: &SpinProgram,
        options: &SpinOptions,
    ) -> Result<SpinProcess, Error> {
        for _ in 0..PORT_TRIES {
            let address = free_address(options.listen)?;
            let mut spin = SpinProcess::spawn(program, options, address)?;
            match tokio::time::timeout(START_LIMIT, spin.wait_until_it_listens()).await {
                Ok(None) => {
                    let messages = spin.output.pass_on();
                    if !options.quiet && !messages.is_empty() {
                        crate::console::lines(&messages);
                    }
                    return Ok(spin);
                }
                Ok(Some(status)) => {
                    let messages = spin.output.finish();
                    if free_address(address).is_ok() {
                        let message = format!("{program} ended before it served ({status})");
                        let error = Error::new(ErrorKind::Spin, message).with_details(messages);
                        let old = program.build() == Build::Wasip2 && !options.instances.is_empty();
                        return Err(if old { error.with_hint(OLD_HINT) } else { error });
                    }
                }
                Err(_) => {
                    let seconds = START_LIMIT.as_secs();
                    let message =
                        format!("{program} does not listen on {address} after {seconds} s");
                    return Err(
                        Error::new(ErrorKind::Spin, message).with_details(spin.output.pass_on())
                    );
                }
            }
        }
        Err(Error::listen(options.listen, &io::ErrorKind::AddrInUse.into()))
    }

    fn spawn(
        program: &SpinProgram,
        options: &SpinOptions,
        address: SocketAddr,
    ) -> Result<SpinProcess, Error> {
        let mut command = Command::new(program.path());
        command.arg(if options.watch { "watch" } else { "up" });
        // The options after the manifest are those of `spin up`, which `spin watch` passes on.
        command.arg("--from").arg(&options.manifest);
        command.arg("--listen").arg(address.to_string());
        if let Some(file) = &options.runtime_config {
            command.arg("--runtime-config-file").arg(file);
        }
        match &options.state_dir {
            Some(folder) => command.arg("--state-dir").arg(folder).arg("--truncate-logs"),
            None => command.arg("--state-dir="),
        };
        command.args(&options.instances);
        for name in NOT_INHERITED {
            command.env_remove(name);
        }
        // Not as arguments: every user of the machine can read those.
        for (name, value) in &options.variables {
            command.env(local::environment_name(name), value);
        }
        command
            // Ctrl-C reaches it through this process only.
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());

        let failed = |error: io::Error| {
            Error::new(ErrorKind::Spin, format!("cannot start {program}: {error}"))
        };
        let mut watchdog = Watchdog::for_group().map_err(failed)?;
        let mut child = command.spawn().map_err(failed)?;
        let id = child.id().expect("a process that was not waited for");
        let watched = watchdog.watch_group(id);
        let stdout = child.stdout.take().expect("a pipe").into_owned_fd();
        let stderr = child.stderr.take().expect("a pipe").into_owned_fd();
        let spin = SpinProcess {
            child,
            group: Pid::from_raw(id.cast_signed()),
            watchdog,
            output: SpinOutput::read(
                std::fs::File::from(stdout.map_err(failed)?),
                std::fs::File::from(stderr.map_err(failed)?),
            ),
            address,
        };
        watched.map_err(failed)?;
        Ok(spin)
    }

    /// `None` when it listens, its status when it has ended.
    async fn wait_until_it_listens(&mut self) -> Option<ExitStatus> {
        loop {
            tokio::select! {
                status = self.wait() => return Some(status),
                () = tokio::time::sleep(POLL) => {}
            }
            if TcpStream::connect(self.address).await.is_ok() {
                return None;
            }
        }
    }

    /// The address that it listens on.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits until Spin ends by itself, which is an error.
    pub(crate) async fn ended(&mut self) -> Error {
        let status = self.wait().await;
        let rest = self.output.finish();
        Error::new(ErrorKind::Spin, format!("Spin ended by itself ({status})")).with_details(rest)
    }

    async fn wait(&mut self) -> ExitStatus {
        let status = self.child.wait().await.unwrap_or_default();
        // Its child may have outlived it.
        let _ = killpg(self.group, Signal::SIGKILL);
        status
    }

    /// Interrupts Spin, which breaks off requests in flight, and kills it if that does not end it. Whether or not the
    /// future is polled to its end, Spin ends.
    pub(crate) async fn stop(self) {
        let SpinProcess { mut child, watchdog, output, .. } = self;
        let (_, _) = tokio::join!(watchdog.finish(), child.wait());
        output.finish();
    }
}

/// The address, with a free port in place of port 0. Fails if another process listens there.
fn free_address(address: SocketAddr) -> Result<SocketAddr, Error> {
    TcpListener::bind(address)
        .and_then(|listener| listener.local_addr())
        .map_err(|error| Error::listen(address, &error))
}
