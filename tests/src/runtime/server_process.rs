//! A server in a process of its own, whose CPU time and memory can be measured. It reads one line of JSON
//! from its standard input, prints its address, and ends when its standard input does: so it ends with
//! this process, however that ends.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::SocketAddr;
use std::os::unix::fs::FileExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::build::workspace;

/// Time limit for it to end after its standard input; `local` takes up to five seconds.
const STOP_LIMIT: Duration = Duration::from_secs(10);

/// A running server; it stops when this is dropped.
pub(crate) struct ServerProcess {
    child: Child,
    /// Open as long as it should serve.
    input: Option<ChildStdin>,
    address: SocketAddr,
    log: File,
}

impl ServerProcess {
    /// Starts the program and waits until it listens. Panics with its output if it ends instead.
    pub(crate) fn start(program: &Path, argument: &str, config: &impl Serialize) -> Self {
        let log = tempfile::tempfile().expect("create a file for a server's output");
        let mut child = Command::new(program)
            .arg(argument)
            .current_dir(workspace())
            // As in production, and as Spin is started.
            .env_remove("RUST_BACKTRACE")
            // Ctrl-C reaches this process only, which stops the others.
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log.try_clone().expect("share the file for a server's output"))
            .spawn()
            .unwrap_or_else(|err| panic!("failed to run `{}`: {err}", program.display()));
        let mut input = child.stdin.take().expect("a piped standard input");
        // Not as arguments: every user of the machine can read those.
        let mut line = serde_json::to_string(config).expect("a configuration is JSON");
        line.push('\n');
        // Fails if it has ended already, which the next line reports.
        let _ = input.write_all(line.as_bytes());
        let mut output = BufReader::new(child.stdout.take().expect("a piped standard output"));
        let mut address = String::new();
        let _ = output.read_line(&mut address);
        let address = address.trim().parse().unwrap_or_else(|_| {
            let status = child.wait().expect("wait for a server");
            panic!("`{} {argument}`: {status}\n{}", program.display(), read(&log));
        });
        Self { child, input: Some(input), address, log }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its process, which leads a group.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Its standard error so far.
    pub(crate) fn log(&self) -> String {
        read(&self.log)
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        drop(self.input.take());
        let deadline = Instant::now() + STOP_LIMIT;
        while matches!(self.child.try_wait(), Ok(None)) {
            if Instant::now() > deadline {
                let _ = self.child.kill();
                let _ = self.child.wait();
                return;
            }
            thread::sleep(Duration::from_millis(20));
        }
    }
}

/// Without moving the place at which the server writes.
fn read(log: &File) -> String {
    let length = log.metadata().map_or(0, |file| file.len());
    let mut bytes = vec![0; usize::try_from(length).unwrap_or_default()];
    let _ = log.read_exact_at(&mut bytes, 0);
    String::from_utf8_lossy(&bytes).into_owned()
}
