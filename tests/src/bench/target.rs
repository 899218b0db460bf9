//! Limits for the API's figures beside the bare component's.

use super::comparison::{Figure, Series, median};
use super::options::{Reuse, Workload};
use super::services::Side;

/// A limit for the API's figure divided by the floor's.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Target {
    ServerCpuAtMost(f64),
    DatabaseCpuAtMost(f64),
    ThroughputAtLeast(f64),
}

impl Target {
    /// The targets of a workload.
    pub(crate) fn of(workload: Workload, reuse: Reuse) -> Vec<Self> {
        match (reuse, workload) {
            (_, Workload::Nothing | Workload::Mix) => Vec::new(),
            (Reuse::SingleUse, _) => vec![Self::ServerCpuAtMost(1.3)],
            (Reuse::Reused, Workload::List | Workload::Filtered) => {
                vec![Self::ThroughputAtLeast(0.9), Self::DatabaseCpuAtMost(1.1)]
            }
            (Reuse::Reused, _) => {
                vec![Self::ThroughputAtLeast(0.95), Self::DatabaseCpuAtMost(1.1)]
            }
        }
    }

    /// The verdict on the median of the rounds, with the spread of the rounds.
    pub(crate) fn verdict(self, series: &Series) -> String {
        let (what, figure) = match self {
            Self::ServerCpuAtMost(limit) => (format!("CPU at most {limit}"), Figure::ServerCpu),
            Self::DatabaseCpuAtMost(limit) => {
                (format!("DB CPU at most {limit}"), Figure::DatabaseCpu)
            }
            Self::ThroughputAtLeast(limit) => {
                (format!("req/s at least {limit}"), Figure::Throughput)
            }
        };
        let ratios = series.ratios(Side::Floor, figure);
        let Some(median) = median(ratios.iter().copied()) else {
            return format!("{what}: not measured");
        };
        let is_reached = match self {
            Self::ServerCpuAtMost(limit) | Self::DatabaseCpuAtMost(limit) => median <= limit,
            Self::ThroughputAtLeast(limit) => median >= limit,
        };
        let verdict = if is_reached { "reached" } else { "MISSED" };
        let least = ratios.iter().copied().fold(f64::INFINITY, f64::min);
        let most = ratios.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        format!("{what}: {verdict} ({least:.2} to {most:.2})")
    }
}

#[cfg(test)]
mod tests {
    use super::super::comparison::tests::series;
    use super::super::options::Workload;
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
}
