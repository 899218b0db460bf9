//! The cost of a request, the API beside the bare component: in rounds, in which the two take turns,
//! so that a machine that gets slower or busier does so for both.

use std::fmt::Write as _;

use super::comparison::{Figure, Pair, Target, median};
use super::load::{self, Cell};
use super::options::{Options, Reuse, Workload};
use super::output::{Table, figure, print, progress};
use super::request;
use super::services::{Services, Side};

/// Maximum length of a quoted error message.
const ERROR_CHARS: usize = 300;

/// The rounds of one workload.
struct Rounds {
    workload: Workload,
    pairs: Vec<Pair>,
}

/// Measures with all workloads and prints a table.
pub(crate) async fn measure(
    options: &Options,
    reuse: Reuse,
    services: &Services,
) -> anyhow::Result<()> {
    let workloads = options.workloads().into_iter();
    let mut results: Vec<Rounds> =
        workloads.map(|workload| Rounds { workload, pairs: Vec::new() }).collect();
    let name = reuse.name();
    for round in 1..=options.rounds {
        for Rounds { workload, pairs } in &mut results {
            let workload = *workload;
            progress(&format!("{name}, round {round} of {}: {}", options.rounds, workload.name()));
            // The second one finds the machine as the first one left it.
            let pair = if round % 2 == 1 {
                let api = run(options, workload, Side::Api, services).await?;
                let floor = run(options, workload, Side::Floor, services).await?;
                Pair { api, floor }
            } else {
                let floor = run(options, workload, Side::Floor, services).await?;
                let api = run(options, workload, Side::Api, services).await?;
                Pair { api, floor }
            };
            pairs.push(pair);
        }
    }
    let Options { connections, rounds, seconds, .. } = options;
    print(&format!("{name}: {connections} connections, median of {rounds} rounds of {seconds} s"));
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

/// The columns with figures, and the number of decimals of each.
const FIGURES: [(Figure, usize); 5] = [
    (Figure::Throughput, 0),
    (Figure::P50, 2),
    (Figure::P99, 2),
    (Figure::HostCpu, 3),
    (Figure::DatabaseCpu, 3),
];

fn table(reuse: Reuse, results: &[Rounds]) -> Table {
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
    for Rounds { workload, pairs } in results {
        let cells = |side: fn(&Pair) -> &Cell| pairs.iter().map(side).collect::<Vec<_>>();
        for (side, cells) in
            [("API", cells(|pair| &pair.api)), ("floor", cells(|pair| &pair.floor))]
        {
            let mut row = vec![workload.name().to_owned(), side.to_owned()];
            row.extend(FIGURES.map(|(kind, digits)| {
                figure(median(cells.iter().filter_map(|cell| kind.of(cell))), digits)
            }));
            row.push(cells.iter().map(|cell| cell.errors).sum::<usize>().to_string());
            row.push(cells.iter().map(|cell| cell.splits).sum::<usize>().to_string());
            row.push(String::new());
            table.row(row);
        }
        let mut row = vec![workload.name().to_owned(), "ratio".to_owned()];
        row.extend(FIGURES.map(|(kind, _)| figure(kind.ratio(pairs), 2)));
        row.extend([String::new(), String::new()]);
        row.push(Target::of(*workload, reuse).map(|it| it.verdict(pairs)).unwrap_or_default());
        table.row(row);
    }
    table
}

/// Reasons to doubt the figures: errors, and other load on the machine.
fn notes(results: &[Rounds]) -> String {
    let mut notes = String::new();
    let mut others = Vec::new();
    for Rounds { workload, pairs } in results {
        for pair in pairs {
            for (side, cell) in [("API", &pair.api), ("floor", &pair.floor)] {
                others.extend(cell.others);
                if let Some(error) = &cell.first_error {
                    let error: String = error.chars().take(ERROR_CHARS).collect();
                    let (name, errors, all) =
                        (workload.name(), cell.errors, cell.errors + cell.answers);
                    let _ = writeln!(notes, "errors, {name}, {side}: {errors} of {all}: {error}");
                }
            }
        }
    }
    let most = others.iter().copied().fold(0.0, f64::max) * 100.0;
    if let Some(median) = median(others.into_iter()) {
        let median = median * 100.0;
        let _ = writeln!(
            notes,
            "other programs and the kernel took {median:.0} % of the machine (median), {most:.0} % at most"
        );
    }
    notes
}
