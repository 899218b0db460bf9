//! TLS settings and the TLS report of a connection.

mod config;
mod report;

pub use config::tls_config;
pub use report::TlsReport;
