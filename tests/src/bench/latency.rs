//! The latency of every kind of response on one keep-alive connection, one request after the other,
//! and whether head and body arrive together. Where they do not, the client's delayed acknowledgement
//! adds 40 ms.

use std::fmt::Write as _;
use std::time::Duration;

use anyhow::{Context, ensure};
use serde::Serialize;

use super::answers::{self, Kind};
use super::load::millis_at;
use super::options::{Options, Reuse};
use super::output::{Table, figure, progress};
use super::services::{Services, Side};
use crate::{KeepAlive, raw_request};

/// Target of the median.
const LIMIT_MS: f64 = 5.0;

/// Requests on a new connection before the measured ones: at its beginning the client acknowledges at
/// once, which hides the delay of split responses.
const FIRST_REQUESTS: usize = 4;

/// The measurements of one kind of response.
#[derive(Default)]
struct Row {
    durations: Vec<Duration>,
    splits: usize,
    /// The unexpected response or error, if there was one.
    unexpected: Option<String>,
    closed: usize,
}

/// The figures of one kind of response.
#[derive(Serialize)]
pub(crate) struct Latency {
    instances: Reuse,
    side: Side,
    response: String,
    status: u16,
    p50_ms: f64,
    p99_ms: f64,
    /// Responses that came.
    responses: usize,
    /// Those of them whose head came without the body.
    splits: usize,
    unexpected: bool,
    slow: bool,
    remarks: Vec<String>,
}

impl Latency {
    /// What of these is no good: kinds with another response than they should have, and slow ones.
    pub(crate) fn check(all: &[Self]) -> anyhow::Result<()> {
        let unexpected = all.iter().filter(|one| one.unexpected).count();
        ensure!(
            unexpected == 0,
            "{unexpected} kinds of responses were not as they should be: see the remarks"
        );
        let slow: Vec<&str> =
            all.iter().filter(|one| one.slow).map(|one| one.response.as_str()).collect();
        ensure!(
            slow.is_empty(),
            "{} kinds of responses have a median of {LIMIT_MS} ms or more: {}",
            slow.len(),
            slow.join(", ")
        );
        Ok(())
    }
}

/// Measures all kinds.
pub(crate) async fn measure(
    options: &Options,
    reuse: Reuse,
    services: &Services,
) -> anyhow::Result<Vec<Latency>> {
    progress(&format!("{}, one connection: every kind of response", reuse.name()));
    let mut all = Vec::new();
    for side in [Side::Api, Side::Floor] {
        let address = services.address(side).context("a component has an address")?;
        let mut client = KeepAlive::new(address);
        let kinds = match side {
            Side::Api => answers::of_the_api(services, &mut client, options.requests).await?,
            _ => answers::of_the_floor(services),
        };
        for mut kind in kinds {
            if let Some([before, _]) = kind.around {
                services.execute(before).await?;
            }
            let row = row(&mut client, &mut kind, options.requests);
            if let Some([_, after]) = kind.around {
                services.execute(after).await?;
            }
            let mut durations = row.durations.clone();
            durations.sort_unstable();
            let p50_ms = millis_at(&durations, 50);
            all.push(Latency {
                instances: reuse,
                side,
                response: kind.name,
                status: kind.status,
                p50_ms,
                p99_ms: millis_at(&durations, 99),
                responses: durations.len(),
                splits: row.splits,
                unexpected: row.unexpected.is_some(),
                slow: p50_ms >= LIMIT_MS,
                remarks: remarks(&row, p50_ms),
            });
        }
    }
    Ok(all)
}

/// The results as a table.
pub(crate) fn report(options: &Options, reuse: Reuse, all: &[Latency]) -> String {
    let mut table = Table::new(&["answer", "status", "p50 ms", "p99 ms", "split", "remarks"]);
    for one in all {
        table.row(vec![
            one.response.clone(),
            one.status.to_string(),
            figure(Some(one.p50_ms), 2),
            figure(Some(one.p99_ms), 2),
            format!("{}/{}", one.splits, one.responses),
            one.remarks.join(", "),
        ]);
    }
    let of_the_api: Vec<&Latency> = all.iter().filter(|one| one.side == Side::Api).collect();
    let slow = of_the_api.iter().filter(|one| one.slow).count();
    let split = of_the_api.iter().filter(|one| one.splits > 0).count();
    let mut text = format!(
        "{}: one connection, {} requests of each kind\n{}\n",
        reuse.name(),
        options.requests,
        table.render()
    );
    let _ = writeln!(
        text,
        "the API: {slow} of {} kinds have a median of {LIMIT_MS} ms or more; of {split}, head and body did not \
         always arrive together",
        of_the_api.len()
    );
    text
}

fn row(client: &mut KeepAlive, kind: &mut Kind, requests: u32) -> Row {
    let mut row = Row::default();
    for number in 0..requests {
        if !client.is_connected() {
            row.closed += usize::from(number > 0);
            settle(client, kind.settle_path);
        }
        match client.exchange(&(kind.request)(number)) {
            Ok(exchange) => {
                row.durations.push(exchange.duration);
                row.splits += usize::from(exchange.is_split);
                if exchange.status != kind.status {
                    row.unexpected.get_or_insert(exchange.status.to_string());
                }
            }
            Err(err) => drop(row.unexpected.get_or_insert(err.to_string())),
        }
    }
    row
}

/// A failure here shows in the measured requests.
fn settle(client: &mut KeepAlive, path: &str) {
    let request = raw_request("GET", path, &[], "");
    for _ in 0..FIRST_REQUESTS {
        let _ = client.exchange(&request);
    }
}

fn remarks(row: &Row, p50: f64) -> Vec<String> {
    let mut remarks = Vec::new();
    if p50 >= LIMIT_MS {
        remarks.push("SLOW".to_owned());
    }
    if let Some(unexpected) = &row.unexpected {
        remarks.push(format!("UNEXPECTED: {unexpected}"));
    }
    if row.closed > 0 {
        remarks.push("closes the connection".to_owned());
    }
    remarks
}

#[cfg(test)]
mod tests {
    use super::{Latency, Reuse, Side};

    fn latency(unexpected: bool, slow: bool) -> Latency {
        Latency {
            instances: Reuse::Reused,
            side: Side::Api,
            response: "get".to_owned(),
            status: 200,
            p50_ms: 1.0,
            p99_ms: 2.0,
            responses: 1,
            splits: 0,
            unexpected,
            slow,
            remarks: Vec::new(),
        }
    }

    #[test]
    fn an_unexpected_and_a_slow_kind_of_response_are_errors() {
        let check = |all: &[Latency]| Latency::check(all).map_err(|err| err.to_string());
        assert_eq!(check(&[latency(false, false)]), Ok(()));
        let error = check(&[latency(false, false), latency(true, false)]).expect_err("unexpected");
        assert!(error.contains("1 kinds of responses were not"), "{error}");
        let error = check(&[latency(false, true)]).expect_err("slow");
        assert!(error.contains("5 ms or more: get"), "{error}");
    }
}
