//! Load on one service: many connections at once, for a given time. One cell of the tables.

use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde::Serialize;

use super::processes::{self, Account};

/// Duration of the load before measuring, from the moment at which each connection has had a response:
/// by then the host's pools are filled.
const WARM_UP: Duration = Duration::from_millis(500);

/// Time limit of those first responses.
const FIRST_ANSWERS: Duration = Duration::from_secs(30);

/// Pause of a connection after a failure: a service that is down is not flooded.
const AFTER_FAILURE: Duration = Duration::from_millis(20);

/// The name of the threads that send requests.
pub(crate) const LOAD_THREAD: &str = "load";

/// One connection, which sends the requests of a workload one after the other.
pub(crate) trait Connection: Send {
    /// Sends the next request and waits for its response. An error where that is not a good one.
    fn exchange(&mut self) -> Result<Reply, String>;
}

/// A good response.
pub(crate) struct Reply {
    pub(crate) duration: Duration,
    /// True if the head arrived without its body.
    pub(crate) is_split: bool,
}

/// The processes whose CPU time and memory are counted.
#[derive(Clone, Copy)]
pub(crate) struct Accounts {
    /// None where this process does its own work: the statements alone.
    pub(crate) server: Option<Account>,
    pub(crate) database: Option<Account>,
}

/// The results of one workload on one service.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Cell {
    /// Good responses.
    pub(crate) responses: usize,
    pub(crate) requests_per_second: f64,
    pub(crate) p50_ms: f64,
    pub(crate) p90_ms: f64,
    pub(crate) p99_ms: f64,
    /// Responses that were not good, and connections that broke.
    pub(crate) errors: usize,
    pub(crate) first_error: Option<String>,
    /// CPU seconds for 1,000 good responses, which is also milliseconds for each.
    pub(crate) server_cpu: Option<f64>,
    pub(crate) database_cpu: Option<f64>,
    pub(crate) peak_memory_bytes: Option<u64>,
    /// Responses whose head came without the body.
    pub(crate) splits: usize,
    /// The part of the machine used by other processes, 0 to 1.
    pub(crate) others: Option<f64>,
}

/// The results of one connection.
#[derive(Default)]
struct Seen {
    durations: Vec<Duration>,
    splits: usize,
    errors: usize,
    first_error: Option<String>,
}

/// The state that the threads share.
struct Control {
    phase: AtomicU8,
    /// The number of connections that have had a response.
    answered: AtomicUsize,
}

/// Requests are sent but not counted: before and after the measurement.
const RUNNING: u8 = 0;
const COUNTING: u8 = 1;
const DONE: u8 = 2;

/// All connections send at the same time, each its requests one after the other.
pub(crate) fn run(
    connections: Vec<Box<dyn Connection>>,
    duration: Duration,
    accounts: Accounts,
) -> Cell {
    let control = Control { phase: AtomicU8::new(RUNNING), answered: AtomicUsize::new(0) };
    thread::scope(|scope| {
        let threads: Vec<_> = connections
            .into_iter()
            .map(|connection| {
                thread::Builder::new()
                    .name(LOAD_THREAD.to_owned())
                    .spawn_scoped(scope, || send(connection, &control))
                    .expect("start a thread")
            })
            .collect();
        control.wait_for_answers(threads.len());
        thread::sleep(WARM_UP);
        if let Some(server) = accounts.server {
            server.reset_peak_memory();
        }
        let before = Counters::read(accounts);
        let started = Instant::now();
        control.enter(COUNTING);
        thread::sleep(duration);
        control.enter(RUNNING);
        let elapsed = started.elapsed();
        // While all threads run: the CPU time of an ended one is gone.
        let after = Counters::read(accounts);
        let peak_memory_bytes = accounts.server.and_then(Account::peak_memory);
        control.enter(DONE);
        let seen = threads.into_iter().map(|thread| thread.join().expect("a thread that counts"));
        let cell = Cell::of(seen.collect(), elapsed, &before, &after);
        Cell { peak_memory_bytes, ..cell }
    })
}

fn send(mut connection: Box<dyn Connection>, control: &Control) -> Seen {
    let mut seen = Seen::default();
    let mut has_answered = false;
    loop {
        let reply = connection.exchange();
        if reply.is_err() {
            thread::sleep(AFTER_FAILURE);
        } else if !has_answered {
            has_answered = true;
            control.answered.fetch_add(1, Ordering::Relaxed);
        }
        match control.phase.load(Ordering::Relaxed) {
            RUNNING => continue,
            COUNTING => {}
            _ => return seen,
        }
        match reply {
            Ok(reply) => {
                seen.durations.push(reply.duration);
                seen.splits += usize::from(reply.is_split);
            }
            Err(error) => {
                seen.errors += 1;
                seen.first_error.get_or_insert(error);
            }
        }
    }
}

impl Control {
    fn enter(&self, phase: u8) {
        self.phase.store(phase, Ordering::Relaxed);
    }

    /// Continues without them after the time limit: then the errors are counted.
    fn wait_for_answers(&self, connections: usize) {
        let deadline = Instant::now() + FIRST_ANSWERS;
        while self.answered.load(Ordering::Relaxed) < connections && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(10));
        }
    }
}

/// CPU time at one moment.
struct Counters {
    server: Option<Duration>,
    database: Option<Duration>,
    /// The machine's busy time without the processes of this measurement.
    others: Option<Duration>,
}

impl Counters {
    fn read(accounts: Accounts) -> Self {
        let server = accounts.server.and_then(Account::spent);
        let database = accounts.database.and_then(Account::spent);
        let others = match (processes::machine(), processes::this_process()) {
            (Some(machine), Some(this_process)) => {
                let ours = this_process + server.unwrap_or_default() + database.unwrap_or_default();
                Some(machine.saturating_sub(ours))
            }
            _ => None,
        };
        Self { server, database, others }
    }

    fn until(&self, later: &Self, counter: impl Fn(&Self) -> Option<Duration>) -> Option<f64> {
        Some(counter(later)?.saturating_sub(counter(self)?).as_secs_f64())
    }
}

impl Cell {
    fn of(seen: Vec<Seen>, elapsed: Duration, before: &Counters, after: &Counters) -> Self {
        let splits = seen.iter().map(|one| one.splits).sum();
        let errors = seen.iter().map(|one| one.errors).sum();
        let first_error = seen.iter().find_map(|one| one.first_error.clone());
        let mut durations: Vec<Duration> = seen.into_iter().flat_map(|one| one.durations).collect();
        durations.sort_unstable();

        let elapsed = elapsed.as_secs_f64();
        let machine =
            elapsed * thread::available_parallelism().map_or(1.0, |cores| count(cores.get()));
        let responses = durations.len();
        let for_thousand = |seconds: f64| seconds * 1_000.0 / count(responses.max(1));
        Self {
            responses,
            requests_per_second: count(responses) / elapsed,
            p50_ms: millis_at(&durations, 50),
            p90_ms: millis_at(&durations, 90),
            p99_ms: millis_at(&durations, 99),
            errors,
            first_error,
            server_cpu: before.until(after, |counters| counters.server).map(for_thousand),
            database_cpu: before.until(after, |counters| counters.database).map(for_thousand),
            peak_memory_bytes: None,
            splits,
            others: before.until(after, |counters| counters.others).map(|busy| busy / machine),
        }
    }
}

/// A percentile, in milliseconds. `sorted` must be sorted.
pub(crate) fn millis_at(sorted: &[Duration], percent: usize) -> f64 {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).map_or(f64::NAN, |duration| duration.as_secs_f64() * 1_000.0)
}

/// A count as a floating-point number.
#[expect(clippy::cast_precision_loss, reason = "far fewer things than 2 to the 52nd")]
pub(crate) fn count(things: usize) -> f64 {
    things as f64
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::millis_at;

    #[test]
    #[expect(clippy::float_cmp, reason = "whole milliseconds are exact")]
    fn a_percentile_is_one_of_the_durations() {
        let durations: Vec<Duration> = (1..=40).map(Duration::from_millis).collect();
        assert_eq!(millis_at(&durations, 50), 20.0);
        assert_eq!(millis_at(&durations, 99), 40.0);
        assert_eq!(millis_at(&durations[..1], 50), 1.0);
        assert!(millis_at(&[], 50).is_nan());
    }
}
