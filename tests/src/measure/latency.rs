//! The latency of every kind of response on one keep-alive connection, one request after the other,
//! and whether head and body arrive together. Where they do not, the client's delayed acknowledgement
//! adds 40 ms.

use std::time::Duration;

use super::answers::{self, Kind};
use super::load::millis_at;
use super::options::{Options, Reuse};
use super::output::{Table, figure, print, progress};
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

/// Measures all kinds and prints a table.
pub(crate) async fn measure(
    options: &Options,
    reuse: Reuse,
    services: &Services,
) -> anyhow::Result<()> {
    progress(&format!("{}, one connection: every kind of answer", reuse.name()));
    let requests = options.requests;
    let mut table = Table::new(&["answer", "status", "p50 ms", "p99 ms", "split", "remarks"]);
    let (mut slow, mut split, mut all) = (0, 0, 0);
    for side in [Side::Api, Side::Floor] {
        let mut client = KeepAlive::new(services.address(side));
        let kinds = match side {
            Side::Api => answers::of_the_api(services, &mut client, requests).await?,
            Side::Floor => answers::of_the_floor(services),
        };
        for mut kind in kinds {
            let row = row(&mut client, &mut kind, requests);
            let mut durations = row.durations.clone();
            durations.sort_unstable();
            let p50 = millis_at(&durations, 50);
            if side == Side::Api {
                all += 1;
                slow += usize::from(p50 >= LIMIT_MS);
                split += usize::from(row.splits > 0);
            }
            table.row(vec![
                kind.name,
                kind.status.to_string(),
                figure(Some(p50), 2),
                figure(Some(millis_at(&durations, 99)), 2),
                format!("{}/{}", row.splits, durations.len()),
                remarks(&row, p50).join(", "),
            ]);
        }
    }
    print(&format!("{}: one connection, {requests} requests of each kind", reuse.name()));
    print(&table.render());
    print(&format!(
        "the API: {slow} of {all} kinds have a median of {LIMIT_MS} ms or more; of {split}, head and body did not \
         always arrive together\n"
    ));
    Ok(())
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
