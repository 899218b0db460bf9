//! The options of the command line.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::time::Duration;

use clap::{Parser, Subcommand, ValueEnum};
use local::{Build, HTTP1_BUFFER_BYTES, InstanceReuse};

/// Runs the task API on this machine.
#[derive(Debug, Parser)]
#[command(name = "local", version, max_term_width = 100)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Up(UpOptions),
    Token(TokenOptions),
}

/// Builds and serves the API, with a database.
///
/// Spin serves it if it is installed: the program in `SPIN`, else `spin` in `PATH`, of version 3.4 or newer.
/// Otherwise `local` does, the host of this repository, which needs nothing installed.
///
/// Without a database URL, it starts a PostgreSQL server with its data in `.taskie/postgres`. Every
/// variable of `spin.toml` can be set as `SPIN_VARIABLE_<NAME>`, in the environment or in `.env`.
#[expect(clippy::struct_excessive_bools, reason = "each is an option of the command line")]
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  cargo up                                   serve on http://127.0.0.1:3000
  cargo up --ephemeral                       do not keep the tasks
  cargo up --watch                           with Spin: build and start again when a file changes
  cargo up --runtime local                   do not use Spin, even if it is installed
  SPIN=~/spin-4.1/spin cargo up              use this Spin
  cargo up --database-url \"$NEON\" --migrate  use a database on Neon, and apply pending migrations")]
pub(crate) struct UpOptions {
    /// Address to listen on.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:3000")]
    pub(crate) listen: SocketAddr,

    /// Runtime that serves [default: Spin if it is installed, else `local`].
    #[arg(long, value_name = "local|spin", value_enum, hide_possible_values = true)]
    pub(crate) runtime: Option<RuntimeName>,

    /// Build and start again when a source file changes, with `spin watch`.
    #[arg(long)]
    pub(crate) watch: bool,

    /// Use a temporary PostgreSQL server, even if the environment has a database URL.
    #[arg(long, conflicts_with = "database_url")]
    pub(crate) ephemeral: bool,

    /// PostgreSQL database to use instead of starting a server. Also read from `DATABASE_URL`, in the
    /// environment or in `.env`.
    #[arg(long, value_name = "URL")]
    pub(crate) database_url: Option<String>,

    /// Apply pending migrations even if the database is not on this machine.
    #[arg(long)]
    pub(crate) migrate: bool,

    /// Print only the URL of the API, warnings and errors.
    #[arg(long, short)]
    pub(crate) quiet: bool,

    /// Also print which `.env` file was read.
    #[arg(long, short, conflicts_with = "quiet")]
    pub(crate) verbose: bool,

    #[command(flatten)]
    pub(crate) instances: InstanceOptions,
}

/// A runtime on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum RuntimeName {
    /// The host of this repository.
    Local,
    /// An installed Spin.
    Spin,
}

/// Spin's options of the same names, in the same format.
#[derive(clap::Args, Debug)]
#[command(next_help_heading = "Component instances, as on Spin")]
pub(crate) struct InstanceOptions {
    /// Time after which a request without a response fails with 500: a number of seconds, or a number and `s`, `ms`,
    /// `us` or `ns` [default: 45s, more where the variables give a request more].
    #[arg(long, value_name = "TIME", value_parser = parse_timeout)]
    pub(crate) request_timeout: Option<Duration>,

    /// Requests that an instance serves before it is replaced [default: 128].
    #[arg(long, value_name = "COUNT")]
    pub(crate) max_instance_reuse_count: Option<NonZeroUsize>,

    /// Requests that an instance serves at the same time [default: 16].
    #[arg(long, value_name = "COUNT")]
    pub(crate) max_instance_concurrent_reuse_count: Option<NonZeroUsize>,

    /// Time after which an instance without a request is dropped [default: 1s].
    #[arg(long, value_name = "TIME", value_parser = parse_timeout)]
    pub(crate) idle_instance_timeout: Option<Duration>,
}

/// Prints a token of this user for the API.
#[derive(clap::Args, Debug)]
#[command(after_help = "Example:
  curl -H \"Authorization: Bearer $(cargo run -q --bin local -- token alice)\" \\
    http://127.0.0.1:3000/api/alice/tasks")]
pub(crate) struct TokenOptions {
    /// The user's id, as in the paths `/api/{user_id}/tasks`.
    pub(crate) user: String,

    /// Email address, from which the API creates the account of a new user; `USER@example.com` by
    /// default.
    #[arg(long)]
    pub(crate) email: Option<String>,

    /// Validity of the token, such as `15m`, `12h` or `7d`.
    #[arg(long, value_name = "TIME", default_value = "7d", value_parser = humantime::parse_duration)]
    pub(crate) expires: Duration,
}

impl InstanceOptions {
    /// For `local`. `timeout` is the default of the request timeout.
    pub(crate) fn reuse(&self, timeout: Duration) -> InstanceReuse {
        let default = InstanceReuse::default();
        let count = |given: Option<NonZeroUsize>, default| given.map_or(default, NonZeroUsize::get);
        InstanceReuse {
            max_reuse: count(self.max_instance_reuse_count, default.max_reuse),
            max_concurrent: count(self.max_instance_concurrent_reuse_count, default.max_concurrent),
            idle_timeout: self.idle_instance_timeout.unwrap_or(default.idle_timeout),
            request_timeout: self.request_timeout.or(Some(timeout)),
            at_random: false,
        }
    }

    /// For `spin up`, whose defaults are the same, but for the request timeout and the buffer. A Spin that runs the build for
    /// WASI 0.2 may be too old for these options, so it gets only those that were given.
    pub(crate) fn for_spin(&self, build: Build, timeout: Duration) -> Vec<String> {
        let is_new = build == Build::Wasip3;
        let default = is_new.then_some(timeout);
        let nanos = |time: Duration| format!("{}ns", time.as_nanos());
        let options = [
            ("request-timeout", self.request_timeout.or(default).map(nanos)),
            ("max-instance-reuse-count", self.max_instance_reuse_count.map(|n| n.to_string())),
            (
                "max-instance-concurrent-reuse-count",
                self.max_instance_concurrent_reuse_count.map(|n| n.to_string()),
            ),
            ("idle-instance-timeout", self.idle_instance_timeout.map(nanos)),
            ("http1-max-buf-size", is_new.then(|| HTTP1_BUFFER_BYTES.to_string())),
        ];
        let given = options.into_iter().filter_map(|(name, value)| Some((name, value?)));
        given.map(|(name, value)| format!("--{name}={value}")).collect()
    }
}

impl Args {
    pub(crate) fn quiet(&self) -> bool {
        matches!(&self.command, Command::Up(options) if options.quiet)
    }

    pub(crate) fn verbose(&self) -> bool {
        matches!(&self.command, Command::Up(options) if options.verbose)
    }
}

/// Parses a time by Spin's rule for the option of the same name.
fn parse_timeout(text: &str) -> Result<Duration, String> {
    let (number, unit) =
        text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
    let duration = match unit {
        "" | "s" => Duration::from_secs,
        "ms" => Duration::from_millis,
        "us" | "μs" => Duration::from_micros,
        "ns" => Duration::from_nanos,
        _ => return Err(expected_timeout()),
    };
    number.parse().map(duration).map_err(|_| expected_timeout())
}

fn expected_timeout() -> String {
    "expected a number of seconds, or a number and `s`, `ms`, `us` or `ns`".to_owned()
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use local::REQUEST_TIMEOUT;

    use super::*;

    #[test]
    fn the_options_are_consistent() {
        Args::command().debug_assert();
    }

    #[test]
    fn the_defaults_are_those_of_the_library() {
        let reuse = |options: &[&str]| {
            let arguments = ["local", "up"].iter().chain(options);
            match Args::try_parse_from(arguments).expect("options").command {
                Command::Up(options) => options.instances.reuse(REQUEST_TIMEOUT),
                Command::Token(_) => unreachable!("the command is `up`"),
            }
        };
        assert_eq!(reuse(&[]), InstanceReuse::default());
        let options = [
            "--request-timeout=1500ms",
            "--max-instance-reuse-count=8",
            "--max-instance-concurrent-reuse-count=1",
            "--idle-instance-timeout=10",
        ];
        let expected = InstanceReuse {
            max_reuse: 8,
            max_concurrent: 1,
            idle_timeout: Duration::from_secs(10),
            request_timeout: Some(Duration::from_millis(1_500)),
            at_random: false,
        };
        assert_eq!(reuse(&options), expected);
        // No instance would accept a request.
        for option in ["--max-instance-reuse-count=0", "--max-instance-concurrent-reuse-count=0"] {
            assert!(Args::try_parse_from(["local", "up", option]).is_err(), "{option}");
        }
    }

    #[test]
    fn spin_gets_what_was_given_a_request_timeout_and_a_buffer() {
        let for_spin = |options: &[&str], build| {
            let arguments = ["local", "up"].iter().chain(options);
            match Args::try_parse_from(arguments).expect("options").command {
                Command::Up(options) => options.instances.for_spin(build, REQUEST_TIMEOUT),
                Command::Token(_) => unreachable!("the command is `up`"),
            }
        };
        let buffer = "--http1-max-buf-size=65536";
        assert_eq!(for_spin(&[], Build::Wasip3), ["--request-timeout=45000000000ns", buffer]);
        assert!(for_spin(&[], Build::Wasip2).is_empty());
        let given = [
            "--request-timeout=20us",
            "--max-instance-reuse-count=8",
            "--max-instance-concurrent-reuse-count=1",
            "--idle-instance-timeout=10",
        ];
        let expected = [
            "--request-timeout=20000ns",
            given[1],
            given[2],
            "--idle-instance-timeout=10000000000ns",
        ];
        assert_eq!(for_spin(&given, Build::Wasip2), expected);
        assert_eq!(for_spin(&given, Build::Wasip3), [&expected[..], &[buffer]].concat());
    }

    #[test]
    fn timeouts_have_spins_format() {
        for (text, expected) in [
            ("45", Duration::from_secs(45)),
            ("45s", Duration::from_secs(45)),
            ("20ms", Duration::from_millis(20)),
            ("20us", Duration::from_micros(20)),
            ("20μs", Duration::from_micros(20)),
            ("20ns", Duration::from_nanos(20)),
        ] {
            assert_eq!(parse_timeout(text), Ok(expected), "{text}");
        }
        // A range is one of Spin's, and not supported here.
        for text in ["", "s", "-1", "1m", "1.5s", "1 s", "1..8s"] {
            assert_eq!(parse_timeout(text), Err(expected_timeout()), "{text}");
        }
    }

    #[test]
    fn a_lifetime_has_a_unit() {
        let parse = |text: &str| {
            let args = Args::try_parse_from(["local", "token", "ada", "--expires", text]).ok()?;
            match args.command {
                Command::Token(options) => Some(options.expires.as_secs()),
                Command::Up(_) => None,
            }
        };
        for (text, seconds) in [("90s", 90), ("15m", 900), ("12h", 43_200), ("7d", 604_800)] {
            assert_eq!(parse(text), Some(seconds), "{text}");
        }
        for text in ["", "7", "d", "-1d", "1é", "99999999999999999999d"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
