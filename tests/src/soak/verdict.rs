//! The verdict: no unexpected response, and no growth of memory or connections.

use serde::Serialize;

use super::options::Options;
use super::sample::Sample;

/// The part of the time at its beginning that does not count: pools and caches fill.
const WARM_UP: f64 = 0.1;

const MIB: u64 = 1 << 20;

/// Connections to the database that a host may open besides, when a request comes that finds none free.
const MORE_CONNECTIONS: i64 = 8;

/// The comparison of the first third after the warm-up with the last.
#[derive(Debug, Serialize)]
pub(crate) struct Verdict {
    pub(crate) requests: usize,
    pub(crate) errors: usize,
    /// Medians of memory, in bytes.
    pub(crate) memory_before: u64,
    pub(crate) memory_after: u64,
    /// Growth of the memory that is allowed, in bytes.
    pub(crate) memory_allowed: u64,
    /// The most connections to the database at once.
    pub(crate) connections_before: i64,
    pub(crate) connections_after: i64,
    /// Reasons for a failure; none is good.
    pub(crate) failures: Vec<String>,
}

impl Verdict {
    /// Compares the rows.
    pub(crate) fn of(samples: &[Sample], options: &Options) -> Self {
        let warm = samples.iter().position(|one| one.at > options.minutes * 60.0 * WARM_UP);
        let counted = &samples[warm.unwrap_or_default()..];
        let third = counted.len().div_ceil(3);
        let (first, last) = (&counted[..third], &counted[counted.len() - third..]);
        let most = |rows: &[Sample]| rows.iter().map(|one| one.database_connections).max();
        let mut verdict = Self {
            requests: samples.iter().map(|one| one.requests).sum(),
            errors: samples.iter().map(|one| one.errors).sum(),
            memory_before: median_memory(first),
            memory_after: median_memory(last),
            memory_allowed: u64::from(options.max_growth) * MIB,
            connections_before: most(first).unwrap_or_default(),
            connections_after: most(last).unwrap_or_default(),
            failures: Vec::new(),
        };
        let most_clients = last.iter().filter_map(|one| one.client_connections).max();
        let clients = usize::from(options.connections);
        let growth = verdict.growth();
        for (is_bad, reason) in [
            (verdict.requests == 0, "no response".to_owned()),
            (verdict.errors > 0, format!("{} unexpected responses", verdict.errors)),
            (
                growth > verdict.memory_allowed,
                format!(
                    "memory has grown by {} MiB, more than {}",
                    growth / MIB,
                    options.max_growth
                ),
            ),
            (
                verdict.connections_after > verdict.connections_before + MORE_CONNECTIONS,
                "connections to the database have grown".to_owned(),
            ),
            (
                most_clients.is_some_and(|most| most > clients),
                "connections stay open that no client has".to_owned(),
            ),
        ] {
            if is_bad {
                verdict.failures.push(reason);
            }
        }
        verdict
    }

    pub(crate) fn is_good(&self) -> bool {
        self.failures.is_empty()
    }

    /// Bytes of memory in the last third beyond the first.
    pub(crate) fn growth(&self) -> u64 {
        self.memory_after.saturating_sub(self.memory_before)
    }
}

fn median_memory(samples: &[Sample]) -> u64 {
    let mut bytes: Vec<u64> = samples.iter().map(|one| one.memory_bytes).collect();
    bytes.sort_unstable();
    bytes.get(bytes.len() / 2).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use clap::Parser;

    use super::{MIB, Options, Sample, Verdict};

    fn row(at: f64, mib: u64) -> Sample {
        Sample {
            at,
            requests: 10,
            per_second: 1.0,
            by_status: BTreeMap::new(),
            errors: 0,
            p50_ms: 1.0,
            p95_ms: 1.0,
            p99_ms: 1.0,
            max_ms: 1.0,
            memory_bytes: mib * MIB,
            instances: None,
            client_connections: Some(16),
            database_connections: 16,
            database_bytes: 0,
        }
    }

    #[test]
    fn growth_after_the_warm_up_and_errors_are_failures() {
        let options = Options::try_parse_from(["soak", "--minutes", "1"]).expect("options");
        let rows = |memory: [u64; 10]| -> Vec<Sample> {
            memory.iter().zip(1..).map(|(mib, number)| row(6.0 * f64::from(number), *mib)).collect()
        };
        for (label, memory, is_good) in [
            ("flat", [100; 10], true),
            ("the warm-up", [20, 100, 100, 100, 100, 100, 100, 100, 100, 100], true),
            ("a peak in the middle", [100, 100, 100, 100, 300, 300, 100, 100, 100, 100], true),
            ("a little", [100, 100, 100, 100, 110, 110, 120, 120, 120, 120], true),
            ("all the time", [10, 20, 40, 60, 80, 100, 120, 140, 160, 180], false),
        ] {
            assert_eq!(Verdict::of(&rows(memory), &options).is_good(), is_good, "{label}");
        }
        let change = |change: fn(&mut Sample)| {
            let mut rows = rows([100; 10]);
            change(&mut rows[9]);
            Verdict::of(&rows, &options).failures
        };
        assert_eq!(change(|row| row.errors = 2), ["2 unexpected responses"]);
        assert_eq!(
            change(|row| row.client_connections = Some(17)),
            ["connections stay open that no client has"]
        );
        assert_eq!(
            change(|row| row.database_connections = 40),
            ["connections to the database have grown"]
        );
        assert_eq!(Verdict::of(&[], &options).failures, ["no response"]);
    }
}
