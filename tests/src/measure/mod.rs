//! Measures the cost of the API: [`run`] starts it and a bare component (the package `floor`: the least
//! that any component could do), each on its own host and both on one database, and prints tables.
//! `cargo measure` and `cargo measure-spin` run it.
//!
//! The requests are sent from this process, with little CPU, because they share the machine. Responses
//! are not checked beyond their status: the tests do that. Start reading at `throughput.rs` and `latency.rs`, one
//! for each kind of table.

mod answers;
mod comparison;
pub(crate) mod cpu;
mod latency;
pub(crate) mod load;
mod options;
pub(crate) mod output;
mod request;
pub(crate) mod services;
mod throughput;

pub use options::{Options, Part, Reuse, Workload};

use services::Services;

/// Runs the selected measurements and prints their tables.
pub async fn run(options: &Options) -> anyhow::Result<()> {
    for (number, reuse) in options.reuses().into_iter().enumerate() {
        output::progress(&format!("starting the services: {}", reuse.name()));
        let services = Services::start(options, reuse).await?;
        if number == 0 {
            output::print(&services.describe(options).await?);
        }
        if options.includes(Part::Latency) {
            latency::measure(options, reuse, &services).await?;
        }
        if options.includes(Part::Throughput) {
            throughput::measure(options, reuse, &services).await?;
        }
    }
    Ok(())
}
