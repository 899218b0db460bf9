//! Output of `spin up`: kept until the API is served, then passed on to standard error.

use std::io::{BufRead, BufReader, Read, Write};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Time to wait for the rest of the output of a process that has ended.
const REST_LIMIT: Duration = Duration::from_secs(1);

/// Reads the output on threads of its own, so that Spin never waits for a full pipe.
pub(super) struct SpinOutput {
    kept: Kept,
    /// Disconnected when all output has been read.
    ended: Receiver<()>,
}

/// The output so far; `None` once it is passed on.
type Kept = Arc<Mutex<Option<Vec<u8>>>>;

impl SpinOutput {
    /// Reads both streams of the process.
    pub(super) fn read(
        stdout: impl Read + Send + 'static,
        stderr: impl Read + Send + 'static,
    ) -> SpinOutput {
        let kept = Arc::new(Mutex::new(Some(Vec::new())));
        let (sender, ended) = channel();
        let mut in_banner = true;
        let no_banner = move |line: &[u8]| {
            in_banner &= is_banner(line);
            !in_banner
        };
        read(stdout, Arc::clone(&kept), sender.clone(), no_banner);
        read(stderr, Arc::clone(&kept), sender, |_| true);
        SpinOutput { kept, ended }
    }

    /// From now on, output goes to standard error. Returns what was kept.
    pub(super) fn pass_on(&self) -> String {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner).take();
        String::from_utf8_lossy(&kept.unwrap_or_default()).trim_end().to_owned()
    }

    /// Waits for the rest of the output of a process that has ended. Returns what was kept.
    pub(super) fn finish(&self) -> String {
        // A process that outlives Spin may still have the pipe.
        let _ = self.ended.recv_timeout(REST_LIMIT);
        self.pass_on()
    }
}

/// Reads a stream to its end; `shown` tells whether a line is passed on.
fn read(
    stream: impl Read + Send + 'static,
    kept: Kept,
    end: Sender<()>,
    mut shown: impl FnMut(&[u8]) -> bool + Send + 'static,
) {
    std::thread::spawn(move || {
        let mut stream = BufReader::new(stream);
        let mut line = Vec::new();
        while stream.read_until(b'\n', &mut line).is_ok_and(|length| length > 0) {
            if shown(&line) {
                match &mut *kept.lock().unwrap_or_else(PoisonError::into_inner) {
                    Some(kept) => kept.extend_from_slice(&line),
                    None => drop(std::io::stderr().lock().write_all(&line)),
                }
            }
            line.clear();
        }
        drop(end);
    });
}

/// Spin's list of addresses, instead of which `cargo up` prints its own.
fn is_banner(line: &[u8]) -> bool {
    let starts = ["\n", "Serving ", "Available Routes:", "  "];
    starts.iter().any(|start| line.starts_with(start.as_bytes()))
}
