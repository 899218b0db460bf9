//! The command line.

use std::time::Duration;

use clap::{Parser, ValueEnum};

use crate::{Component, InstanceReuse};

/// Measures the API beside a bare component on the same host and database.
///
/// Starts everything itself, as the tests do: `cargo measure-spin` the real Spin (the program from
/// `SPIN`, else from `PATH`), `cargo measure` the `local` host in this process, which is good for
/// trying this program but not for its figures. `TASKIE_COMPONENT=wasip2` measures the other build.
#[derive(Clone, Debug, Parser)]
#[command(after_help = "Examples:
  cargo measure-spin
  TASKIE_COMPONENT=wasip2 cargo measure-spin
  cargo measure-spin latency --reuse single-use
  cargo measure-spin throughput --workload get --rounds 9 --seconds 10")]
pub struct Options {
    /// Only this part.
    pub part: Option<Part>,
    /// Only instances of this kind.
    #[arg(long)]
    pub reuse: Option<Reuse>,
    /// Only this workload; may be repeated.
    #[arg(long = "workload")]
    pub workloads: Vec<Workload>,
    /// Measurements of both components with each workload.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    pub rounds: u32,
    /// Seconds of each measurement.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..))]
    pub seconds: u64,
    /// Connections at once.
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..))]
    pub connections: u16,
    /// Requests for each kind of response.
    #[arg(long, default_value_t = 40, value_parser = clap::value_parser!(u32).range(1..))]
    pub requests: u32,
    /// The API's variable `log_level`.
    #[arg(long, default_value = "info")]
    pub log_level: String,
}

/// A part of the measurements.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Part {
    /// Requests per second and CPU time of the API and of the bare component, many connections.
    Throughput,
    /// Every kind of response of the API, on one connection, one after the other.
    Latency,
}

/// The reuse of instances.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Reuse {
    /// As Spin has it: 128 requests, 16 at once, one idle second.
    Reused,
    /// A new instance for each request (`--max-instance-reuse-count 1`).
    SingleUse,
}

/// The request that both components get.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Workload {
    /// A constant response, `/health`.
    Nothing,
    /// One task.
    Get,
    /// A list of 100 small tasks.
    List,
    /// A new task.
    Create,
    /// A new title for a task; each connection has its own task.
    Update,
}

impl Options {
    /// True if this part was selected.
    pub(crate) fn includes(&self, part: Part) -> bool {
        self.part.is_none_or(|only| only == part)
    }

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

    /// The duration of each measurement.
    pub(crate) fn duration(&self) -> Duration {
        Duration::from_secs(self.seconds)
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
            Self::Create => "create",
            Self::Update => "update",
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::Options;

    #[test]
    fn the_options_are_consistent() {
        Options::command().debug_assert();
    }
}
