//! TLS as every connection of this crate uses it: verified, timed, and told about.

mod config;
mod report;

pub use config::tls_config;
pub use report::TlsReport;
