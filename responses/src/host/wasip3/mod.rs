//! The host by WASI 0.3.

pub(super) mod clock;
pub(super) mod response;
pub mod worker;
