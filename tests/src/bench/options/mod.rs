//! The command line.

mod check;

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::error::ErrorKind;
use clap::{CommandFactory, FromArgMatches, Parser, ValueEnum};
use serde::Serialize;

use self::check::Selected;
use super::scale::ScaleOptions;
use super::services::Side;
use crate::{Component, InstanceReuse};

/// Measures the API beside a bare component on the same host, a native server with the same routes and
/// statements, the statements alone, and its predecessor.
///
/// A whole run takes 35 minutes after the build, `scale` 20, `indexes` 2; `cold`, `latency` and `memory` take one each.
///
/// Starts everything itself, as the tests do, each in a process of its own. The components run on `local`,
/// with `cargo bench-api-spin` on the real Spin (the program from `SPIN`, else from `PATH`).
/// `TASKIE_COMPONENT=wasip2` measures the other build. Only a machine that does nothing else gives figures that
/// mean something.
#[derive(Clone, Debug, Parser)]
#[command(
    bin_name = "cargo bench-api",
    after_help = "Examples:
  cargo bench-api --predecessor
  cargo bench-api --plots docs/plots --json > figures.json
  cargo bench-api --reuse reused --workload get --connections 16 --rounds 1 --seconds 2
  cargo bench-api cold
  cargo bench-api memory
  cargo bench-api scale --connections 16
  cargo bench-api scale --tasks 10000000 --users 100000 --partitioned
  cargo bench-api indexes --workload create --rounds 20
  cargo bench-api-spin latency --reuse single-use

Exit codes:
  0  everything was measured
  1  a request had no good response, or something could not be started
  2  an option is wrong, or has no effect on what is measured"
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
    /// Measurements of each side with each workload and number of connections. Tables have the median, of an even
    /// number the mean of the middle two.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    pub rounds: u32,
    /// Seconds of each measurement, after half a second of the same load: with the rounds, of 12 seconds in all.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u64).range(1..))]
    pub seconds: u64,
    /// The predecessor takes part, with reused instances and 16 connections, or as many as there are below: one
    /// process in Python takes the same CPU time for a request with any number. Needs Python.
    #[arg(long)]
    pub predecessor: bool,
    /// Requests for each kind of response, with `latency`.
    #[arg(long, default_value_t = 40, value_parser = clap::value_parser!(u32).range(1..))]
    pub requests: u32,
    /// New instances of each component on each route, with `cold`.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..))]
    pub samples: u32,
    /// The largest number of instances of each component, with `memory`; measured with none and with half of them too.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u16).range(2..=900))]
    pub instances: u16,
    /// The API's variable `log_level`.
    #[arg(long, default_value = "info", value_parser = ["off", "error", "warn", "info"])]
    pub log_level: String,
    /// Spin gets the variables in its environment instead of in a file, as always with `latency`: it takes longer to
    /// look them up there.
    #[arg(long)]
    pub environment: bool,
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
    /// The memory of an instance, in the middle of a request and idle after one.
    Memory,
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

/// Time that a measurement takes before and after: the warm-up, and tidying the tables.
const AROUND: Duration = Duration::from_millis(700);

/// The order in which a connection of [`Workload::Mix`] goes round.
const MIX: [Workload; 20] = {
    use Workload::{Complete, Create, Filtered, Get, List, Update};
    [
        Get, List, Get, Create, Get, Filtered, Get, Update, List, Get, //
        Complete, Get, List, Filtered, Get, Update, Get, Create, List, Filtered,
    ]
};

impl Part {
    /// Whether components are started, on the host under test.
    pub(crate) fn has_components(self) -> bool {
        self != Self::Indexes
    }
}

impl Options {
    /// Those of this process. Ends it, with an error on standard error, where they are wrong together or alone.
    pub fn from_arguments() -> Self {
        let options = Self::checked(std::env::args_os(), Selected::read());
        options.unwrap_or_else(|error| error.exit())
    }

    fn checked(
        arguments: impl IntoIterator<Item = impl Into<OsString> + Clone>,
        selected: Selected,
    ) -> Result<Self, clap::Error> {
        let mut command = Self::command();
        let given = command.try_get_matches_from_mut(arguments)?;
        let mut options = Self::from_arg_matches(&given)?;
        let mut known = BTreeSet::new();
        options.connections.retain(|count| known.insert(*count));
        match check::check(&options, &command, &given, selected) {
            Ok(()) => Ok(options),
            Err(message) => Err(command.error(ErrorKind::ArgumentConflict, message)),
        }
    }

    /// The selected kinds of instances.
    pub(crate) fn reuses(&self) -> Vec<Reuse> {
        // With WASI 0.2, no host reuses an instance.
        match (Component::under_test(), self.reuse) {
            (Component::Wasip2, _) => vec![Reuse::SingleUse],
            (_, Some(only)) => vec![only],
            (_, None) if self.part == Part::Memory => vec![Reuse::Reused],
            (_, None) => Reuse::value_variants().to_vec(),
        }
    }

    /// The selected workloads.
    pub(crate) fn workloads(&self) -> Vec<Workload> {
        let all = Workload::value_variants().iter().copied();
        all.filter(|one| self.workloads.is_empty() || self.workloads.contains(one)).collect()
    }

    /// The sides that take turns with a number of connections. Only components have instances.
    pub(crate) fn sides(&self, reuse: Reuse, connections: u16) -> Vec<Side> {
        let mut sides = vec![Side::Api, Side::Floor];
        if reuse == Reuse::Reused {
            sides.extend([Side::Native, Side::Sql]);
            if self.connections_of_predecessor() == Some(connections) {
                sides.push(Side::Predecessor);
            }
        }
        sides
    }

    /// The number of connections with which the predecessor takes part, if it does.
    fn connections_of_predecessor(&self) -> Option<u16> {
        let counts = || self.connections.iter().copied();
        let most = counts().filter(|count| *count <= 16).max().or(counts().min());
        most.filter(|_| self.predecessor)
    }

    /// The limits for the host.
    pub(crate) fn limits(&self, reuse: Reuse) -> InstanceReuse {
        let default = InstanceReuse::default();
        match reuse {
            Reuse::SingleUse => InstanceReuse { max_reuse: 1, ..default },
            // An instance for each request, kept until it was measured.
            Reuse::Reused if self.part == Part::Memory => InstanceReuse {
                max_reuse: 10_000,
                max_concurrent: 1,
                idle_timeout: Duration::from_mins(5),
                ..default
            },
            Reuse::Reused => default,
        }
    }

    /// Whether Spin gets the variables in a file. Of the two ways, its environment delays the end of a response more.
    pub(crate) fn has_variables_file(&self) -> bool {
        !self.environment && self.part != Part::Latency
    }

    /// The largest number of connections at once.
    pub(crate) fn most_connections(&self) -> u16 {
        self.connections.iter().copied().max().unwrap_or(1)
    }

    /// The duration of each measurement.
    pub(crate) fn duration(&self) -> Duration {
        Duration::from_secs(self.seconds)
    }

    /// About the time that all measurements of the throughput take.
    pub(crate) fn total_duration(&self) -> Duration {
        let sides = |reuse: &Reuse| -> usize {
            self.connections.iter().map(|count| self.sides(*reuse, *count).len()).sum()
        };
        let of_a_round = self.reuses().iter().map(sides).sum::<usize>() * self.workloads().len();
        let measurements =
            u32::try_from(of_a_round).unwrap_or(u32::MAX).saturating_mul(self.rounds);
        (self.duration() + AROUND).saturating_mul(measurements)
    }
}

impl Reuse {
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
    use std::time::Duration;

    use clap::{CommandFactory, Parser};

    use super::{MIX, Options, Part, Reuse, Side, Workload};

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
        assert_eq!(options.total_duration(), 2 * 2 * 3 * Duration::from_millis(4_700));
        let all = Options::parse_from(["bench", "--predecessor"]).total_duration().as_secs() / 60;
        assert!(all <= 36, "a whole run takes {all} minutes, not those that the help names");
    }

    #[test]
    fn the_predecessor_takes_part_with_one_number_of_connections() {
        let with = |given: &str| {
            let given = format!("bench --predecessor {given}");
            let options = Options::parse_from(given.split_whitespace());
            let mut counts = options.connections.clone();
            counts
                .retain(|count| options.sides(Reuse::Reused, *count).contains(&Side::Predecessor));
            counts
        };
        assert_eq!(with(""), [16]);
        assert_eq!(with("--connections 2 --connections 8"), [8]);
        assert_eq!(with("--connections 64 --connections 32"), [32]);
        let all = Options::parse_from(["bench", "--predecessor"]);
        assert_eq!(all.sides(Reuse::SingleUse, 16), [Side::Api, Side::Floor]);
        let without = Options::parse_from(["bench"]);
        assert!(!without.sides(Reuse::Reused, 16).contains(&Side::Predecessor));
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
