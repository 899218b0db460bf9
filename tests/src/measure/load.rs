//! Load on one service: many connections at once, for a given time. One cell of the tables.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::cpu::{self, Account, LOAD_THREAD};
use crate::KeepAlive;

/// Duration of the load before measuring, from the moment at which each connection has had a response:
/// by then the host's pools are filled.
const WARM_UP: Duration = Duration::from_millis(500);

/// Time limit of those first responses.
const FIRST_ANSWERS: Duration = Duration::from_secs(30);

/// Pause of a connection after a failure: a service that is down is not flooded.
const AFTER_FAILURE: Duration = Duration::from_millis(20);

/// Writes the next request of one connection in place of the last one.
pub(crate) type Requests = Box<dyn FnMut(&mut Vec<u8>) + Send>;

/// The processes whose CPU time is counted.
#[derive(Clone, Copy)]
pub(crate) struct Accounts {
    pub(crate) host: Account,
    pub(crate) database: Option<Account>,
}

/// The results of one workload on one service.
#[derive(Debug, Default)]
pub(crate) struct Cell {
    /// Responses with a status of 2xx.
    pub(crate) answers: usize,
    pub(crate) per_second: f64,
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
    /// CPU time per response.
    pub(crate) host_cpu_ms: Option<f64>,
    pub(crate) database_cpu_ms: Option<f64>,
    /// Other statuses, and connections that broke.
    pub(crate) errors: usize,
    pub(crate) first_error: Option<String>,
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

/// Each connection sends its requests one after the other, all of them at the same time.
pub(crate) fn run(
    address: SocketAddr,
    connections: Vec<Requests>,
    duration: Duration,
    accounts: Accounts,
) -> Cell {
    let control = Control { phase: AtomicU8::new(RUNNING), answered: AtomicUsize::new(0) };
    thread::scope(|scope| {
        let threads: Vec<_> = connections
            .into_iter()
            .map(|requests| {
                thread::Builder::new()
                    .name(LOAD_THREAD.to_owned())
                    .spawn_scoped(scope, || send(address, requests, &control))
                    .expect("start a thread")
            })
            .collect();
        control.wait_for_answers(threads.len());
        thread::sleep(WARM_UP);
        let before = Counters::read(accounts);
        let started = Instant::now();
        control.enter(COUNTING);
        thread::sleep(duration);
        control.enter(RUNNING);
        let elapsed = started.elapsed();
        // While all threads run: the CPU time of an ended one is gone.
        let after = Counters::read(accounts);
        control.enter(DONE);
        let seen = threads.into_iter().map(|thread| thread.join().expect("a thread that counts"));
        Cell::of(seen.collect(), elapsed, &before, &after)
    })
}

fn send(address: SocketAddr, mut requests: Requests, control: &Control) -> Seen {
    let mut client = KeepAlive::new(address);
    let mut seen = Seen::default();
    let mut request = Vec::new();
    let mut has_answered = false;
    loop {
        requests(&mut request);
        let exchange = client.exchange(&request);
        if exchange.is_err() {
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
        let error = match exchange {
            Ok(exchange) if (200..300).contains(&exchange.status) => {
                seen.durations.push(exchange.duration);
                seen.splits += usize::from(exchange.is_split);
                continue;
            }
            Ok(exchange) => {
                format!("{}: {}", exchange.status, String::from_utf8_lossy(client.body()))
            }
            Err(err) => err.to_string(),
        };
        seen.errors += 1;
        seen.first_error.get_or_insert(error);
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
    host: Option<Duration>,
    database: Option<Duration>,
    /// The machine's busy time without the processes of this measurement.
    others: Option<Duration>,
}

impl Counters {
    fn read(accounts: Accounts) -> Self {
        let host = accounts.host.spent();
        let database = accounts.database.and_then(Account::spent);
        let others = match (cpu::machine(), cpu::this_process(), host) {
            (Some(machine), Some(this_process), Some(host)) => {
                let other_host = match accounts.host {
                    Account::ThisProcess => Duration::ZERO,
                    Account::Group(_) | Account::Family(_) => host,
                };
                let ours = this_process + other_host + database.unwrap_or_default();
                Some(machine.saturating_sub(ours))
            }
            _ => None,
        };
        Self { host, database, others }
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
        let answers = durations.len();
        let per_answer = |seconds: f64| seconds * 1_000.0 / count(answers.max(1));
        let host = before.until(after, |counters| counters.host);
        let database = before.until(after, |counters| counters.database);
        Self {
            answers,
            per_second: count(answers) / elapsed,
            p50_ms: millis_at(&durations, 50),
            p99_ms: millis_at(&durations, 99),
            host_cpu_ms: host.map(per_answer),
            database_cpu_ms: database.map(per_answer),
            errors,
            first_error,
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
