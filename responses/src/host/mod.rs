//! What both components need of their host: a response on its way out, and the clock. The only place of
//! this crate that names an SDK.

mod wasip3;

pub use self::wasip3::clock::wait;
pub use self::wasip3::response::respond;
pub use self::wasip3::worker;
