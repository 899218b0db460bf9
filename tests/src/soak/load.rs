//! The load: threads, each with one kept-alive connection.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::options::Options;
use super::request::Mixture;
use crate::bench::load::LOAD_THREAD;
use crate::{App, KeepAlive};

/// Pause of a connection after a failure: a service that is down is not flooded.
const AFTER_FAILURE: Duration = Duration::from_millis(20);

/// What the connections have seen since it was last taken.
#[derive(Default)]
pub(crate) struct Seen {
    /// Of each response, with the expected status or another.
    pub(crate) durations: Vec<Duration>,
    /// Their statuses, in the same order.
    pub(crate) statuses: Vec<u16>,
    /// Other statuses than expected, and connections that broke.
    pub(crate) errors: usize,
}

/// The state that the threads share.
#[derive(Default)]
struct Shared {
    seen: Mutex<Seen>,
    first_error: Mutex<Option<String>>,
    is_over: AtomicBool,
}

/// The running load.
pub(crate) struct Load {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

impl Load {
    /// Registers the users and starts the threads.
    pub(crate) async fn start(app: &App, options: &Options) -> anyhow::Result<Self> {
        let mut users = Vec::new();
        for _ in 0..options.users {
            users.push(app.user("soak").await);
        }
        let shared = Arc::new(Shared::default());
        let threads = (0..options.connections).map(|_| {
            let (shared, users, address) = (Arc::clone(&shared), users.clone(), app.address());
            let thread = thread::Builder::new().name(LOAD_THREAD.to_owned());
            thread.spawn(move || shared.send(&mut KeepAlive::new(address), users))
        });
        let threads = threads.collect::<Result<_, _>>()?;
        Ok(Self { shared, threads })
    }

    /// What the connections have seen since the last time.
    pub(crate) fn take(&self) -> Seen {
        std::mem::take(&mut *self.shared.seen.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Ends the load. Returns the first error, if there was one.
    pub(crate) async fn stop(self) -> Option<String> {
        self.shared.is_over.store(true, Ordering::Relaxed);
        let ended = tokio::task::spawn_blocking(|| {
            self.threads.into_iter().for_each(|thread| thread.join().expect("a thread that sends"));
        });
        ended.await.expect("wait for the threads");
        self.shared.first_error.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Shared {
    fn send(&self, client: &mut KeepAlive, users: Vec<crate::User>) {
        let mut mixture = Mixture::new(users);
        while !self.is_over.load(Ordering::Relaxed) {
            let planned = mixture.next();
            let exchange = client.exchange(&planned.bytes);
            let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
            let error = match exchange {
                Ok(exchange) => {
                    seen.durations.push(exchange.duration);
                    seen.statuses.push(exchange.status);
                    if exchange.status == planned.status {
                        mixture.done(&planned, client.body());
                        continue;
                    }
                    let body = String::from_utf8_lossy(client.body());
                    format!("{} instead of {}: {body}", exchange.status, planned.status)
                }
                Err(err) => err.to_string(),
            };
            seen.errors += 1;
            drop(seen);
            let line = String::from_utf8_lossy(&planned.bytes);
            let line = line.lines().next().unwrap_or_default().to_owned();
            let mut first = self.first_error.lock().unwrap_or_else(PoisonError::into_inner);
            first.get_or_insert_with(|| format!("{line}: {error}"));
            drop(first);
            thread::sleep(AFTER_FAILURE);
        }
    }
}
