//! The cost of a request, the API beside the others: in rounds, in which all sides take turns, so that a
//! machine that gets slower or busier does so for all of them.

use std::fmt::Write as _;

use rand::seq::SliceRandom;

use super::comparison::{Figure, RATIOS, Round, Series};
use super::load::{self, Cell};
use super::options::{Options, Reuse, Workload};
use super::output::{Table, progress};
use super::services::{Services, Side};
use super::spread::{median, of_rounds};
use super::target::Target;

/// Maximum length of a quoted error message.
const ERROR_CHARS: usize = 300;

/// Measures all workloads with all numbers of connections.
pub(crate) async fn measure(
    options: &Options,
    reuse: Reuse,
    services: &Services,
) -> anyhow::Result<Vec<Series>> {
    let mut all = Vec::new();
    for workload in options.workloads() {
        for connections in options.connections.iter().copied() {
            let sides = options.sides(reuse, connections);
            all.push(Series { reuse, workload, connections, sides, rounds: Vec::new() });
        }
    }
    for round in 1..=options.rounds {
        // A process can be faster or slower for as long as it lives, by where its memory lies.
        if round > 1 {
            services.restart_components().await;
        }
        for series in &mut all {
            progress(&format!(
                "{}, round {round} of {}: {}, {} connections",
                reuse.name(),
                options.rounds,
                series.workload.name(),
                series.connections
            ));
            // In another order each time: each finds the machine as the one before it left it.
            let mut sides = series.sides.clone();
            sides.shuffle(&mut rand::rng());
            let mut cells = Vec::new();
            for side in sides {
                let cell =
                    run(options, series.workload, side, series.connections, services).await?;
                cells.push((side, cell));
            }
            series.rounds.push(Round(cells));
        }
    }
    Ok(all)
}

async fn run(
    options: &Options,
    workload: Workload,
    side: Side,
    connections: u16,
    services: &Services,
) -> anyhow::Result<Cell> {
    services.tidy().await?;
    let connections = services.connections(workload, side, connections);
    Ok(load::run(connections, options.duration(), services.accounts(side)))
}

/// The results as a table, with what to know about them.
pub(crate) fn report(options: &Options, reuse: Reuse, all: &[Series]) -> String {
    let Options { rounds, seconds, .. } = options;
    format!(
        "{}: {} of {seconds} s; ratios with the least and the largest of the rounds\n{}\n{}",
        reuse.name(),
        of_rounds(*rounds),
        table(all).render(),
        notes(all)
    )
}

fn table(all: &[Series]) -> Table {
    let mut headings = vec!["workload", "connections", ""];
    headings.extend(Figure::ALL.map(Figure::heading));
    headings.extend(["errors", "target"]);
    let mut table = Table::new(&headings);
    for series in all {
        let row = |side: &str, figures: Vec<String>, errors: String, target: String| {
            let mut row = vec![series.workload.name().to_owned(), series.connections.to_string()];
            row.push(side.to_owned());
            row.extend(figures);
            row.extend([errors, target]);
            row
        };
        for &side in &series.sides {
            let figures = Figure::ALL.map(|kind| kind.shown(series.median(side, kind)));
            let errors = series.cells(side).iter().map(|cell| cell.errors).sum::<usize>();
            table.row(row(side.name(), figures.into(), errors.to_string(), String::new()));
        }
        for to in RATIOS.into_iter().filter(|to| series.sides.contains(to)) {
            let figures = Figure::ALL.map(|kind| kind.shown_ratio(series.ratio(to, kind)));
            let targets = Target::of(series.workload, series.reuse).into_iter();
            let targets = targets.filter(|target| target.side() == to);
            let targets: Vec<String> = targets.map(|target| target.verdict(series)).collect();
            let name = format!("API / {}", to.name());
            table.row(row(&name, figures.into(), String::new(), targets.join("; ")));
        }
    }
    table
}

/// Reasons to doubt the figures: errors, split responses, and other load on the machine.
fn notes(all: &[Series]) -> String {
    let mut notes = String::new();
    let mut others = Vec::new();
    for series in all {
        let (workload, connections) = (series.workload.name(), series.connections);
        for &side in &series.sides {
            let name = side.name();
            for cell in series.cells(side) {
                others.extend(cell.others);
                if let Some(error) = &cell.first_error {
                    let error: String = error.chars().take(ERROR_CHARS).collect();
                    let (errors, all) = (cell.errors, cell.errors + cell.responses);
                    let _ = writeln!(
                        notes,
                        "errors, {workload}, {connections} connections, {name}: {errors} of {all}: {error}"
                    );
                }
                // The predecessor's server always writes head and body by themselves.
                if cell.splits > 0 && side != Side::Predecessor {
                    let _ = writeln!(
                        notes,
                        "{workload}, {connections} connections, {name}: {} of {} responses came in two parts",
                        cell.splits, cell.responses
                    );
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
