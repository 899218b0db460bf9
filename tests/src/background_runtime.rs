//! A runtime for tasks that must outlive the runtime of a single test.
//!
//! Each `#[tokio::test]` brings a runtime that ends with the test, and runs on one thread. Servers,
//! hosts and database connections run here instead: they neither end early nor wait for a test
//! that blocks its thread.

use std::future::Future;
use std::panic::resume_unwind;
use std::sync::{LazyLock, mpsc};
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    Builder::new_multi_thread()
        .enable_all()
        .thread_name("background")
        .build()
        .expect("start a runtime")
});

/// Time limit of the cleanup after a test.
const FINISH_LIMIT: Duration = Duration::from_mins(1);

/// Runs `future` here; a panic in it continues in the caller.
pub(crate) async fn run<F>(future: F) -> F::Output
where
    F: Future<Output: Send> + Send + 'static,
{
    match RUNTIME.spawn(future).await {
        Ok(output) => output,
        Err(err) => resume_unwind(err.into_panic()),
    }
}

/// Runs `future` here without waiting for it.
pub(crate) fn spawn<F>(future: F)
where
    F: Future<Output: Send> + Send + 'static,
{
    RUNTIME.spawn(future);
}

/// Runs `future` here and blocks until it has ended: for `Drop`, which cannot await.
pub(crate) fn run_blocking<F>(future: F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let (done, wait) = mpsc::channel();
    RUNTIME.spawn(async move {
        future.await;
        // Fails after the time limit, when the receiver is gone.
        let _ = done.send(());
    });
    // A failure to clean up must not hide why a test failed, and a second panic would abort.
    let _ = wait.recv_timeout(FINISH_LIMIT);
}
