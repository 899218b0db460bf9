//! What both components need of their host: a request on its way in, a response on its way out, and the
//! clock. The only place of this crate that names an SDK.

#[cfg(all(feature = "wasip2", feature = "wasip3"))]
compile_error!("a component is built for one WASI: choose the feature `wasip2` or `wasip3`");

#[cfg(not(any(feature = "wasip2", feature = "wasip3")))]
compile_error!("a component is built for a WASI: choose the feature `wasip2` or `wasip3`");

mod conversion;
#[cfg(feature = "wasip2")]
mod wasip2;
#[cfg(feature = "wasip3")]
mod wasip3;

use std::time::Duration;

#[cfg(feature = "wasip2")]
pub use self::wasip2::*;
#[cfg(feature = "wasip3")]
pub use self::wasip3::*;

/// Time limit for the host to accept a body: a client that does not read must not keep the instance.
/// An accepted body is in the host's memory.
const WRITE_LIMIT: Duration = Duration::from_secs(30);

/// A request's body that ended before it was complete.
#[derive(Debug)]
pub struct CutOff;
