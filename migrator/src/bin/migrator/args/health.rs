//! The arguments of `migrator health`.

use std::time::Duration;

use clap::Args;
use migrator::{Error, HealthLimits, HealthOptions};

use crate::args::duration::parse_duration;

/// More frequent checks would be a load test.
const SHORTEST_INTERVAL: Duration = Duration::from_millis(100);
const LONGEST_INTERVAL: Duration = Duration::from_hours(24);

#[derive(Debug, Args)]
pub(crate) struct HealthArguments {
    /// Role with which the API connects, if it is not that of the connection string.
    #[arg(long, value_name = "NAME")]
    role: Option<String>,

    /// Pooled endpoint of the same database, to check as well.
    ///
    /// Not needed on Neon. Better set in the environment: other users of the machine can see arguments.
    // A plain text: clap would show a value that it cannot parse, with the password in it.
    #[arg(long, value_name = "URL", env = "MIGRATOR_POOLED_URL", hide_env_values = true)]
    pooled_url: Option<String>,

    /// Exit with 1 if connecting takes longer, in milliseconds.
    ///
    /// Applies to the median of the connections after the first, so that a cold start is not a failure.
    #[arg(long, value_name = "N", value_parser = parse_limit)]
    max_connect_ms: Option<f64>,

    /// Exit with 1 if the round trip of a statement takes longer, in milliseconds (p95).
    #[arg(long, value_name = "N", value_parser = parse_limit)]
    max_ping_ms: Option<f64>,

    /// Exit with 1 if more of the server's connections are in use, in percent.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=100))]
    max_connections_pct: Option<u8>,

    /// Repeat the check at this interval, until Ctrl-C.
    ///
    /// Redraws the report on a terminal; elsewhere prints a line for each check, with `--json` its
    /// document (JSON Lines). The last check sets the exit code.
    #[arg(long, value_name = "SECONDS", value_parser = parse_interval)]
    pub(crate) watch: Option<Duration>,

    /// With `--watch`: number of checks.
    #[arg(long, value_name = "N", requires = "watch", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) count: Option<u64>,
}

impl HealthArguments {
    pub(crate) fn options(&self) -> Result<HealthOptions, Error> {
        let pooled = self.pooled_url.as_deref().filter(|text| !text.trim().is_empty());
        Ok(HealthOptions {
            role: self.role.clone(),
            pooled_url: pooled.map(|text| text.parse().map_err(Error::PooledUrl)).transpose()?,
            limits: HealthLimits {
                max_connect_ms: self.max_connect_ms,
                max_ping_ms: self.max_ping_ms,
                max_connections_pct: self.max_connections_pct.map(f64::from),
            },
        })
    }
}

/// Milliseconds, with decimals.
fn parse_limit(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(limit) if limit.is_finite() && limit > 0.0 => Ok(limit),
        _ => Err("expected a number of milliseconds above 0, such as `250` or `2.5`".to_owned()),
    }
}

/// Time between two checks.
fn parse_interval(text: &str) -> Result<Duration, String> {
    let interval = parse_duration(text)?;
    if (SHORTEST_INTERVAL..=LONGEST_INTERVAL).contains(&interval) {
        Ok(interval)
    } else {
        Err("expected at least 100 ms and at most a day".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{parse_interval, parse_limit};

    #[test]
    fn limits_are_positive_numbers() {
        assert_eq!(parse_limit("2.5"), Ok(2.5));
        for text in ["0", "-1", "NaN", "inf", "5ms", ""] {
            assert!(parse_limit(text).is_err(), "{text}");
        }
    }

    #[test]
    fn intervals_are_neither_nothing_nor_forever() {
        assert_eq!(parse_interval("5"), Ok(Duration::from_secs(5)));
        for text in ["0", "99ms", "1441m", "soon"] {
            assert!(parse_interval(text).is_err(), "{text}");
        }
    }
}
