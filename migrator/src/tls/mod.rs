//! TLS as every connection of this crate uses it: verified, timed, and told about.

mod config;
mod handshake;
mod report;

pub use config::tls_config;
pub(crate) use handshake::Handshakes;
pub use report::TlsReport;
