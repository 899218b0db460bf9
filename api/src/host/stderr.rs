//! Standard error. Spoken to directly: for a line, the standard library calls the host three times.

use std::sync::OnceLock;

use wasi::cli::stderr::get_stderr;
use wasi::io::streams::OutputStream;

/// The most bytes that the host takes at once.
const PIECE: usize = 4096;

static STDERR: OnceLock<OutputStream> = OnceLock::new();

/// Writes these bytes, if the host takes them.
pub(crate) fn write(bytes: &[u8]) {
    let stderr = STDERR.get_or_init(get_stderr);
    for piece in bytes.chunks(PIECE) {
        if stderr.blocking_write_and_flush(piece).is_err() {
            return;
        }
    }
}
