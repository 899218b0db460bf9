//! What both components need of their host: a request on its way in, a response on its way out, and the
//! clock. The only place of this crate that names an SDK.

#[cfg(all(feature = "wasip2", feature = "wasip3"))]
compile_error!("a component is built for one WASI: choose the feature `wasip2` or `wasip3`");

#[cfg(not(any(feature = "wasip2", feature = "wasip3")))]
compile_error!("a component is built for a WASI: choose the feature `wasip2` or `wasip3`");

#[cfg(feature = "wasip2")]
mod wasip2;
#[cfg(feature = "wasip3")]
mod wasip3;

#[cfg(feature = "wasip2")]
pub use self::wasip2::*;
#[cfg(feature = "wasip3")]
pub use self::wasip3::*;
