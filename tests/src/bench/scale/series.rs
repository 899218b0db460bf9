//! One kind of request on all sides, in rounds.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Serialize;

use super::requests::Operation;
use super::statements::Counted;
use crate::bench::comparison::Figure;
use crate::bench::load::Cell;
use crate::bench::options::Options;
use crate::bench::output::{Table, figure};
use crate::bench::spread::{Spread, median, of_rounds};

/// What is measured of one kind of request with a number of connections.
#[derive(Serialize)]
pub(crate) struct Series {
    pub(crate) operation: Operation,
    pub(crate) connections: u16,
    /// The first one is what the others are divided by.
    pub(crate) sides: Vec<SideSeries>,
}

/// The same on one side.
#[derive(Serialize)]
pub(crate) struct SideSeries {
    pub(crate) name: String,
    pub(crate) rounds: Vec<Cell>,
    pub(crate) statement: Counted,
    /// The rounds' figures divided by those of the first side.
    ratios: BTreeMap<&'static str, Option<Spread>>,
}

impl SideSeries {
    pub(crate) fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            rounds: Vec::new(),
            statement: Counted::default(),
            ratios: BTreeMap::new(),
        }
    }

    fn median(&self, figure: Figure) -> Option<f64> {
        median(self.rounds.iter().filter_map(|cell| figure.of(cell)))
    }

    fn ratio(&self, to: &Self, figure: Figure) -> Option<Spread> {
        let rounds = self.rounds.iter().zip(&to.rounds);
        Spread::of(rounds.filter_map(|(own, other)| Some(figure.of(own)? / figure.of(other)?)))
    }
}

impl Series {
    /// Adds the ratios when all rounds are done.
    pub(crate) fn compare(&mut self) {
        let [first, others @ ..] = self.sides.as_mut_slice() else { return };
        for side in others {
            let ratios = Figure::ALL.iter().map(|one| (one.key(), side.ratio(first, *one)));
            side.ratios = ratios.collect();
        }
    }

    /// Requests without a good response.
    pub(crate) fn errors(&self) -> usize {
        self.cells().map(|cell| cell.errors).sum()
    }

    fn cells(&self) -> impl Iterator<Item = &Cell> {
        self.sides.iter().flat_map(|side| &side.rounds)
    }
}

/// The results as a table: figures of each side, and how they compare with those of the first one.
pub(crate) fn report(options: &Options, all: &[Series]) -> String {
    let mut headings = vec!["request", "connections", ""];
    headings.extend(Figure::ALL.map(Figure::heading));
    headings.push("errors");
    let mut table = Table::new(&headings);
    let mut errors = Vec::new();
    for series in all {
        let row = |name: &str, figures: Vec<String>, errors: String| {
            let row = [series.operation.name().to_owned(), series.connections.to_string()];
            let row = row.into_iter().chain([name.to_owned()]).chain(figures).chain([errors]);
            row.collect::<Vec<_>>()
        };
        for side in &series.sides {
            let figures = Figure::ALL.map(|kind| kind.shown(side.median(kind)));
            let failed: usize = side.rounds.iter().map(|cell| cell.errors).sum();
            table.row(row(&side.name, figures.into(), failed.to_string()));
        }
        for side in series.sides.iter().skip(1) {
            let figures =
                Figure::ALL.map(|kind| kind.shown_ratio(side.ratio(&series.sides[0], kind)));
            table.row(row(&format!("  {} / first", side.name), figures.into(), String::new()));
        }
        errors.extend(series.cells().filter_map(|cell| cell.first_error.clone()));
    }
    let others = median(all.iter().flat_map(Series::cells).filter_map(|cell| cell.others));
    let others = figure(others.map(|part| part * 100.0), 0);
    let mut text = format!(
        "{} of {} s; ratios with the least and the largest of the rounds\n{}",
        of_rounds(options.rounds),
        options.seconds,
        table.render()
    );
    let _ = writeln!(text, "other programs and the kernel took {others} % of the machine");
    if let Some(error) = errors.first() {
        let _ = writeln!(text, "the first error: {error}");
    }
    text
}
