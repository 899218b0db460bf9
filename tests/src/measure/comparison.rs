//! The API's figures beside the bare component's.

use super::load::Cell;
use super::options::{Reuse, Workload};

/// Both components' results in one round.
pub(crate) struct Pair {
    pub(crate) api: Cell,
    pub(crate) floor: Cell,
}

/// A figure of a cell.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Figure {
    Throughput,
    P50,
    P99,
    HostCpu,
    DatabaseCpu,
}

/// A limit for the API's figure divided by the floor's.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Target {
    HostCpuAtMost(f64),
    ThroughputAtLeast(f64),
}

impl Figure {
    /// `None` where it could not be measured.
    pub(crate) fn of(self, cell: &Cell) -> Option<f64> {
        match self {
            Self::Throughput => Some(cell.per_second),
            Self::P50 => Some(cell.p50_ms),
            Self::P99 => Some(cell.p99_ms),
            Self::HostCpu => cell.host_cpu_ms,
            Self::DatabaseCpu => cell.database_cpu_ms,
        }
    }

    /// The API's figure divided by the floor's: the median of the rounds.
    pub(crate) fn ratio(self, pairs: &[Pair]) -> Option<f64> {
        median(self.ratios(pairs).into_iter())
    }

    fn ratios(self, pairs: &[Pair]) -> Vec<f64> {
        let ratio = |pair: &Pair| Some(self.of(&pair.api)? / self.of(&pair.floor)?);
        pairs.iter().filter_map(ratio).filter(|ratio| ratio.is_finite()).collect()
    }
}

impl Target {
    /// The target ratio of a workload.
    pub(crate) fn of(workload: Workload, reuse: Reuse) -> Option<Self> {
        match (reuse, workload) {
            (Reuse::SingleUse, Workload::Nothing) => Some(Self::HostCpuAtMost(1.5)),
            (Reuse::SingleUse, Workload::Get) => Some(Self::HostCpuAtMost(1.4)),
            (Reuse::SingleUse, _) | (Reuse::Reused, Workload::Nothing) => None,
            (Reuse::Reused, Workload::List) => Some(Self::ThroughputAtLeast(0.85)),
            (Reuse::Reused, _) => Some(Self::ThroughputAtLeast(0.9)),
        }
    }

    /// The verdict on the median of the rounds, with the spread of the rounds.
    pub(crate) fn verdict(self, pairs: &[Pair]) -> String {
        let (what, ratios) = match self {
            Self::HostCpuAtMost(limit) => {
                (format!("CPU at most {limit}"), Figure::HostCpu.ratios(pairs))
            }
            Self::ThroughputAtLeast(limit) => {
                (format!("req/s at least {limit}"), Figure::Throughput.ratios(pairs))
            }
        };
        let Some(median) = median(ratios.iter().copied()) else {
            return format!("{what}: not measured");
        };
        let is_reached = match self {
            Self::HostCpuAtMost(limit) => median <= limit,
            Self::ThroughputAtLeast(limit) => median >= limit,
        };
        let verdict = if is_reached { "reached" } else { "MISSED" };
        let least = ratios.iter().copied().fold(f64::INFINITY, f64::min);
        let most = ratios.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        format!("{what}: {verdict} ({least:.2} to {most:.2})")
    }
}

/// The middle value, or the mean of the two in the middle.
pub(crate) fn median(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.filter(|value| value.is_finite()).collect();
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => None,
        len if len % 2 == 1 => Some(values[middle]),
        _ => Some(f64::midpoint(values[middle - 1], values[middle])),
    }
}

#[cfg(test)]
mod tests {
    use super::{Cell, Pair, Target, median};

    #[test]
    fn the_median_is_in_the_middle() {
        assert_eq!(median([3.0, 1.0, 2.0].into_iter()), Some(2.0));
        assert_eq!(median([4.0, 1.0, 2.0, 3.0].into_iter()), Some(2.5));
        assert_eq!(median([f64::NAN].into_iter()), None);
    }

    #[test]
    fn a_target_is_held_against_the_median_of_the_rounds() {
        let cell = |per_second| Cell { per_second, ..Cell::default() };
        let pair = |api, floor| Pair { api: cell(api), floor: cell(floor) };
        let pairs = [pair(95.0, 100.0), pair(45.0, 50.0), pair(10.0, 100.0)];
        let verdict = |limit| Target::ThroughputAtLeast(limit).verdict(&pairs);
        assert_eq!(verdict(0.9), "req/s at least 0.9: reached (0.10 to 0.95)");
        assert_eq!(verdict(0.91), "req/s at least 0.91: MISSED (0.10 to 0.95)");
        assert_eq!(Target::HostCpuAtMost(1.5).verdict(&pairs), "CPU at most 1.5: not measured");
    }
}
