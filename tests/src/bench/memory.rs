//! The memory of an instance: what the host has more with many instances than with none, divided by their number.
//! Each request is held in its middle, on a host whose instances take one request at a time, so that there are as
//! many instances as requests; afterwards they are idle, and kept.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use serde::Serialize;

use super::load::count;
use super::options::{Options, Reuse, Workload};
use super::output::{Table, figure, progress};
use super::requests::request;
use super::services::{Services, Side};
use crate::{KeepAlive, raw_request};

/// Time between two looks at the memory, which has settled when they see the same.
const PAUSE: Duration = Duration::from_millis(300);

/// Growth between two looks that counts as none.
const SETTLED_BYTES: u64 = 65_536;

/// The memory has to settle before the API gives up waiting for a body, after ten seconds.
const LIMIT: Duration = Duration::from_secs(6);

/// The end of a body that is held back.
const HELD_BACK_BYTES: usize = 5;

/// A state of instances.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum State {
    /// In the middle of a request: they wait for the end of a body.
    Reading,
    /// Kept after they have created a task.
    IdleAfterCreate,
    /// In the middle of a request: their statement waits for a lock, or they for a connection, of which a host has
    /// fewer than there are instances.
    Waiting,
    /// Kept after they have written a list of 100 tasks.
    IdleAfterList,
}

/// The memory of a component's instances in one state.
#[derive(Serialize)]
pub(crate) struct Memory {
    side: Side,
    state: State,
    /// Numbers of instances with the memory of the host's processes.
    bytes: Vec<(usize, u64)>,
    kib_of_an_instance: f64,
}

/// Measures both components.
pub(crate) async fn measure(
    options: &Options,
    reuse: Reuse,
    services: &Services,
) -> anyhow::Result<Vec<Memory>> {
    let mut all = Vec::new();
    for side in [Side::Api, Side::Floor] {
        for (busy, idle, workload) in [
            (State::Reading, State::IdleAfterCreate, Workload::Create),
            (State::Waiting, State::IdleAfterList, Workload::List),
        ] {
            progress(&format!("{}: {} instances, {}", side.name(), options.instances, busy.name()));
            // Memory that a host has had stays with it.
            services.restart_components().await;
            let (in_use, kept) = run(options, side, workload, services).await?;
            all.push(Memory::of(side, busy, in_use));
            // Of single-use instances there are none left.
            if reuse == Reuse::Reused {
                all.push(Memory::of(side, idle, kept));
            }
        }
    }
    Ok(all)
}

type Points = Vec<(usize, u64)>;

/// The memory while the requests are held, and after their responses.
async fn run(
    options: &Options,
    side: Side,
    workload: Workload,
    services: &Services,
) -> anyhow::Result<(Points, Points)> {
    let address = services.address(side).context("a component has an address")?;
    let nothing = match side {
        Side::Floor => raw_request("GET", "/floor/nothing", &[], ""),
        _ => raw_request("GET", "/health", &[], ""),
    };
    let whole = request(workload, side, services);
    let held_back = if workload == Workload::Create { HELD_BACK_BYTES } else { 0 };
    let (begin, end) = whole.split_at(whole.len() - held_back);

    // All connections from the beginning: their memory is not the instances'.
    let mut clients: Vec<KeepAlive> =
        (0..options.instances).map(|_| KeepAlive::new(address)).collect();
    for client in &mut clients {
        exchange(client, &nothing)?;
    }
    let none = settled(side, services).await?;
    let (mut in_use, mut kept) = (vec![(0, none)], vec![(0, none)]);
    for instances in [clients.len() / 2, clients.len()] {
        if held_back == 0 {
            services.execute("begin; lock table tasks in access exclusive mode").await?;
        }
        for client in &mut clients[..instances] {
            client.begin(begin).context("begin a request")?;
        }
        in_use.push((instances, settled(side, services).await?));
        if held_back == 0 {
            services.execute("rollback").await?;
        }
        for client in &mut clients[..instances] {
            exchange(client, end)?;
        }
        kept.push((instances, settled(side, services).await?));
    }
    Ok((in_use, kept))
}

fn exchange(client: &mut KeepAlive, bytes: &[u8]) -> anyhow::Result<()> {
    let status = client.exchange(bytes).context("finish a request")?.status;
    ensure!((200..300).contains(&status), "a held request was answered with {status}");
    Ok(())
}

/// The memory of the side's processes once it grows no more.
async fn settled(side: Side, services: &Services) -> anyhow::Result<u64> {
    let started = Instant::now();
    let server = services.accounts(side).server.context("a component has processes")?;
    let mut before = 0;
    loop {
        let now = server.proportional_memory().context("the memory of the host, from `/proc`")?;
        if now.abs_diff(before) <= SETTLED_BYTES {
            return Ok(now);
        }
        if started.elapsed() > LIMIT {
            bail!("the host's memory does not settle: {before} bytes, then {now}");
        }
        before = now;
        tokio::time::sleep(PAUSE).await;
    }
}

/// The results as a table.
pub(crate) fn report(options: &Options, all: &[Memory]) -> String {
    let most = options.instances;
    let half = format!("{} (MiB)", most / 2);
    let whole = format!("{most} (MiB)");
    let mut table = Table::new(&["instances", "", "0 (MiB)", &half, &whole, "KiB each"]);
    for one in all {
        let mut row = vec![one.state.name().to_owned(), one.side.name().to_owned()];
        row.extend(one.bytes.iter().map(|(_, bytes)| figure(Some(kib(*bytes) / 1_024.0), 1)));
        row.push(figure(Some(one.kib_of_an_instance), 0));
        table.row(row);
    }
    let mut text =
        "memory of the host's processes (PSS), one request for each instance\n".to_owned();
    let _ = writeln!(text, "{}", table.render());
    text
}

impl State {
    fn name(self) -> &'static str {
        match self {
            Self::Reading => "waiting for the end of a body",
            Self::IdleAfterCreate => "idle after a create",
            Self::Waiting => "waiting for the database",
            Self::IdleAfterList => "idle after a list of 100",
        }
    }
}

impl Memory {
    /// The points are in the order of their numbers, of which the first is 0.
    fn of(side: Side, state: State, bytes: Points) -> Self {
        let kib_of_an_instance = slope(&bytes);
        Self { side, state, bytes, kib_of_an_instance }
    }
}

/// From the first point to the last one, in KiB for each instance.
fn slope(points: &[(usize, u64)]) -> f64 {
    match (points.first(), points.last()) {
        (Some((from, few)), Some((to, many))) if to > from => {
            (kib(*many) - kib(*few)) / count(to - from)
        }
        _ => f64::NAN,
    }
}

#[expect(clippy::cast_precision_loss, reason = "far fewer bytes than 2 to the 52nd")]
fn kib(bytes: u64) -> f64 {
    bytes as f64 / 1_024.0
}

#[cfg(test)]
mod tests {
    use super::slope;

    #[test]
    #[expect(clippy::float_cmp, reason = "whole kibibytes are exact")]
    fn an_instance_has_its_share_of_the_growth() {
        assert_eq!(slope(&[(0, 1_048_576), (100, 9_999_999), (200, 3_145_728)]), 10.24);
        assert!(slope(&[]).is_nan());
    }
}
