//! The time from a request to the first byte of its response where its instance is new, beside that where
//! the instance has served before, of the API and of the bare component. Every server is idle before.

use std::fmt::Write as _;
use std::thread;
use std::time::Duration;

use anyhow::Context;
use rand::seq::SliceRandom;
use serde::Serialize;

use super::load::millis_at;
use super::options::{Options, Reuse};
use super::output::{Table, figure, progress};
use super::requests::authorization;
use super::services::{Services, Side};
use crate::{KeepAlive, raw_request};

const HEALTH: &str = "/health";

/// Pause before each request: an instance may still be ending, and a connection be on its way back to its pool, when
/// the response to the request before has come, and that work is not the next one's. So every server has been idle for
/// a moment, and its threads sleep: a request to a busy one is faster.
const PAUSE: Duration = Duration::from_millis(3);

/// The most that a request to a new instance without the database should take, in milliseconds.
const LIMIT_MS: f64 = 1.0;

/// Requests that are not counted: until the host's pool has a connection.
const FIRST_REQUESTS: u32 = 10;

/// The samples of one component on one route.
struct Samples {
    instances: Reuse,
    route: &'static str,
    side: Side,
    client: KeepAlive,
    request: Vec<u8>,
    first_bytes: Vec<Duration>,
    errors: usize,
    first_error: Option<String>,
}

/// The figures of one component on one route, to the first byte.
#[derive(Serialize)]
pub(crate) struct ColdStart {
    instances: Reuse,
    route: &'static str,
    side: Side,
    samples: usize,
    p50_ms: f64,
    p90_ms: f64,
    p99_ms: f64,
    max_ms: f64,
    errors: usize,
    first_error: Option<String>,
}

impl ColdStart {
    /// The requests without a good response.
    pub(crate) fn errors(&self) -> usize {
        self.errors
    }

    /// On the API's median where the instance is new and nothing else is measured with it; empty elsewhere.
    fn verdict(&self) -> String {
        let has_target =
            (self.side, self.instances, self.route) == (Side::Api, Reuse::SingleUse, HEALTH);
        match has_target {
            false => String::new(),
            true if self.p50_ms < LIMIT_MS => format!("p50 below {LIMIT_MS} ms: reached"),
            true => format!("p50 below {LIMIT_MS} ms: MISSED"),
        }
    }
}

/// Measures on services whose instances differ in their reuse; all of them take turns.
pub(crate) fn measure(
    options: &Options,
    services: &[(Reuse, Services)],
) -> anyhow::Result<Vec<ColdStart>> {
    progress(&format!("cold start: {} samples of each", options.samples));
    let mut all = Vec::new();
    for route in [HEALTH, "get"] {
        for (reuse, services) in services {
            for side in [Side::Api, Side::Floor] {
                all.push(Samples::new(*reuse, route, side, services)?);
            }
        }
    }
    for number in 0..FIRST_REQUESTS + options.samples {
        // In another order each time, so that none always follows the same one.
        let mut order: Vec<usize> = (0..all.len()).collect();
        order.shuffle(&mut rand::rng());
        for index in order {
            thread::sleep(PAUSE);
            all[index].take(number >= FIRST_REQUESTS);
        }
    }
    Ok(all.into_iter().map(Samples::into_figures).collect())
}

/// The results as a table.
pub(crate) fn report(all: &[ColdStart]) -> String {
    let mut table = Table::new(&[
        "route",
        "instances",
        "",
        "samples",
        "p50 ms",
        "p90 ms",
        "p99 ms",
        "max ms",
        "errors",
        "p50 / floor",
        "target",
    ]);
    for one in all {
        let floor = all.iter().find(|other| {
            other.side == Side::Floor
                && (other.route, other.instances) == (one.route, one.instances)
        });
        let ratio = floor.filter(|_| one.side == Side::Api).map(|floor| one.p50_ms / floor.p50_ms);
        let mut row = vec![one.route.to_owned(), one.instances.name().to_owned()];
        row.extend([one.side.name().to_owned(), one.samples.to_string()]);
        row.extend([one.p50_ms, one.p90_ms, one.p99_ms, one.max_ms].map(|ms| figure(Some(ms), 3)));
        row.push(one.errors.to_string());
        row.push(ratio.map(|ratio| figure(Some(ratio), 2)).unwrap_or_default());
        row.push(one.verdict());
        table.row(row);
    }
    let mut text = format!("from a request to the first byte of its response\n{}", table.render());
    for error in all.iter().filter_map(|one| one.first_error.as_ref()) {
        let _ = writeln!(text, "error: {error}");
    }
    text
}

impl Samples {
    fn new(
        instances: Reuse,
        route: &'static str,
        side: Side,
        services: &Services,
    ) -> anyhow::Result<Self> {
        let (user, task) = (&services.user, services.tasks[0]);
        let request = match (side, route) {
            (Side::Floor, "get") => {
                let path = format!("/floor/get?id={task}&user={}", user.id);
                raw_request("GET", &path, &[], "")
            }
            (Side::Floor, _) => raw_request("GET", "/floor/nothing", &[], ""),
            (_, "get") => {
                let path = user.path(&format!("/tasks/{task}"));
                raw_request("GET", &path, &[&authorization(user)], "")
            }
            _ => raw_request("GET", "/health", &[], ""),
        };
        let address = services.address(side).context("a component has an address")?;
        let client = KeepAlive::new(address);
        let first_bytes = Vec::new();
        let (errors, first_error) = (0, None);
        Ok(Self { instances, route, side, client, request, first_bytes, errors, first_error })
    }

    fn take(&mut self, counts: bool) {
        let error = match self.client.exchange(&self.request) {
            _ if !counts => return,
            Ok(exchange) if exchange.status == 200 => {
                self.first_bytes.push(exchange.first_byte);
                return;
            }
            Ok(exchange) => exchange.status.to_string(),
            Err(err) => err.to_string(),
        };
        self.errors += 1;
        self.first_error.get_or_insert(error);
    }

    fn into_figures(mut self) -> ColdStart {
        self.first_bytes.sort_unstable();
        let at = |percent| millis_at(&self.first_bytes, percent);
        ColdStart {
            instances: self.instances,
            route: self.route,
            side: self.side,
            samples: self.first_bytes.len(),
            p50_ms: at(50),
            p90_ms: at(90),
            p99_ms: at(99),
            max_ms: at(100),
            errors: self.errors,
            first_error: self.first_error,
        }
    }
}
