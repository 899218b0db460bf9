//! `health`: a report on whether a database is usable and how well it works.
//!
//! Checks the endpoint as it is given (a pooled host stays pooled) and its counterpart. One attempt
//! to connect, no session state, no writes.

mod check;
mod connect_time;
mod endpoints;
mod prepared_statements;
mod report;
mod sequences;
mod server;
mod server_support;
mod thresholds;
mod warnings;

pub use check::{HealthOptions, check_health};
pub use connect_time::{ConnectTimes, PhaseTimes};
pub use prepared_statements::PreparedStatements;
pub use report::{
    Connections, EndpointCheck, EndpointReport, ExceededLimit, HealthReport, HealthWarning,
    MigrationCounts, OldestTransaction, RoundTrips, TransactionAge,
};
pub use sequences::SequenceUse;
pub use thresholds::HealthLimits;
