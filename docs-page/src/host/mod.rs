//! The entry point that the host calls: the only place of this crate that names an SDK.

#[cfg(feature = "wasip2")]
mod wasip2;
#[cfg(feature = "wasip3")]
mod wasip3;
