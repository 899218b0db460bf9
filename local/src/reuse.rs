//! How long a component instance lives and how much it may do.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;
use std::time::Duration;

use rand::RngExt;

/// How long a request may go without a response wherever this project starts a host: above the component's own
/// limits, so that a client meets those first, with an answer that says what was wrong. A body has 10 s to arrive,
/// and an answer that nobody reads is given up after 30 s; the host applies this limit to that time too.
///
/// Spin has none unless it is told. Without one, 1,000 requests that never end stop every route.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(45);

/// Limits of one component instance. The defaults are those of `spin up` for components of WASI 0.3, apart from
/// [`REQUEST_TIMEOUT`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InstanceReuse {
    /// Requests that an instance serves before it is replaced (`--max-instance-reuse-count`).
    pub max_reuse: Count,
    /// Requests that an instance serves at the same time (`--max-instance-concurrent-reuse-count`).
    pub max_concurrent: Count,
    /// How long an instance without a request is kept (`--idle-instance-timeout`).
    pub idle_timeout: Duration,
    /// After how long a request without a response fails with 500 (`--request-timeout`); `None` is never.
    ///
    /// Its instance goes on for as long again: it ends with what it still does when that time is over too.
    pub request_timeout: Option<Duration>,
}

impl Default for InstanceReuse {
    fn default() -> Self {
        InstanceReuse {
            max_reuse: 128.into(),
            max_concurrent: 16.into(),
            idle_timeout: Duration::from_secs(1),
            request_timeout: Some(REQUEST_TIMEOUT),
        }
    }
}

/// A number of requests, written as Spin's options are: `128`, or `1..8`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Count {
    /// The same for every instance.
    Exactly(usize),
    /// Each instance draws its own, from the first number up to, but not including, the second.
    Between(usize, usize),
}

impl Count {
    /// The number for a new instance.
    pub(crate) fn draw(self) -> usize {
        match self {
            Count::Between(least, end) if least < end => rand::rng().random_range(least..end),
            Count::Exactly(count) | Count::Between(count, _) => count,
        }
    }
}

impl From<usize> for Count {
    fn from(count: usize) -> Self {
        Count::Exactly(count)
    }
}

impl From<Range<usize>> for Count {
    fn from(range: Range<usize>) -> Self {
        Count::Between(range.start, range.end)
    }
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Count::Exactly(count) => write!(f, "{count}"),
            Count::Between(least, end) => write!(f, "{least}..{end}"),
        }
    }
}

impl FromStr for Count {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let expected = || "expected a number, or a range such as `1..8`".to_owned();
        let number = |text: &str| text.parse::<usize>().map_err(|_| expected());
        match text.split_once("..") {
            None => Ok(Count::Exactly(number(text)?)),
            Some((least, end)) => match (number(least)?, number(end)?) {
                (least, end) if least < end => Ok(Count::Between(least, end)),
                _ => Err("expected a range that ends above its beginning".to_owned()),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_is_a_number_or_a_range() {
        assert_eq!("128".parse(), Ok(Count::from(128)));
        assert_eq!("1..8".parse(), Ok(Count::from(1..8)));
        for text in ["128", "1..8"] {
            assert_eq!(text.parse::<Count>().map(|count| count.to_string()), Ok(text.to_owned()));
        }
        for text in ["", "x", "-1", "1..", "..8", "1..=8", "8..8", "8..1"] {
            assert!(text.parse::<Count>().is_err(), "{text}");
        }
    }

    #[test]
    fn each_instance_draws_its_own_number() {
        assert_eq!(Count::from(5).draw(), 5);
        let mut drawn: Vec<_> = (0..1_000).map(|_| Count::from(1..4).draw()).collect();
        drawn.sort_unstable();
        drawn.dedup();
        assert_eq!(drawn, [1, 2, 3]);
    }
}
