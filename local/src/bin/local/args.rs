//! The options of the command line.

use std::net::SocketAddr;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use local::InstanceReuse;

/// Runs the task API on this machine.
#[derive(Debug, Parser)]
#[command(name = "local", version, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Up(UpOptions),
    Token(TokenOptions),
}

/// Builds and serves the API with everything that it needs.
///
/// Without a database URL, a PostgreSQL server of its own keeps the tasks in `.taskie/postgres`. Every
/// variable of `spin.toml` can be set as `SPIN_VARIABLE_<NAME>`, in the environment or in `.env`.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  cargo up                                    serve on http://127.0.0.1:3000
  cargo up --ephemeral                        forget the tasks afterwards
  cargo up --database-url \"$NEON\" --migrate  use a database on Neon, and bring its schema up to date")]
pub(crate) struct UpOptions {
    /// Where to listen.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:3000")]
    pub(crate) listen: SocketAddr,

    /// Use a throwaway PostgreSQL server, whatever the environment says.
    #[arg(long, conflicts_with = "database_url")]
    pub(crate) ephemeral: bool,

    /// The PostgreSQL database to use instead of a server of its own. Also read from `DATABASE_URL`,
    /// in the environment or in `.env`.
    #[arg(long, value_name = "URL")]
    pub(crate) database_url: Option<String>,

    /// Apply pending migrations also to a database that is not on this machine.
    #[arg(long)]
    pub(crate) migrate: bool,

    #[command(flatten)]
    pub(crate) instances: InstanceOptions,

    /// Say where the API is served, and nothing else.
    #[arg(long, short)]
    pub(crate) quiet: bool,
}

/// Spin's options of the same names. A time is a number of seconds, or a number and `s`, `ms`, `us` or `ns`.
#[derive(Args, Debug)]
#[command(next_help_heading = "Component instances, as on Spin")]
pub(crate) struct InstanceOptions {
    /// After how long a request without a response fails with 500.
    #[arg(long, value_name = "TIME", default_value = "45s", value_parser = parse_timeout)]
    pub(crate) request_timeout: Duration,

    /// Requests that an instance serves before it is replaced.
    #[arg(long, value_name = "COUNT", default_value = "128")]
    pub(crate) max_instance_reuse_count: usize,

    /// Requests that an instance serves at the same time.
    #[arg(long, value_name = "COUNT", default_value = "16")]
    pub(crate) max_instance_concurrent_reuse_count: usize,

    /// How long an instance without a request is kept.
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = parse_timeout)]
    pub(crate) idle_instance_timeout: Duration,
}

/// Prints a token that the API accepts as this user's.
#[derive(Args, Debug)]
#[command(after_help = "Example:
  curl -H \"Authorization: Bearer $(cargo run -q --bin local -- token alice)\" \\
    http://127.0.0.1:3000/api/alice/tasks")]
pub(crate) struct TokenOptions {
    /// The user's id, as in the paths `/api/{user_id}/tasks`.
    pub(crate) user: String,

    /// The user's e-mail address, with which the API makes the account of a user whom it does not know yet;
    /// `USER@example.com` when none is given.
    #[arg(long)]
    pub(crate) email: Option<String>,

    /// How long the token is valid: a number and `s`, `m`, `h` or `d`.
    #[arg(long, value_name = "TIME", default_value = "7d", value_parser = parse_lifetime)]
    pub(crate) expires: Duration,
}

impl InstanceOptions {
    pub(crate) fn reuse(&self) -> InstanceReuse {
        InstanceReuse {
            max_reuse: self.max_instance_reuse_count,
            max_concurrent: self.max_instance_concurrent_reuse_count,
            idle_timeout: self.idle_instance_timeout,
            request_timeout: Some(self.request_timeout),
            at_random: false,
        }
    }
}

impl Cli {
    pub(crate) fn quiet(&self) -> bool {
        matches!(&self.command, Command::Up(options) if options.quiet)
    }
}

fn parse_lifetime(text: &str) -> Result<Duration, String> {
    let expected =
        || "expected a number and a unit, such as `90s`, `15m`, `12h` or `7d`".to_owned();
    let unit = text.chars().last().ok_or_else(expected)?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 60 * 60,
        'd' => 24 * 60 * 60,
        _ => return Err(expected()),
    };
    let number: u32 = text[..text.len() - unit.len_utf8()].parse().map_err(|_| expected())?;
    Ok(Duration::from_secs(u64::from(number) * seconds))
}

/// As Spin reads its own.
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

    use super::*;

    #[test]
    fn the_options_are_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn instances_are_as_the_library_has_them_unless_said_otherwise() {
        let reuse = |options: &[&str]| {
            let arguments = ["local", "up"].iter().chain(options);
            match Cli::try_parse_from(arguments).expect("options").command {
                Command::Up(options) => options.instances.reuse(),
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
    }

    #[test]
    fn a_timeout_is_read_as_spin_reads_it() {
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
        assert_eq!(parse_lifetime("7d"), Ok(Duration::from_hours(7 * 24)));
        assert_eq!(parse_lifetime("90s"), Ok(Duration::from_secs(90)));
        for text in ["", "7", "d", "-1d", "7 d", "7w", "1é"] {
            assert!(parse_lifetime(text).is_err(), "{text}");
        }
    }
}
