//! Soak: mixed load for a long time, with a row of figures for each interval and a verdict on errors and memory.
//! `cargo soak` and `cargo soak-spin` run it.
//!
//! `load.rs` sends the requests, `sample.rs` is a row, `verdict.rs` compares the rows, `report.rs` prints them.

mod load;
mod options;
mod report;
mod request;
mod sample;
mod verdict;

pub use options::Options;

use std::time::{Duration, Instant};

use crate::App;
use crate::bench::output;
use crate::runtime::check_spin;

use load::Load;
use sample::{Sample, Sampler};
use verdict::Verdict;

/// Runs the load and prints the report. `false` if the service has failed.
pub async fn run(options: &Options) -> anyhow::Result<bool> {
    check_spin()?;
    output::progress("starting the service");
    let app = App::start_with(|_| {}).await;
    let sampler = Sampler::new(&app).await;
    report::begin(options, &sampler).await?;
    let load = Load::start(&app, options).await?;
    let started = Instant::now();
    let mut rows: Vec<Sample> = Vec::new();
    while started.elapsed() < options.duration() {
        let next = options.interval() * u32::try_from(rows.len() + 1)?;
        let wait = next.min(options.duration()).saturating_sub(started.elapsed());
        tokio::time::sleep(wait.max(Duration::from_millis(1))).await;
        let before = rows.last().map_or(0.0, |last| last.at);
        let sample = sampler.read(before, started.elapsed(), load.take()).await?;
        report::row(options, &sample);
        rows.push(sample);
    }
    let first_error = load.stop().await;
    let verdict = Verdict::of(&rows, options);
    report::end(options, &rows, &verdict, first_error.as_deref());
    Ok(verdict.is_good())
}
