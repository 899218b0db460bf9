//! What every response of the application has, whichever component gives it: the headers that the
//! contract promises, a failure's body, and the way out through the host.
//!
//! It decides nothing: which response a request gets is the components' business.

pub mod headers;
pub mod problem;
pub mod request_id;
pub mod time;
pub mod wasi;
pub mod worker;
