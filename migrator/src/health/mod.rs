//! Whether a database can be used, and how well: a report for people and for machines.
//!
//! It looks at the endpoint as it is given (a pooled host stays pooled) and at its twin, makes one
//! attempt without patience, needs no session state, and writes nothing.

mod connecting;
mod endpoints;
mod limits;
mod look;
mod prepared;
mod release;
mod report;
mod sequences;
mod server;
mod warning;
mod warnings;

pub use connecting::{ConnectTimes, PhaseTimes};
pub use endpoints::{EndpointCheck, PreparedStatements};
pub use limits::{ExceededLimit, HealthLimits};
pub use look::{HealthOptions, check_health};
pub use report::{EndpointReport, HealthReport, MigrationCounts};
pub use sequences::SequenceUse;
pub use server::{Connections, OldestTransaction, RoundTrips, TransactionAge};
pub use warning::HealthWarning;
