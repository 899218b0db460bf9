//! How long a component instance lives and how much it may do.

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
    pub max_reuse: usize,
    /// Requests that an instance serves at the same time (`--max-instance-concurrent-reuse-count`).
    pub max_concurrent: usize,
    /// How long an instance without a request is kept (`--idle-instance-timeout`).
    pub idle_timeout: Duration,
    /// After how long a request without a response fails with 500 (`--request-timeout`); `None` is never.
    ///
    /// Its instance goes on for as long again: it ends with what it still does when that time is over too.
    pub request_timeout: Option<Duration>,
    /// Whether each instance draws its own two numbers of requests, from 1 up to those above.
    pub at_random: bool,
}

impl Default for InstanceReuse {
    fn default() -> Self {
        InstanceReuse {
            max_reuse: 128,
            max_concurrent: 16,
            idle_timeout: Duration::from_secs(1),
            request_timeout: Some(REQUEST_TIMEOUT),
            at_random: false,
        }
    }
}

impl InstanceReuse {
    /// How many requests a new instance serves, and how many at the same time.
    pub(crate) fn draw(self) -> (usize, usize) {
        let draw = |most: usize| {
            if self.at_random && most > 1 { rand::rng().random_range(1..=most) } else { most }
        };
        (draw(self.max_reuse), draw(self.max_concurrent))
    }

    /// The options of `spin up` that mean the same.
    pub fn spin_options(self) -> Vec<String> {
        // Spin takes a range without its upper end.
        let count = |most: usize| {
            if self.at_random { format!("1..{}", most + 1) } else { most.to_string() }
        };
        let millis = |time: Duration| format!("{}ms", time.as_millis());
        let mut options = vec![
            format!("--max-instance-reuse-count={}", count(self.max_reuse)),
            format!("--max-instance-concurrent-reuse-count={}", count(self.max_concurrent)),
            format!("--idle-instance-timeout={}", millis(self.idle_timeout)),
        ];
        options
            .extend(self.request_timeout.map(|time| format!("--request-timeout={}", millis(time))));
        options
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_instance_draws_its_own_numbers_where_that_is_asked_for() {
        let reuse = InstanceReuse { max_reuse: 3, max_concurrent: 2, ..InstanceReuse::default() };
        assert_eq!(reuse.draw(), (3, 2));
        let random = InstanceReuse { at_random: true, ..reuse };
        let mut drawn: Vec<_> = (0..1_000).map(|_| random.draw()).collect();
        drawn.sort_unstable();
        drawn.dedup();
        assert_eq!(drawn, [(1, 1), (1, 2), (2, 1), (2, 2), (3, 1), (3, 2)]);
    }

    #[test]
    fn spin_is_told_the_same() {
        let reuse = InstanceReuse { at_random: true, max_reuse: 7, ..InstanceReuse::default() };
        assert_eq!(
            reuse.spin_options(),
            [
                "--max-instance-reuse-count=1..8",
                "--max-instance-concurrent-reuse-count=1..17",
                "--idle-instance-timeout=1000ms",
                "--request-timeout=45000ms",
            ]
        );
    }
}
