//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, ValueEnum};
use serde::Serialize;

use super::scale::ScaleOptions;
use super::services::Side;
use crate::{Component, InstanceReuse};

/// Measures the API beside a bare component on the same host, a native server with the same routes and
/// statements, and the statements alone.
///
/// Starts everything itself, as the tests do, each in a process of its own. The components run on `local`,
/// with `cargo bench-api-spin` on the real Spin (the program from `SPIN`, else from `PATH`).
/// `TASKIE_COMPONENT=wasip2` measures the other build. Only a machine that does nothing else gives figures that
/// mean something.
#[derive(Clone, Debug, Parser)]
#[command(
    bin_name = "cargo bench-api",
    after_help = "Examples:
  cargo bench-api
  cargo bench-api --plots docs/plots --json > figures.json
  cargo bench-api --reuse reused --workload get --connections 16 --rounds 1 --seconds 2
  cargo bench-api cold
  cargo bench-api-spin latency --reuse single-use"
)]
pub struct Options {
    /// What is measured.
    #[arg(default_value = "throughput")]
    pub part: Part,
    /// Only instances of this kind.
    #[arg(long)]
    pub reuse: Option<Reuse>,
    /// Only this workload; may be repeated.
    #[arg(long = "workload")]
    pub workloads: Vec<Workload>,
    /// Connections at once, each with one request at a time; may be repeated.
    #[arg(long, value_name = "COUNT", default_values_t = [1, 16, 64], value_parser = clap::value_parser!(u16).range(1..))]
    pub connections: Vec<u16>,
    /// Measurements of each side with each workload and number of connections.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    pub rounds: u32,
    /// Seconds of each measurement, after half a second of the same load.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..))]
    pub seconds: u64,
    /// Requests for each kind of response, with `latency`.
    #[arg(long, default_value_t = 40, value_parser = clap::value_parser!(u32).range(1..))]
    pub requests: u32,
    /// New instances of each component on each route, with `cold`.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..))]
    pub samples: u32,
    /// The API's variable `log_level`.
    #[arg(long, default_value = "info")]
    pub log_level: String,
    /// Print one JSON document instead of tables.
    #[arg(long)]
    pub json: bool,
    /// Draw `latency.svg` and `ratios.svg` into this folder, with `throughput`.
    #[arg(long, value_name = "FOLDER")]
    pub plots: Option<PathBuf>,
    /// With many tasks.
    #[command(flatten)]
    pub scale: ScaleOptions,
}

/// A part of the measurements.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Part {
    /// Requests per second, latency, CPU time and memory under load.
    Throughput,
    /// Every kind of response of the API, on one connection, one after the other.
    Latency,
    /// The first byte of a response by an instance that is new.
    Cold,
    /// Requests, sizes and upkeep with many tasks beside 1,000.
    Scale,
    /// CPU time of PostgreSQL for a write with and without each index, constraint and the trigger.
    Indexes,
    /// Serves a component: for this program, which starts itself again with it.
    #[value(hide = true)]
    Host,
}

/// The reuse of instances.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Reuse {
    /// As Spin has it: 128 requests, 16 at once, one idle second.
    Reused,
    /// A new instance for each request (`--max-instance-reuse-count 1`).
    SingleUse,
}

/// The requests that every side gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Workload {
    /// A constant response, `/health`; of the database alone, `select 1`.
    Nothing,
    /// One task.
    Get,
    /// A list of 100 small tasks.
    List,
    /// The 100 incomplete tasks among 200, by priority.
    Filtered,
    /// A new task.
    Create,
    /// A new title for a task; each connection has its own task.
    Update,
    /// Completes that task and opens it again in turn, so that each request changes it.
    Complete,
    /// All but the first in the shares of a client at work: of 20 requests 8 get, 4 list, 3 filtered, 2 create,
    /// 2 update, 1 complete.
    Mix,
}

/// The order in which a connection of [`Workload::Mix`] goes round.
const MIX: [Workload; 20] = {
    use Workload::{Complete, Create, Filtered, Get, List, Update};
    [
        Get, List, Get, Create, Get, Filtered, Get, Update, List, Get, //
        Complete, Get, List, Filtered, Get, Update, Get, Create, List, Filtered,
    ]
};

impl Options {
    /// The selected kinds of instances.
    pub(crate) fn reuses(&self) -> Vec<Reuse> {
        // With WASI 0.2, no host reuses an instance.
        match (Component::under_test(), self.reuse) {
            (Component::Wasip2, _) => vec![Reuse::SingleUse],
            (_, Some(only)) => vec![only],
            (_, None) => Reuse::value_variants().to_vec(),
        }
    }

    /// The selected workloads.
    pub(crate) fn workloads(&self) -> Vec<Workload> {
        let all = Workload::value_variants().iter().copied();
        all.filter(|one| self.workloads.is_empty() || self.workloads.contains(one)).collect()
    }

    /// The largest number of connections at once.
    pub(crate) fn most_connections(&self) -> u16 {
        self.connections.iter().copied().max().unwrap_or(1)
    }

    /// The duration of each measurement.
    pub(crate) fn duration(&self) -> Duration {
        Duration::from_secs(self.seconds)
    }

    /// About the time that all measurements of the throughput take: a second more for each than it measures.
    pub(crate) fn total_duration(&self) -> Duration {
        let sides: usize = self.reuses().iter().map(|reuse| Side::all(*reuse).len()).sum();
        let of_a_round = sides * self.workloads().len() * self.connections.len();
        let measurements =
            u32::try_from(of_a_round).unwrap_or(u32::MAX).saturating_mul(self.rounds);
        (self.duration() + Duration::from_secs(1)).saturating_mul(measurements)
    }
}

impl Reuse {
    /// The limits for the host.
    pub(crate) fn limits(self) -> InstanceReuse {
        match self {
            Self::Reused => InstanceReuse::default(),
            Self::SingleUse => InstanceReuse { max_reuse: 1, ..InstanceReuse::default() },
        }
    }

    /// The name in headings.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Reused => "reused instances",
            Self::SingleUse => "single-use instances",
        }
    }
}

impl Workload {
    /// The name in tables.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Get => "get",
            Self::List => "list of 100",
            Self::Filtered => "filtered list",
            Self::Create => "create",
            Self::Update => "update",
            Self::Complete => "complete",
            Self::Mix => "mix",
        }
    }

    /// What it is made of, if it is no single kind of request.
    pub(crate) fn mix(self) -> Option<&'static [Self]> {
        (self == Self::Mix).then_some(&MIX)
    }
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use super::{MIX, Options, Part, Workload};

    #[test]
    fn the_options_are_consistent() {
        Options::command().debug_assert();
    }

    #[test]
    fn without_options_the_throughput_is_measured_with_few_and_many_connections() {
        let options = Options::parse_from(["bench"]);
        assert_eq!((options.part, &options.connections[..]), (Part::Throughput, &[1, 16, 64][..]));
        let one = ["bench", "--connections", "4", "--workload", "get", "--rounds", "1"];
        let options =
            Options::parse_from(one.iter().chain(&["--reuse", "reused", "--seconds", "2"]));
        assert_eq!((options.most_connections(), options.workloads()), (4, vec![Workload::Get]));
    }

    #[test]
    fn the_expected_time_is_that_of_all_turns() {
        let given =
            "bench --connections 1 --connections 2 --workload get --reuse single-use --seconds 4";
        let options = Options::parse_from(given.split(' '));
        // Two sides, two numbers of connections, three rounds. WASI 0.2 is single-use too.
        assert_eq!(options.total_duration().as_secs(), 2 * 2 * 3 * 5);
    }

    #[test]
    fn the_mix_has_the_shares_that_its_description_names() {
        let count = |workload| MIX.iter().filter(|one| **one == workload).count();
        let of = [
            Workload::Get,
            Workload::List,
            Workload::Filtered,
            Workload::Create,
            Workload::Update,
            Workload::Complete,
        ];
        assert_eq!(of.map(count), [8, 4, 3, 2, 2, 1]);
    }
}
