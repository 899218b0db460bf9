//! Limits for the API's figures beside another side's.

use super::comparison::{Figure, Series};
use super::options::{Reuse, Workload};
use super::services::Side;
use super::spread::Spread;

/// A limit for the API's figure divided by that of the floor, or of the predecessor.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Target {
    ServerCpuAtMost(f64),
    DatabaseCpuAtMost(f64),
    ThroughputAtLeast(f64),
    /// Requests for each CPU second, beside the predecessor.
    PerCpuSecondAtLeast(f64),
}

impl Target {
    /// The targets of a workload.
    pub(crate) fn of(workload: Workload, reuse: Reuse) -> Vec<Self> {
        let throughput = match workload {
            Workload::Nothing | Workload::Mix => return Vec::new(),
            Workload::List | Workload::Filtered => 0.9,
            _ => 0.95,
        };
        if reuse == Reuse::SingleUse {
            return vec![Self::ServerCpuAtMost(1.3)];
        }
        let mut targets = vec![Self::ThroughputAtLeast(throughput), Self::DatabaseCpuAtMost(1.1)];
        match workload {
            Workload::Get | Workload::Create => targets.push(Self::PerCpuSecondAtLeast(6.0)),
            Workload::List => targets.push(Self::PerCpuSecondAtLeast(12.0)),
            _ => {}
        }
        targets
    }

    /// The side that the API is compared with.
    pub(crate) fn side(self) -> Side {
        match self {
            Self::PerCpuSecondAtLeast(_) => Side::Predecessor,
            _ => Side::Floor,
        }
    }

    /// The figure and its limit.
    pub(crate) fn limit(self) -> (Figure, f64) {
        match self {
            Self::ServerCpuAtMost(limit) => (Figure::ServerCpu, limit),
            Self::DatabaseCpuAtMost(limit) => (Figure::DatabaseCpu, limit),
            Self::ThroughputAtLeast(limit) => (Figure::Throughput, limit),
            Self::PerCpuSecondAtLeast(limit) => (Figure::PerCpuSecond, limit),
        }
    }

    /// The verdict on the median of the rounds, with the spread of the rounds.
    pub(crate) fn verdict(self, series: &Series) -> String {
        let (figure, limit) = self.limit();
        let what = match self {
            Self::ServerCpuAtMost(_) => "CPU at most",
            Self::DatabaseCpuAtMost(_) => "DB CPU at most",
            Self::ThroughputAtLeast(_) => "req/s at least",
            Self::PerCpuSecondAtLeast(_) => "req/CPU s at least",
        };
        let Some(Spread { median, least, most, .. }) = series.ratio(self.side(), figure) else {
            return format!("{what} {limit}: not measured");
        };
        let is_reached = match self {
            Self::ServerCpuAtMost(_) | Self::DatabaseCpuAtMost(_) => median <= limit,
            Self::ThroughputAtLeast(_) | Self::PerCpuSecondAtLeast(_) => median >= limit,
        };
        let verdict = if is_reached { "reached" } else { "MISSED" };
        format!("{what} {limit}: {verdict} ({least:.2} to {most:.2})")
    }
}

#[cfg(test)]
mod tests {
    use super::super::comparison::Round;
    use super::super::comparison::tests::series;
    use super::super::load::Cell;
    use super::super::options::{Reuse, Workload};
    use super::super::services::Side;
    use super::Target;

    #[test]
    fn a_target_is_held_against_the_median_of_the_rounds() {
        let series = series(Workload::Get, 16, &[(95.0, 100.0), (45.0, 50.0), (10.0, 100.0)]);
        let verdict = |limit| Target::ThroughputAtLeast(limit).verdict(&series);
        assert_eq!(verdict(0.9), "req/s at least 0.9: reached (0.10 to 0.95)");
        assert_eq!(verdict(0.91), "req/s at least 0.91: MISSED (0.10 to 0.95)");
        let cpu = Target::ServerCpuAtMost(1.3).verdict(&series);
        assert_eq!(cpu, "CPU at most 1.3: not measured");
    }

    #[test]
    fn the_predecessor_is_compared_by_cpu_time() {
        let cell = |cpu| Cell { server_cpu: Some(cpu), ..Cell::default() };
        let mut series = series(Workload::List, 16, &[]);
        series.rounds = vec![Round(vec![(Side::Predecessor, cell(5.0)), (Side::Api, cell(0.25))])];
        let targets = Target::of(Workload::List, Reuse::Reused).into_iter();
        let verdicts = targets
            .filter(|target| target.side() == Side::Predecessor)
            .map(|target| target.verdict(&series));
        let verdicts: Vec<String> = verdicts.collect();
        assert_eq!(verdicts, ["req/CPU s at least 12: reached (20.00 to 20.00)"]);
    }
}
