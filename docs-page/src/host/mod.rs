//! The entry point that the host calls: the only place of this crate that names an SDK.

mod wasip3;
