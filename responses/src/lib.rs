//! The common part of all responses of both components: the headers that the contract promises, the
//! body of an error, and writing through the host.
//!
//! The components decide which response a request gets.

pub mod headers;
pub mod host;
pub mod problem;
pub mod problem_type;
pub mod request_id;
pub mod time;
