//! What a request costs, the API's beside the bare component's: in rounds, in which the two take
//! turns, so that a machine that gets slower or busier does so for both.

use crate::load::{self, Cell};
use crate::options::{Options, Reuse, Workload};
use crate::output::{Table, figure, print, progress};
use crate::request;
use crate::services::{Services, Side};

/// A limit for the API's figure divided by the floor's.
#[derive(Clone, Copy)]
enum Target {
    HostCpuAtMost(f64),
    ThroughputAtLeast(f64),
}

/// Both components' results in one round.
struct Pair {
    api: Cell,
    floor: Cell,
}

/// Measures with all workloads and prints a table.
pub(crate) async fn measure(
    options: &Options,
    reuse: Reuse,
    services: &Services,
) -> anyhow::Result<()> {
    let workloads = options.workloads();
    let mut results: Vec<(Workload, Vec<Pair>)> =
        workloads.into_iter().map(|workload| (workload, Vec::new())).collect();
    for round in 1..=options.rounds {
        for (workload, pairs) in &mut results {
            progress(&format!(
                "{}, round {round} of {}: {}",
                reuse.name(),
                options.rounds,
                workload.name()
            ));
            let pair = if round % 2 == 1 {
                let api = run(options, *workload, Side::Api, services).await?;
                let floor = run(options, *workload, Side::Floor, services).await?;
                Pair { api, floor }
            } else {
                let floor = run(options, *workload, Side::Floor, services).await?;
                let api = run(options, *workload, Side::Api, services).await?;
                Pair { api, floor }
            };
            pairs.push(pair);
        }
    }
    print(&format!(
        "{}: {} connections, median of {} rounds of {} s",
        reuse.name(),
        options.connections,
        options.rounds,
        options.seconds
    ));
    print(&table(reuse, &results).render());
    print(&notes(&results));
    Ok(())
}

async fn run(
    options: &Options,
    workload: Workload,
    side: Side,
    services: &Services,
) -> anyhow::Result<Cell> {
    services.tidy().await?;
    let requests = (0..usize::from(options.connections))
        .map(|connection| request::of_workload(workload, side, services, connection))
        .collect();
    let accounts = services.accounts(side);
    Ok(load::run(services.address(side), requests, options.duration(), accounts))
}

fn table(reuse: Reuse, results: &[(Workload, Vec<Pair>)]) -> Table {
    let mut table = Table::new(&[
        "workload",
        "",
        "req/s",
        "p50 ms",
        "p99 ms",
        "CPU ms",
        "DB CPU ms",
        "errors",
        "split",
        "target",
    ]);
    for (workload, pairs) in results {
        for (name, side) in [("API", api as fn(&Pair) -> &Cell), ("floor", floor)] {
            let of = |figure: fn(&Cell) -> Option<f64>| {
                median(pairs.iter().filter_map(|pair| figure(side(pair))))
            };
            let sum =
                |number: fn(&Cell) -> usize| pairs.iter().map(|pair| number(side(pair))).sum();
            let (errors, splits): (usize, usize) =
                (sum(|cell| cell.errors), sum(|cell| cell.splits));
            table.row(vec![
                workload.name().to_owned(),
                name.to_owned(),
                figure(of(throughput), 0),
                figure(of(p50), 2),
                figure(of(p99), 2),
                figure(of(host_cpu), 3),
                figure(of(database_cpu), 3),
                errors.to_string(),
                splits.to_string(),
                String::new(),
            ]);
        }
        let ratio = |figure| figure_of(&ratios(pairs, figure));
        table.row(vec![
            String::new(),
            "ratio".to_owned(),
            ratio(throughput),
            ratio(p50),
            ratio(p99),
            ratio(host_cpu),
            ratio(database_cpu),
            String::new(),
            String::new(),
            target(*workload, reuse).map(|target| target.verdict(pairs)).unwrap_or_default(),
        ]);
    }
    table
}

/// What throws a doubt on the figures: errors, and others at work on the machine.
fn notes(results: &[(Workload, Vec<Pair>)]) -> String {
    let mut notes = String::new();
    let cells = || {
        results.iter().flat_map(|(workload, pairs)| {
            pairs
                .iter()
                .flat_map(|pair| [("API", &pair.api), ("floor", &pair.floor)])
                .map(move |(side, cell)| (format!("{}, {side}", workload.name()), cell))
        })
    };
    for (name, cell) in cells() {
        if let Some(error) = &cell.first_error {
            let error: String = error.chars().take(300).collect();
            notes.push_str(&format!(
                "errors, {name}: {} of {}: {error}\n",
                cell.errors,
                cell.errors + cell.answers
            ));
        }
    }
    let mut others: Vec<f64> = cells().filter_map(|(_, cell)| cell.others).collect();
    others.sort_by(f64::total_cmp);
    if let (Some(median), Some(most)) = (median(others.iter().copied()), others.last()) {
        notes.push_str(&format!(
            "other programs and the kernel used {:.0} % of the machine (median), at most {:.0} %\n",
            median * 100.0,
            most * 100.0
        ));
    }
    notes
}

fn api(pair: &Pair) -> &Cell {
    &pair.api
}

fn floor(pair: &Pair) -> &Cell {
    &pair.floor
}

fn throughput(cell: &Cell) -> Option<f64> {
    Some(cell.per_second)
}

fn p50(cell: &Cell) -> Option<f64> {
    Some(cell.p50_ms)
}

fn p99(cell: &Cell) -> Option<f64> {
    Some(cell.p99_ms)
}

fn host_cpu(cell: &Cell) -> Option<f64> {
    cell.host_cpu_ms
}

fn database_cpu(cell: &Cell) -> Option<f64> {
    cell.database_cpu_ms
}

/// The API's figure divided by the floor's, for each round.
fn ratios(pairs: &[Pair], figure: fn(&Cell) -> Option<f64>) -> Vec<f64> {
    let ratio = |pair: &Pair| Some(figure(&pair.api)? / figure(&pair.floor)?);
    pairs.iter().filter_map(ratio).filter(|ratio| ratio.is_finite()).collect()
}

fn figure_of(ratios: &[f64]) -> String {
    figure(median(ratios.iter().copied()), 2)
}

/// The middle one, or the mean of the two in the middle.
fn median(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.filter(|value| value.is_finite()).collect();
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => None,
        len if len % 2 == 1 => Some(values[middle]),
        _ => Some(f64::midpoint(values[middle - 1], values[middle])),
    }
}

/// Which ratio each workload should reach.
fn target(workload: Workload, reuse: Reuse) -> Option<Target> {
    match (reuse, workload) {
        (Reuse::SingleUse, Workload::Nothing) => Some(Target::HostCpuAtMost(1.5)),
        (Reuse::SingleUse, Workload::Get) => Some(Target::HostCpuAtMost(1.4)),
        (Reuse::SingleUse, _) | (Reuse::Reused, Workload::Nothing) => None,
        (Reuse::Reused, Workload::List) => Some(Target::ThroughputAtLeast(0.85)),
        (Reuse::Reused, _) => Some(Target::ThroughputAtLeast(0.9)),
    }
}

impl Target {
    /// Whether the median of the rounds is good, and how far apart the rounds are.
    fn verdict(self, pairs: &[Pair]) -> String {
        let (what, ratios) = match self {
            Self::HostCpuAtMost(limit) => (format!("CPU at most {limit}"), ratios(pairs, host_cpu)),
            Self::ThroughputAtLeast(limit) => {
                (format!("req/s at least {limit}"), ratios(pairs, throughput))
            }
        };
        let Some(median) = median(ratios.iter().copied()) else {
            return format!("{what}: not measured");
        };
        let is_good = match self {
            Self::HostCpuAtMost(limit) => median <= limit,
            Self::ThroughputAtLeast(limit) => median >= limit,
        };
        let least = ratios.iter().copied().fold(f64::INFINITY, f64::min);
        let most = ratios.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let verdict = if is_good { "reached" } else { "MISSED" };
        format!("{what}: {verdict} ({least:.2} to {most:.2})")
    }
}

#[cfg(test)]
mod tests {
    use super::median;

    #[test]
    fn the_median_is_in_the_middle() {
        assert_eq!(median([3.0, 1.0, 2.0].into_iter()), Some(2.0));
        assert_eq!(median([4.0, 1.0, 2.0, 3.0].into_iter()), Some(2.5));
        assert_eq!(median([f64::NAN].into_iter()), None);
    }
}
