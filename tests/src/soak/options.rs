//! The command line.

use std::time::Duration;

use clap::Parser;

/// Sends mixed load to the service for some minutes, and checks that it neither fails nor grows.
///
/// Starts everything itself, as the tests do: `cargo soak-spin` the real Spin (the program from `SPIN`, else from
/// `PATH`), `cargo soak` the `local` host in this process, whose memory is that of both.
#[derive(Clone, Debug, Parser)]
#[command(after_help = "Exit codes:
  0  no unexpected response, and no growth
  1  an unexpected response, growth, or a failure to start
  2  an option is wrong")]
pub struct Options {
    /// Minutes of load.
    #[arg(long, default_value_t = 10.0, value_parser = minutes)]
    pub minutes: f64,
    /// Seconds of each row; a twentieth of the time unless given.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    pub interval: Option<u32>,
    /// Connections at once, each kept alive.
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=500))]
    pub connections: u16,
    /// Users among whom the requests are divided.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=5_000))]
    pub users: u16,
    /// Growth of memory, in MiB, from the first third after the warm-up to the last, that fails.
    #[arg(long, default_value_t = 32, value_parser = clap::value_parser!(u32).range(1..))]
    pub max_growth: u32,
    /// Prints one JSON document.
    #[arg(long)]
    pub json: bool,
}

impl Options {
    /// The time of the load.
    pub(crate) fn duration(&self) -> Duration {
        Duration::from_secs_f64(self.minutes * 60.0)
    }

    /// The time of a row.
    pub(crate) fn interval(&self) -> Duration {
        let usual = (self.duration() / 20).max(Duration::from_secs(1));
        self.interval.map_or(usual, |seconds| Duration::from_secs(seconds.into()))
    }
}

fn minutes(text: &str) -> Result<f64, String> {
    let minutes = text.parse().ok().filter(|minutes| (0.1..=10_000.0).contains(minutes));
    minutes.ok_or_else(|| "expected a number of minutes from 0.1 to 10000".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use super::Options;

    #[test]
    fn the_options_are_consistent() {
        Options::command().debug_assert();
        let options = Options::try_parse_from(["soak", "--minutes", "0.2"]).expect("options");
        assert_eq!((options.duration().as_secs(), options.interval().as_secs()), (12, 1));
        assert!(Options::try_parse_from(["soak", "--minutes", "NaN"]).is_err());
    }
}
