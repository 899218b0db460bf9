//! The host by WASI 0.3.

mod clock;
mod response;
pub mod worker;

pub use self::clock::wait;
pub use self::response::respond;
