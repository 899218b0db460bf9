//! What both components need of their host: a request on its way in, a response on its way out, and the
//! clock. The only place of this crate that names an SDK.

#[cfg(all(feature = "wasip2", feature = "wasip3"))]
compile_error!("a component is built for one WASI: choose the feature `wasip2` or `wasip3`");

#[cfg(not(any(feature = "wasip2", feature = "wasip3")))]
compile_error!("a component is built for a WASI: choose the feature `wasip2` or `wasip3`");

mod body;
mod conversion;
#[cfg(feature = "wasip2")]
mod wasip2;
#[cfg(feature = "wasip3")]
mod wasip3;

use std::time::Duration;

pub use self::body::{CutOff, RequestBody};
#[cfg(feature = "wasip2")]
pub use self::wasip2::*;
#[cfg(feature = "wasip3")]
pub use self::wasip3::*;

/// Bytes of a large body that the host is given at once. It keeps what it has accepted until the client has read it,
/// or has gone, and so this is little.
const PIECE_BYTES: usize = 64 * 1024;

/// Time limit for the host to accept another piece of a body, which it does as the client reads: one that does not
/// must not keep the instance.
const WRITE_LIMIT: Duration = Duration::from_secs(30);

/// The length of the next piece of a body, of which so much is left. The last one is not small: it would wait for the
/// client's delayed acknowledgement of the one before.
fn next_piece(left: usize) -> usize {
    if left < 2 * PIECE_BYTES { left } else { PIECE_BYTES }
}

#[cfg(test)]
mod tests {
    use super::{PIECE_BYTES, next_piece};

    #[test]
    fn no_piece_but_the_first_is_small() {
        for len in [0, 1, PIECE_BYTES, 2 * PIECE_BYTES - 1, 2 * PIECE_BYTES, 1_000_000, 1_048_576] {
            let mut left = len - next_piece(len);
            while left > 0 {
                let piece = next_piece(left);
                assert!((PIECE_BYTES..2 * PIECE_BYTES).contains(&piece), "{piece} of {len}");
                left -= piece;
            }
        }
    }
}
