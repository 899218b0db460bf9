//! Limits that make a database unhealthy although it can be used.

use crate::ops::health::report::{Connections, ExceededLimit, HealthReport};

/// Limits of a healthy database. Values without a limit are not checked.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct HealthLimits {
    /// For connecting, in milliseconds. Applies to the median of the warm connections: a cold start is no
    /// failure.
    pub max_connect_ms: Option<f64>,
    /// For a statement there and back, in milliseconds: the 95th percentile.
    pub max_ping_ms: Option<f64>,
    /// For the client connections of the server, in per cent of its limit.
    pub max_connections_pct: Option<f64>,
}

impl HealthLimits {
    /// Values of the report above their limits.
    pub(super) fn exceeded(&self, report: &HealthReport) -> Vec<ExceededLimit> {
        let taken = report.connections.as_ref().map(Connections::percent);
        [
            (
                "max_connect_ms",
                report.connect_ms.map(|times| times.warm),
                self.max_connect_ms,
                "look at which phase takes the time: dns and tcp are the way there, auth is the server; run the API in the database's region, and through its pooled endpoint",
            ),
            (
                "max_ping_ms",
                report.round_trip_ms.map(|trips| trips.p95),
                self.max_ping_ms,
                "run this, and the API, in the database's region; if it is there, look at the server's load",
            ),
            (
                "max_connections_pct",
                taken,
                self.max_connections_pct,
                "end sessions that are idle, connect through the pooled endpoint, or raise the server's limit (on Neon, with a larger compute)",
            ),
        ]
        .into_iter()
        .filter_map(|(limit, measured, allowed, advice)| {
            let (measured, allowed) = (measured?, allowed?);
            (measured > allowed).then_some(ExceededLimit { limit, measured, allowed, advice })
        })
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::HealthLimits;
    use crate::ops::health::{ConnectTimes, Connections, HealthReport, RoundTrips};

    fn report() -> HealthReport {
        HealthReport {
            connect_ms: Some(ConnectTimes { cold: 812.0, warm: 65.2 }),
            round_trip_ms: Some(RoundTrips { p50: 1.0, p95: 2.5, count: 20 }),
            connections: Some(Connections { by_state: BTreeMap::new(), total: 42, max: 100 }),
            ..HealthReport::default()
        }
    }

    #[test]
    fn a_limit_is_kept_up_to_its_value() {
        let limits = HealthLimits {
            max_connect_ms: Some(65.2),
            max_ping_ms: Some(2.5),
            max_connections_pct: Some(42.0),
        };
        assert_eq!(limits.exceeded(&report()), []);
        assert_eq!(HealthLimits::default().exceeded(&report()), []);
    }

    #[test]
    fn what_is_above_a_limit_is_told() {
        let limits = HealthLimits {
            max_connect_ms: Some(65.0),
            max_ping_ms: Some(0.5),
            max_connections_pct: Some(41.0),
        };
        let told: Vec<String> =
            limits.exceeded(&report()).iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            [
                "connecting takes 65.2 ms, more than the 65 ms of `--max-connect-ms`",
                "a statement takes up to 2.5 ms there and back, more than the 0.5 ms of `--max-ping-ms`",
                "42 % of the connections are taken, more than the 41 % of `--max-connections-pct`",
            ]
        );
    }

    #[test]
    fn what_was_not_measured_exceeds_nothing() {
        let limits = HealthLimits { max_connect_ms: Some(1.0), ..HealthLimits::default() };
        assert_eq!(limits.exceeded(&HealthReport::default()), []);
    }
}
