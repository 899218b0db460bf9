//! The figures of all sides in all rounds, and the ratios between them.

use std::collections::BTreeMap;

use serde::Serialize;

use super::load::Cell;
use super::options::{Reuse, Workload};
use super::output::{MEBIBYTE, figure};
use super::services::Side;
use super::spread::{Spread, median};

/// The results of all sides in one round.
pub(crate) struct Round(pub(crate) Vec<(Side, Cell)>);

/// The rounds of one workload with a number of connections.
pub(crate) struct Series {
    pub(crate) reuse: Reuse,
    pub(crate) workload: Workload,
    pub(crate) connections: u16,
    /// Those that take turns.
    pub(crate) sides: Vec<Side>,
    pub(crate) rounds: Vec<Round>,
}

/// A figure of a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Figure {
    Throughput,
    P50,
    P90,
    P99,
    ServerCpu,
    /// Requests for each CPU second of the side's processes.
    PerCpuSecond,
    DatabaseCpu,
    PeakMemory,
}

/// What the API's figures are divided by.
pub(crate) const RATIOS: [Side; 3] = [Side::Floor, Side::Native, Side::Predecessor];

/// What was measured, for machines.
#[derive(Serialize)]
pub(crate) struct Summary {
    instances: Reuse,
    workload: Workload,
    connections: u16,
    sides: Vec<SideSummary>,
    ratios: Vec<Ratio>,
}

#[derive(Serialize)]
struct SideSummary {
    side: Side,
    median: BTreeMap<&'static str, Option<f64>>,
    rounds: Vec<Cell>,
}

/// The rounds' ratios: their medians, the least and the largest ones.
#[derive(Serialize)]
struct Ratio {
    of: Side,
    to: Side,
    median: BTreeMap<&'static str, Option<f64>>,
    least: BTreeMap<&'static str, Option<f64>>,
    most: BTreeMap<&'static str, Option<f64>>,
}

impl Figure {
    pub(crate) const ALL: [Self; 8] = [
        Self::Throughput,
        Self::P50,
        Self::P90,
        Self::P99,
        Self::ServerCpu,
        Self::PerCpuSecond,
        Self::DatabaseCpu,
        Self::PeakMemory,
    ];

    /// `None` where it could not be measured.
    pub(crate) fn of(self, cell: &Cell) -> Option<f64> {
        match self {
            Self::Throughput => Some(cell.requests_per_second),
            Self::P50 => Some(cell.p50_ms),
            Self::P90 => Some(cell.p90_ms),
            Self::P99 => Some(cell.p99_ms),
            Self::ServerCpu => cell.server_cpu,
            Self::PerCpuSecond => cell.server_cpu.map(|seconds| 1_000.0 / seconds),
            Self::DatabaseCpu => cell.database_cpu,
            #[expect(clippy::cast_precision_loss, reason = "far fewer bytes than 2 to the 52nd")]
            Self::PeakMemory => cell.peak_memory_bytes.map(|bytes| bytes as f64),
        }
    }

    /// The heading in tables.
    pub(crate) fn heading(self) -> &'static str {
        match self {
            Self::Throughput => "req/s",
            Self::P50 => "p50 ms",
            Self::P90 => "p90 ms",
            Self::P99 => "p99 ms",
            Self::ServerCpu => "CPU s/1000",
            Self::PerCpuSecond => "req/CPU s",
            Self::DatabaseCpu => "DB CPU s/1000",
            Self::PeakMemory => "peak MiB",
        }
    }

    /// A value as it stands in a table.
    pub(crate) fn shown(self, value: Option<f64>) -> String {
        match self {
            Self::Throughput | Self::PerCpuSecond => figure(value, 0),
            Self::P50 | Self::P90 | Self::P99 => figure(value, 2),
            Self::ServerCpu | Self::DatabaseCpu => figure(value, 3),
            Self::PeakMemory => figure(value.map(|bytes| bytes / MEBIBYTE), 1),
        }
    }

    /// A ratio as it stands in a table: with its spread where there is a target for one of its kind.
    pub(crate) fn shown_ratio(self, ratio: Option<Spread>) -> String {
        let has_spread = matches!(
            self,
            Self::Throughput | Self::ServerCpu | Self::PerCpuSecond | Self::DatabaseCpu
        );
        match ratio {
            Some(spread) if has_spread => spread.shown(),
            other => figure(other.map(|spread| spread.median), 2),
        }
    }

    /// The name in JSON.
    pub(crate) fn key(self) -> &'static str {
        match self {
            Self::Throughput => "requests_per_second",
            Self::P50 => "p50_ms",
            Self::P90 => "p90_ms",
            Self::P99 => "p99_ms",
            Self::ServerCpu => "server_cpu_seconds_per_1000",
            Self::PerCpuSecond => "requests_per_server_cpu_second",
            Self::DatabaseCpu => "database_cpu_seconds_per_1000",
            Self::PeakMemory => "peak_memory_bytes",
        }
    }
}

impl Series {
    /// The cells of one side; none if it did not take part.
    pub(crate) fn cells(&self, side: Side) -> Vec<&Cell> {
        self.rounds.iter().filter_map(|round| round.cell(side)).collect()
    }

    /// The median of the rounds.
    pub(crate) fn median(&self, side: Side, figure: Figure) -> Option<f64> {
        median(self.cells(side).into_iter().filter_map(|cell| figure.of(cell)))
    }

    /// The API's figure divided by another side's: of each round, which the two shared.
    fn ratios(&self, to: Side, figure: Figure) -> impl Iterator<Item = f64> {
        let ratio = move |round: &Round| {
            Some(figure.of(round.cell(Side::Api)?)? / figure.of(round.cell(to)?)?)
        };
        self.rounds.iter().filter_map(ratio)
    }

    /// The rounds' ratios in short.
    pub(crate) fn ratio(&self, to: Side, figure: Figure) -> Option<Spread> {
        Spread::of(self.ratios(to, figure))
    }

    /// The requests without a good response, of all sides in all rounds.
    pub(crate) fn errors(&self) -> usize {
        let cells = self.rounds.iter().flat_map(|round| &round.0);
        cells.map(|(_, cell)| cell.errors).sum()
    }

    /// For machines.
    pub(crate) fn summary(&self) -> Summary {
        let figures = |of: &dyn Fn(Figure) -> Option<f64>| {
            Figure::ALL.iter().map(|figure| (figure.key(), of(*figure))).collect()
        };
        let ratios = RATIOS.iter().copied().filter(|to| self.sides.contains(to));
        Summary {
            instances: self.reuse,
            workload: self.workload,
            connections: self.connections,
            sides: self
                .sides
                .iter()
                .map(|&side| SideSummary {
                    side,
                    median: figures(&|figure| self.median(side, figure)),
                    rounds: self.cells(side).into_iter().cloned().collect(),
                })
                .collect(),
            ratios: ratios
                .map(|to| Ratio {
                    of: Side::Api,
                    to,
                    median: figures(&|figure| Some(self.ratio(to, figure)?.median)),
                    least: figures(&|figure| Some(self.ratio(to, figure)?.least)),
                    most: figures(&|figure| Some(self.ratio(to, figure)?.most)),
                })
                .collect(),
        }
    }
}

impl Round {
    fn cell(&self, side: Side) -> Option<&Cell> {
        self.0.iter().find(|(one, _)| *one == side).map(|(_, cell)| cell)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::{Cell, Figure, Reuse, Round, Series, Side, Workload};

    /// A series in which each round has the throughput of the API and that of the bare component.
    pub(crate) fn series(workload: Workload, connections: u16, rounds: &[(f64, f64)]) -> Series {
        let cell = |requests_per_second: f64| Cell {
            requests_per_second,
            p50_ms: 1_000.0 / requests_per_second,
            p99_ms: 4_000.0 / requests_per_second,
            ..Cell::default()
        };
        let round = |(api, floor): &(f64, f64)| {
            Round(vec![(Side::Floor, cell(*floor)), (Side::Api, cell(*api))])
        };
        let rounds = rounds.iter().map(round).collect();
        let sides = vec![Side::Api, Side::Floor];
        Series { reuse: Reuse::Reused, workload, connections, sides, rounds }
    }

    #[test]
    fn a_ratio_is_the_median_of_the_rounds_ratios() {
        let series = series(Workload::Get, 16, &[(95.0, 100.0), (45.0, 50.0), (10.0, 100.0)]);
        let ratio = series.ratio(Side::Floor, Figure::Throughput);
        let found = ratio.map(|ratio| (ratio.median, ratio.least, ratio.most));
        assert_eq!(found, Some((0.9, 0.1, 0.95)));
        assert_eq!(Figure::Throughput.shown_ratio(ratio), "0.90 (0.10-0.95)");
        assert_eq!(Figure::P50.shown_ratio(ratio), "0.90");
        assert_eq!(series.median(Side::Api, Figure::Throughput), Some(45.0));
        assert_eq!(series.ratio(Side::Native, Figure::Throughput), None);
        assert_eq!(series.ratio(Side::Floor, Figure::ServerCpu), None);
    }

    #[test]
    fn the_json_has_the_medians_the_rounds_and_the_ratios() {
        let summary = series(Workload::List, 16, &[(50.0, 100.0), (50.0, 200.0)]).summary();
        let json = serde_json::to_value(summary).expect("JSON");
        assert_eq!((&json["workload"], &json["instances"]), (&"list".into(), &"reused".into()));
        assert_eq!(json["sides"][0]["side"], "api");
        assert_eq!(json["sides"][0]["median"]["requests_per_second"], 50.0);
        assert_eq!(json["sides"][0]["rounds"][0]["requests_per_second"], 50.0);
        assert_eq!(json["ratios"][0]["to"], "floor");
        let ratio = |what| &json["ratios"][0][what]["requests_per_second"];
        assert_eq!([ratio("median"), ratio("least"), ratio("most")], [0.375, 0.25, 0.5]);
        assert!(json["ratios"][0]["median"]["peak_memory_bytes"].is_null());
    }
}
