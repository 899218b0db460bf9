//! The options of the command line.

use std::net::SocketAddr;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

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

    /// Say where the API is served, and nothing else.
    #[arg(long, short)]
    pub(crate) quiet: bool,
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

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_options_are_consistent() {
        Cli::command().debug_assert();
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
