//! Output of components: whole lines, so that instances that print at the same time do not mix.

use std::io::{self, Write};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use tokio::io::AsyncWrite;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};

/// The destination of the standard output and error of components, and of messages about them.
#[derive(Clone, Debug, Default)]
pub enum GuestOutput {
    /// The standard error of this process.
    #[default]
    Inherit,
    /// A buffer in memory.
    Capture(Arc<Mutex<Vec<u8>>>),
}

impl GuestOutput {
    /// Writes one line. Errors are ignored: printing must not fail a request.
    pub(crate) fn line(&self, text: &str) {
        self.write(format!("{text}\n").as_bytes());
    }

    /// A stream for one instance.
    pub(super) fn stream(&self) -> LineStream {
        LineStream(Arc::new(Mutex::new(Lines { output: self.clone(), unfinished: Vec::new() })))
    }

    fn write(&self, bytes: &[u8]) {
        match self {
            GuestOutput::Inherit => {
                let _ = io::stderr().lock().write_all(bytes);
            }
            GuestOutput::Capture(buffer) => {
                buffer.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
            }
        }
    }
}

/// Collects the output of one stream of one instance until a line is complete.
struct Lines {
    output: GuestOutput,
    unfinished: Vec<u8>,
}

impl Lines {
    fn push(&mut self, bytes: &[u8]) {
        self.unfinished.extend_from_slice(bytes);
        if let Some(end) = self.unfinished.iter().rposition(|byte| *byte == b'\n') {
            self.output.write(&self.unfinished[..=end]);
            self.unfinished.drain(..=end);
        }
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        if !self.unfinished.is_empty() {
            self.push(b"\n");
        }
    }
}

/// The standard output or error of an instance.
#[derive(Clone)]
pub(super) struct LineStream(Arc<Mutex<Lines>>);

impl LineStream {
    fn push(&self, bytes: &[u8]) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(bytes);
    }
}

impl IsTerminal for LineStream {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for LineStream {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

impl OutputStream for LineStream {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.push(&bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(1 << 20)
    }
}

impl Pollable for LineStream {
    fn ready<'s, 'f>(&'s mut self) -> Pin<Box<dyn Future<Output = ()> + Send + 'f>>
    where
        's: 'f,
        Self: 'f,
    {
        Box::pin(std::future::ready(()))
    }
}

impl AsyncWrite for LineStream {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.push(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_two_streams_do_not_mix() {
        let buffer = Arc::new(Mutex::new(Vec::new()));
        let output = GuestOutput::Capture(Arc::clone(&buffer));
        let (one, two) = (output.stream(), output.stream());
        one.push(b"first ");
        two.push(b"second\nun");
        one.push(b"line\n");
        two.push(b"finished");
        drop((one, two));
        let printed = buffer.lock().expect("buffer").clone();
        assert_eq!(String::from_utf8_lossy(&printed), "second\nfirst line\nunfinished\n");
    }
}
