//! The life of component instances: made when a request finds none free, shared by requests, gone when idle. There
//! are never more than [`INSTANCES`] of an application: a request that would need another one fails.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use rand::RngExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{Sleep, sleep};
use wasmtime::component::GuestTaskId;
use wasmtime::{Store, StoreContextMut};
use wasmtime_wasi_http::WasiHttpView;
use wasmtime_wasi_http::handler::{
    HandlerState, Instance, Proxy, ShouldAccept, WorkerExpiration, WorkerState, WorkerStatus,
};
use wasmtime_wasi_http::p3::bindings::ServicePre;

use super::engine::{Engine, INSTANCES};
use crate::host::{ComponentContext, InstanceState};

/// How long a request may go without a response wherever this project starts a host: above the component's own
/// limits, so that a client meets those first, with an answer that says what was wrong. A body has 10 s to arrive,
/// and an answer that nobody reads is given up after 30 s; the host applies this limit to that time too.
///
/// Spin has none unless it is told. Without one, 1,000 requests that never end stop every route.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(45);

/// Limits of one component instance. The defaults are those of `spin up` for components of WASI 0.3, apart from
/// [`REQUEST_TIMEOUT`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InstanceReuse {
    /// Requests that an instance serves before it is replaced (`--max-instance-reuse-count`).
    pub max_reuse: usize,
    /// Requests that an instance serves at the same time (`--max-instance-concurrent-reuse-count`).
    pub max_concurrent: usize,
    /// How long an instance without a request is kept (`--idle-instance-timeout`).
    pub idle_timeout: Duration,
    /// After how long a request without a response fails with 500 (`--request-timeout`); `None` is never.
    ///
    /// Its instance goes on for as long again: it ends with what it still does when that time is over too.
    pub request_timeout: Option<Duration>,
    /// Whether each instance draws its own two numbers of requests, from 1 up to those above.
    pub at_random: bool,
}

impl Default for InstanceReuse {
    fn default() -> Self {
        InstanceReuse {
            max_reuse: 128,
            max_concurrent: 16,
            idle_timeout: Duration::from_secs(1),
            request_timeout: Some(REQUEST_TIMEOUT),
            at_random: false,
        }
    }
}

impl InstanceReuse {
    /// How many requests a new instance serves, and how many at the same time.
    pub(crate) fn draw(self) -> (usize, usize) {
        let draw = |most: usize| {
            if self.at_random && most > 1 { rand::rng().random_range(1..=most) } else { most }
        };
        (draw(self.max_reuse), draw(self.max_concurrent))
    }

    /// The options of `spin up` that mean the same.
    pub fn spin_options(self) -> Vec<String> {
        // Spin takes a range without its upper end.
        let count = |most: usize| {
            if self.at_random { format!("1..{}", most + 1) } else { most.to_string() }
        };
        let millis = |time: Duration| format!("{}ms", time.as_millis());
        let mut options = vec![
            format!("--max-instance-reuse-count={}", count(self.max_reuse)),
            format!("--max-instance-concurrent-reuse-count={}", count(self.max_concurrent)),
            format!("--idle-instance-timeout={}", millis(self.idle_timeout)),
        ];
        options
            .extend(self.request_timeout.map(|time| format!("--request-timeout={}", millis(time))));
        options
    }
}

/// Makes the instances of one component.
pub(crate) struct Instances {
    pub(crate) engine: &'static Engine,
    pub(crate) service: ServicePre<InstanceState>,
    pub(crate) context: Arc<ComponentContext>,
    pub(crate) reuse: InstanceReuse,
    /// A permit for each instance that the application may still make, of whichever component.
    pub(crate) slots: Arc<Semaphore>,
    /// Turns true when the application stops.
    pub(crate) stopped: watch::Receiver<bool>,
}

/// When an instance is to go.
pub(crate) struct WorkerTimeout {
    idle_timeout: Duration,
    request_timeout: Option<Duration>,
    sleep: Pin<Box<Sleep>>,
    stopped: Pin<Box<dyn Future<Output = ()> + Send + Sync>>,
}

/// What an instance accepts, and what is said when it breaks.
pub(crate) struct WorkerPolicy {
    max_reuse: usize,
    max_concurrent: usize,
    request_timeout: Option<Duration>,
    context: Arc<ComponentContext>,
    /// Turns true when the application stops.
    stopped: watch::Receiver<bool>,
    /// This instance's place among those that the application may have.
    _slot: OwnedSemaphorePermit,
}

impl HandlerState for Instances {
    type StoreData = InstanceState;
    type WorkerExpiration = WorkerTimeout;
    type WorkerState = WorkerPolicy;

    async fn instantiate(
        &self,
    ) -> wasmtime::Result<Instance<InstanceState, WorkerTimeout, WorkerPolicy>> {
        // Nobody waits for a place. Spin does not either: the request fails, whatever route it is for.
        let slot = Arc::clone(&self.slots).try_acquire_owned().map_err(|_| {
            wasmtime::format_err!("{INSTANCES} instances are there, and no more may be")
        })?;
        let state = InstanceState::new(Arc::clone(&self.context));
        let mut store = Store::new(self.engine.wasmtime(), state);
        store.limiter(|state| &mut state.limits);
        let service = self.service.instantiate_async(&mut store).await?;
        let mut stopped = self.stopped.clone();
        let (max_reuse, max_concurrent) = self.reuse.draw();
        Ok(Instance {
            store,
            proxy: Proxy::P3(service),
            view: InstanceState::http,
            expiration: WorkerTimeout {
                idle_timeout: self.reuse.idle_timeout,
                request_timeout: self.reuse.request_timeout,
                sleep: Box::pin(sleep(Duration::MAX)),
                stopped: Box::pin(async move {
                    let _ = stopped.wait_for(|stopped| *stopped).await;
                }),
            },
            state: WorkerPolicy {
                max_reuse,
                max_concurrent,
                request_timeout: self.reuse.request_timeout,
                context: Arc::clone(&self.context),
                stopped: self.stopped.clone(),
                _slot: slot,
            },
        })
    }
}

impl WorkerExpiration for WorkerTimeout {
    fn poll(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        status: WorkerStatus,
        since: Instant,
    ) -> Poll<()> {
        let this = self.get_mut();
        if this.stopped.as_mut().poll(context).is_ready() {
            return Poll::Ready(());
        }
        let timeout = match status {
            WorkerStatus::Idle => Some(this.idle_timeout),
            WorkerStatus::Requests | WorkerStatus::PostReturn => this.request_timeout,
        };
        let Some(deadline) = timeout.and_then(|timeout| since.checked_add(timeout)) else {
            return Poll::Pending;
        };
        if this.sleep.deadline() != deadline.into() {
            this.sleep.as_mut().reset(deadline.into());
        }
        this.sleep.as_mut().poll(context)
    }
}

impl WorkerState for WorkerPolicy {
    type StoreData = InstanceState;
    type RequestData = ();

    fn should_accept_request(&self, now: usize, so_far: usize) -> ShouldAccept {
        if so_far >= self.max_reuse {
            ShouldAccept::Never
        } else if now >= self.max_concurrent {
            ShouldAccept::No
        } else {
            ShouldAccept::Yes
        }
    }

    fn on_request_start(
        &self,
        _: StoreContextMut<'_, InstanceState>,
        (): (),
        _: GuestTaskId,
    ) -> Pin<Box<dyn Future<Output = ()> + Send + Sync>> {
        match self.request_timeout {
            Some(timeout) => Box::pin(sleep(timeout)),
            None => Box::pin(std::future::pending()),
        }
    }

    fn drop(&self, store: Store<InstanceState>, result: wasmtime::Result<()>) {
        drop(store);
        // An instance that the application's end cuts off is no news.
        if let Err(error) = result
            && !*self.stopped.borrow()
        {
            let component = &self.context.component;
            let cause = error.root_cause();
            self.context.output.line(&format!(
                "component `{component}`: an instance ended with all its requests: {cause}"
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_instance_draws_its_own_numbers_where_that_is_asked_for() {
        let reuse = InstanceReuse { max_reuse: 3, max_concurrent: 2, ..InstanceReuse::default() };
        assert_eq!(reuse.draw(), (3, 2));
        let random = InstanceReuse { at_random: true, ..reuse };
        let mut drawn: Vec<_> = (0..1_000).map(|_| random.draw()).collect();
        drawn.sort_unstable();
        drawn.dedup();
        assert_eq!(drawn, [(1, 1), (1, 2), (2, 1), (2, 2), (3, 1), (3, 2)]);
    }

    #[test]
    fn spin_is_told_the_same() {
        let reuse = InstanceReuse { at_random: true, max_reuse: 7, ..InstanceReuse::default() };
        assert_eq!(
            reuse.spin_options(),
            [
                "--max-instance-reuse-count=1..8",
                "--max-instance-concurrent-reuse-count=1..17",
                "--idle-instance-timeout=1000ms",
                "--request-timeout=45000ms",
            ]
        );
    }
}
