//! Applies the example of `docs/partitioning` with the migrator, beside a client that goes on reading.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context;
use serde::Serialize;

use crate::bench::output::progress;
use crate::database::{grant, run_migrator};
use crate::{App, KeepAlive, raw_request, workspace};

/// Time for the service to recover after the migration.
const GIVES_UP: Duration = Duration::from_mins(1);

/// The duration of the migration.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Migration {
    /// Of `migrator up` and `migrator grant`.
    seconds: f64,
    /// The longest time in which no task could be read.
    seconds_without_a_read: f64,
}

/// Partitions the tasks of a service.
pub(crate) async fn apply(app: &App) -> anyhow::Result<Migration> {
    progress("partitioning the tasks");
    let folder = tempfile::tempdir().context("create a folder")?;
    for source in ["migrations", "docs/partitioning"] {
        for file in fs::read_dir(workspace().join(source)).context("list scripts")? {
            let file = file.context("list scripts")?;
            if file.path().extension().is_some_and(|extension| extension == "sql") {
                fs::copy(file.path(), folder.path().join(file.file_name())).context("copy")?;
            }
        }
    }
    let directory = folder.path().to_str().context("a folder with a name in UTF-8")?;
    let reader = Reader::start(app);
    let started = Instant::now();
    run_migrator(app.database().url(), &["up", "--dir", directory]).await;
    grant(app.database()).await;
    let seconds = started.elapsed().as_secs_f64();
    let seconds_without_a_read = reader.stop().as_secs_f64();
    Ok(Migration { seconds, seconds_without_a_read })
}

/// What is printed of it.
pub(crate) fn report(migration: &Migration) -> String {
    format!(
        "partitioning: {:.1} s, during which nothing could be read for {:.1} s\n",
        migration.seconds, migration.seconds_without_a_read
    )
}

/// Lists tasks again and again.
struct Reader {
    stops: Arc<AtomicBool>,
    thread: thread::JoinHandle<Duration>,
}

impl Reader {
    fn start(app: &App) -> Self {
        let user = app.unregistered_user("reader");
        let request = raw_request("GET", &user.path("/tasks"), &[&user.authorization()], "");
        let stops = Arc::new(AtomicBool::new(false));
        let mut client = KeepAlive::new(app.address());
        let stopping = Arc::clone(&stops);
        let thread = thread::spawn(move || {
            let mut longest = Duration::ZERO;
            let mut last = Instant::now();
            loop {
                let is_last = stopping.load(Ordering::Relaxed);
                let is_read = client.exchange(&request).is_ok_and(|one| one.status == 200);
                if is_read {
                    longest = longest.max(last.elapsed());
                    last = Instant::now();
                    if is_last {
                        return longest;
                    }
                }
                if is_last && last.elapsed() > GIVES_UP {
                    return last.elapsed();
                }
                thread::sleep(Duration::from_millis(5));
            }
        });
        Self { stops, thread }
    }

    /// The longest time between two reads.
    fn stop(self) -> Duration {
        self.stops.store(true, Ordering::Relaxed);
        self.thread.join().expect("a thread that reads")
    }
}
