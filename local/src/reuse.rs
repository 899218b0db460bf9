//! How long a component instance lives and how much it may do.

use std::time::Duration;

/// Limits of one component instance. The defaults are those of `spin up` for components of WASI 0.3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InstanceReuse {
    /// Requests that an instance serves before it is replaced (`--max-instance-reuse-count`).
    pub max_reuse: usize,
    /// Requests that an instance serves at the same time (`--max-instance-concurrent-reuse-count`).
    pub max_concurrent: usize,
    /// How long an instance without a request is kept (`--idle-instance-timeout`).
    pub idle_timeout: Duration,
    /// After how long a request without a response fails with 500 (`--request-timeout`); `None` is never.
    pub request_timeout: Option<Duration>,
}

impl Default for InstanceReuse {
    fn default() -> Self {
        InstanceReuse {
            max_reuse: 128,
            max_concurrent: 16,
            idle_timeout: Duration::from_secs(1),
            request_timeout: None,
        }
    }
}
