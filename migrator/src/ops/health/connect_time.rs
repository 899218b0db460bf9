//! The time that connecting takes: once cold, then a few times warm.

use std::time::Duration;

use neon_url::{DatabaseUrl, Endpoint};
use serde::Serialize;

use crate::connect::tls::TlsReport;
use crate::connect::{ConnectPhase, ConnectPhases, Connection, Connector};
use crate::error::Error;

/// Odd, so that one of them is in the middle.
const WARM_CONNECTIONS: usize = 3;

/// The first connection is a cold start when it took more than so many times as long as those after
/// it, ...
const COLD_START_FACTOR: f64 = 3.0;

/// ... and was slower by at least so much: a lookup that was not cached yet, or a busy machine, is
/// none.
const COLD_START_MS: f64 = 200.0;

/// In milliseconds, from the name lookup until the session is ready for a query.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct ConnectTimes {
    /// The first connection, which may have to wake the database up.
    pub cold: f64,
    /// The middle one of those after it.
    pub warm: f64,
}

/// Durations of connecting.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct PhaseTimes {
    /// Of the first connection.
    pub cold: ConnectPhases,
    /// Of the middle one of those after it.
    pub warm: ConnectPhases,
}

/// The last connection, and the durations of all.
pub(super) struct Measured {
    pub(super) connection: Connection,
    pub(super) phases: PhaseTimes,
    pub(super) tls: Option<TlsReport>,
}

impl PhaseTimes {
    pub(super) fn totals(&self) -> ConnectTimes {
        ConnectTimes { cold: self.cold.total, warm: self.warm.total }
    }
}

impl ConnectTimes {
    pub(super) fn is_cold_start(self) -> bool {
        self.cold > self.warm * COLD_START_FACTOR && self.cold - self.warm >= COLD_START_MS
    }
}

/// Connects four times, one after the other.
pub(super) async fn measure(
    connector: &Connector,
    limit: Duration,
) -> Result<Measured, (Error, ConnectPhase)> {
    let first = connector.connect_once(limit).await?;
    let cold = first.phases;
    let mut last = first;
    let mut warm = Vec::with_capacity(WARM_CONNECTIONS);
    for _ in 0..WARM_CONNECTIONS {
        last.connection.close().await;
        last = connector.connect_once(limit).await?;
        warm.push(last.phases);
    }
    warm.sort_by(|one, other| one.total.total_cmp(&other.total));
    let phases = PhaseTimes { cold, warm: warm[WARM_CONNECTIONS / 2] };
    Ok(Measured { connection: last.connection, phases, tls: last.tls })
}

/// Explanation of a cold start.
pub(super) fn describe_cold_start(url: &DatabaseUrl, times: ConnectTimes) -> String {
    let meaning = match url.endpoint() {
        Endpoint::Other => "something had to wake up first: the server, a pooler, or a name server",
        Endpoint::NeonPooled | Endpoint::NeonDirect => {
            "the compute was asleep; Neon suspends after 5 minutes without a query; a longer suspend delay, or none, avoids it"
        }
    };
    format!(
        "cold start: the first connection took {:.1} ms, those after it {:.1} ms: {meaning}",
        times.cold, times.warm
    )
}

#[cfg(test)]
mod tests {
    use neon_url::DatabaseUrl;

    use super::{ConnectTimes, describe_cold_start};

    #[test]
    fn a_cold_start_is_far_above_the_rest() {
        for (label, cold, warm, expected) in [
            ("asleep", 812.0, 65.0, true),
            ("just far enough", 300.1, 100.0, true),
            ("three times is not more than three times", 300.0, 100.0, false),
            ("many times, but not long", 150.0, 1.0, false),
            ("long, but so are all", 900.0, 600.0, false),
            ("slower warm than cold", 10.0, 400.0, false),
        ] {
            assert_eq!(ConnectTimes { cold, warm }.is_cold_start(), expected, "{label}");
        }
    }

    #[test]
    fn a_cold_start_is_explained() {
        let times = ConnectTimes { cold: 812.04, warm: 65.2 };
        for (url, text) in [
            (
                "postgresql://ann@ep-cool-1-pooler.us-east-2.aws.neon.tech/shop",
                "cold start: the first connection took 812.0 ms, those after it 65.2 ms: the compute was asleep; Neon suspends after 5 minutes without a query; a longer suspend delay, or none, avoids it",
            ),
            (
                "postgresql://ann@db.example.com/shop",
                "cold start: the first connection took 812.0 ms, those after it 65.2 ms: something had to wake up first: the server, a pooler, or a name server",
            ),
        ] {
            let url: DatabaseUrl = url.parse().expect("a connection string");
            assert_eq!(describe_cold_start(&url, times), text);
        }
    }
}
