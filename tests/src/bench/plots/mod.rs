//! The throughput's results as SVG files, which look right on a light and on a dark page.

mod drawing;
mod latency;
mod ratios;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::Context;

use super::comparison::Series;
use super::environment::Environment;
use super::options::{Reuse, Workload};
use super::services::Side;

/// Creates the folder of the plots, before anything is measured.
pub(crate) fn create(folder: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(folder).with_context(|| {
        format!("failed to create the folder `{}` for the plots", folder.display())
    })
}

/// Writes `latency.svg` and `ratios.svg`; for single-use instances `latency-single-use.svg` and
/// `ratios-single-use.svg`. `series` are those of one kind of instances.
pub(crate) fn write(
    folder: &Path,
    reuse: Reuse,
    series: &[Series],
    environment: &Environment,
) -> anyhow::Result<()> {
    let suffix = match reuse {
        Reuse::Reused => "",
        Reuse::SingleUse => "-single-use",
    };
    let [host, origin] = environment.title();
    let about = [format!("{host}; {}", reuse.name()), origin];
    for (name, text) in
        [("latency", latency::draw(series, &about)), ("ratios", ratios::draw(series, &about))]
    {
        let path = folder.join(format!("{name}{suffix}.svg"));
        fs::write(&path, text).with_context(|| format!("write `{}`", path.display()))?;
    }
    Ok(())
}

/// All sides that took part in any of them.
fn sides(all: &[Series]) -> Vec<Side> {
    let sides: BTreeSet<Side> = all.iter().flat_map(|one| one.sides.iter().copied()).collect();
    sides.into_iter().collect()
}

/// The workloads in the order in which they were measured.
fn workloads(all: &[Series]) -> Vec<Workload> {
    let mut workloads = Vec::new();
    for series in all {
        if !workloads.contains(&series.workload) {
            workloads.push(series.workload);
        }
    }
    workloads
}
