//! Connecting to the database: failures, TLS, and a compute of Neon.

mod failures;
mod neon;
pub(crate) mod tls;
