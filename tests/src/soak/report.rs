//! The report: a table that grows with the time, or one JSON document at the end.

use std::num::NonZero;

use serde_json::json;

use super::options::Options;
use super::sample::{Sample, Sampler};
use super::verdict::Verdict;
use crate::Component;
use crate::bench::load::count;
use crate::bench::output::{figure, print, progress};
use crate::runtime::spin_version;

const HEADINGS: &str = "    s  requests   /s  errors  p50 ms  p95 ms  p99 ms  max ms  memory MiB  instances  clients  database  size MiB";

/// What runs where, and the headings.
pub(crate) async fn begin(options: &Options, sampler: &Sampler) -> anyhow::Result<()> {
    let host = match spin_version() {
        Some(version) if sampler.app().process_group().is_some() => version,
        _ => "local, in this process".to_owned(),
    };
    let processors = std::thread::available_parallelism().map_or(0, NonZero::get);
    let what = format!(
        "{host}, components of {}, PostgreSQL {}, {processors} processors, {} connections, {} users",
        Component::under_test().name(),
        sampler.postgres().await?,
        options.connections,
        options.users
    );
    show(options, &what);
    show(options, HEADINGS);
    Ok(())
}

/// The rows are progress where the result is a document.
fn show(options: &Options, line: &str) {
    if options.json { progress(line) } else { print(line) }
}

/// One interval.
pub(crate) fn row(options: &Options, sample: &Sample) {
    let optional = |count: Option<usize>| count.map_or("-".to_owned(), |count| count.to_string());
    let mib = |bytes: u64| {
        figure(Some(count(usize::try_from(bytes >> 10).unwrap_or(usize::MAX)) / 1_024.0), 0)
    };
    show(
        options,
        &format!(
            "{:>5}  {:>8}  {:>3}  {:>6}  {:>6}  {:>6}  {:>6}  {:>6}  {:>10}  {:>9}  {:>7}  {:>8}  {:>8}",
            figure(Some(sample.at), 0),
            sample.requests,
            figure(Some(sample.per_second), 0),
            sample.errors,
            figure(Some(sample.p50_ms), 1),
            figure(Some(sample.p95_ms), 1),
            figure(Some(sample.p99_ms), 1),
            figure(Some(sample.max_ms), 0),
            mib(sample.memory_bytes),
            optional(sample.instances),
            optional(sample.client_connections),
            sample.database_connections,
            mib(sample.database_bytes.unsigned_abs()),
        ),
    );
}

/// The statuses of all responses, and the verdict.
pub(crate) fn end(
    options: &Options,
    samples: &[Sample],
    verdict: &Verdict,
    first_error: Option<&str>,
) {
    if options.json {
        let document = json!({
            "minutes": options.minutes,
            "samples": samples,
            "verdict": verdict,
            "first_error": first_error,
            "good": verdict.is_good(),
        });
        print(&format!("{document:#}"));
        return;
    }
    let mut statuses = std::collections::BTreeMap::<u16, usize>::new();
    for (status, count) in samples.iter().flat_map(|one| &one.by_status) {
        *statuses.entry(*status).or_default() += count;
    }
    let statuses: Vec<String> =
        statuses.iter().map(|(status, count)| format!("{status}: {count}")).collect();
    print(&format!("\n{} responses ({})", verdict.requests, statuses.join(", ")));
    print(&format!(
        "memory {} MiB, then {} MiB, at most {} more; connections to the database {}, then {}",
        verdict.memory_before >> 20,
        verdict.memory_after >> 20,
        verdict.memory_allowed >> 20,
        verdict.connections_before,
        verdict.connections_after
    ));
    if let Some(error) = first_error {
        print(&format!("the first unexpected response: {error}"));
    }
    match verdict.failures.as_slice() {
        [] => print("good: no unexpected response, and no growth"),
        failures => print(&format!("FAILED: {}", failures.join("; "))),
    }
}
