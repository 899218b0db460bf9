//! Connecting to the database: failures, and TLS.

mod failures;
pub(crate) mod tls;
