//! Measures the API: [`run`] starts it, a bare component (the package `floor`: the least that any component
//! could do), each on its own host, a native server (the package `native`), and the predecessor if asked to, all
//! on one database, and prints tables or JSON. `cargo bench-api` and `cargo bench-api-spin` run it.
//!
//! The requests are sent from this process, with little CPU, because they share the machine. Responses
//! are not checked beyond their status: the tests do that. Start reading at `throughput.rs`, `latency.rs`,
//! `cold.rs` and `memory.rs`, one for each kind of table.

mod agreement;
mod answers;
mod cold;
mod comparison;
mod environment;
mod indexes;
mod latency;
pub(crate) mod load;
mod memory;
mod native;
mod options;
pub(crate) mod output;
mod plots;
mod predecessor;
pub(crate) mod processes;
mod requests;
mod scale;
mod services;
mod spread;
mod sql;
mod target;
mod throughput;

pub use options::{Options, Part, Reuse, Workload};
pub use scale::ScaleOptions;

use anyhow::{Context, ensure};
use serde::Serialize;

use cold::ColdStart;
use comparison::{Series, Summary};
use environment::Environment;
use latency::Latency;
use memory::Memory;
use services::Services;

use crate::runtime::check_spin;

/// What `--json` prints. Of the lists, one has entries.
#[derive(Serialize)]
struct Document {
    environment: Environment,
    throughput: Vec<Summary>,
    latency: Vec<Latency>,
    cold: Vec<ColdStart>,
    memory: Vec<Memory>,
}

/// Runs the selected measurement and prints its results. An error, after them, where requests failed, or a kind
/// of response was slow.
pub async fn run(options: &Options) -> anyhow::Result<()> {
    if options.part == Part::Host {
        return crate::runtime::serve(output::print).await;
    }
    if options.part.has_components() {
        check_spin()?;
    }
    match options.part {
        Part::Scale => return scale::run(options).await,
        Part::Indexes => return indexes::run(options).await,
        _ => {}
    }
    if let Some(folder) = &options.plots {
        plots::create(folder)?;
    }
    let mut started = Vec::new();
    let mut document = None;
    let mut failures = 0;
    if options.part == Part::Throughput {
        let minutes = options.total_duration().as_secs().div_ceil(60);
        output::progress(&format!("this takes about {minutes} min"));
    }
    for reuse in options.reuses() {
        output::progress(&format!("starting the services: {}", reuse.name()));
        let services = Services::start(options, reuse).await?;
        agreement::check(&services)?;
        let document = match &mut document {
            Some(document) => document,
            none => {
                let environment = services.environment(options).await?;
                report(options, &environment.describe());
                none.insert(Document::new(environment))
            }
        };
        match options.part {
            Part::Throughput => {
                let all = throughput::measure(options, reuse, &services).await?;
                report(options, &throughput::report(options, reuse, &all));
                if let Some(folder) = &options.plots {
                    plots::write(folder, reuse, &all, &document.environment)?;
                }
                failures += all.iter().map(Series::errors).sum::<usize>();
                document.throughput.extend(all.iter().map(Series::summary));
            }
            Part::Latency => {
                let all = latency::measure(options, reuse, &services).await?;
                report(options, &latency::report(options, reuse, &all));
                document.latency.extend(all);
            }
            Part::Memory => {
                let all = memory::measure(options, reuse, &services).await?;
                report(options, &memory::report(options, &all));
                document.memory.extend(all);
            }
            // All kinds of instances take turns.
            Part::Cold => started.push((reuse, services)),
            Part::Scale | Part::Indexes | Part::Host => {}
        }
    }
    let mut document = document.context("nothing was measured")?;
    if options.part == Part::Cold {
        document.cold = cold::measure(options, &started)?;
        failures += document.cold.iter().map(ColdStart::errors).sum::<usize>();
        report(options, &cold::report(&document.cold));
    }
    if options.json {
        output::print(&serde_json::to_string_pretty(&document)?);
    }
    Latency::check(&document.latency)?;
    ensure!(failures == 0, "{failures} requests had no good response: the figures say nothing");
    Ok(())
}

impl Document {
    fn new(environment: Environment) -> Self {
        Self {
            environment,
            throughput: Vec::new(),
            latency: Vec::new(),
            cold: Vec::new(),
            memory: Vec::new(),
        }
    }
}

/// Prints a text, unless the results are printed as JSON.
fn report(options: &Options, text: &str) {
    if !options.json {
        output::print(text);
    }
}
