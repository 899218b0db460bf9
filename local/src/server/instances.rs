//! Component instances: created when a request finds none free, shared by requests, dropped when idle. An application
//! has at most [`INSTANCES`]; a request that would need one more fails.

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
    HandlerState, Instance, ProxyPre, ShouldAccept, WorkerExpiration, WorkerState, WorkerStatus,
};

use super::engine::{INSTANCES, Linked};
use super::instructions::Instructions;
use crate::host::{ComponentContext, InstanceState};

/// Time limit of a request, wherever this project starts a host. It is above the component's own limits, which
/// answer with a reason: 10 s for a request's body, 10 s for a connection to the database, 5 s for a statement. The
/// 30 s in which a client must read something of a response come after it: an instance that has nothing else to do
/// ends after this time too.
///
/// Spin has no limit by default. Without one, 1,000 requests that never end stop every route.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(45);

/// Limits of one component instance. The defaults are those of `spin up` for components of WASI 0.3, apart from
/// [`REQUEST_TIMEOUT`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InstanceReuse {
    /// Requests that an instance serves before it is replaced (`--max-instance-reuse-count`).
    pub max_reuse: usize,
    /// Requests that an instance serves at the same time (`--max-instance-concurrent-reuse-count`).
    pub max_concurrent: usize,
    /// Time after which an instance without a request is dropped (`--idle-instance-timeout`).
    pub idle_timeout: Duration,
    /// Time after which a request without a response fails with 500 (`--request-timeout`); `None` is never.
    ///
    /// Its instance ends after the same time once more, with all that it still does.
    pub request_timeout: Option<Duration>,
    /// Gives each instance random limits on its requests, from 1 up to the two above.
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
    /// The two limits on the requests of a new instance.
    fn draw(self) -> (usize, usize) {
        let draw = |most: usize| {
            if self.at_random && most > 1 { rand::rng().random_range(1..=most) } else { most }
        };
        (draw(self.max_reuse), draw(self.max_concurrent))
    }

    /// The limits of an instance of this component. One of WASI 0.2 serves one request, without a time limit: on
    /// Spin, the options are for WASI 0.3 only.
    pub(crate) fn of(self, component: &ProxyPre<InstanceState>) -> InstanceReuse {
        match component {
            ProxyPre::P2(_) => InstanceReuse {
                max_reuse: 1,
                max_concurrent: 1,
                request_timeout: None,
                at_random: false,
                ..self
            },
            ProxyPre::P3(_) => self,
        }
    }

    /// The same limits as options of `spin up`.
    pub fn spin_options(self) -> Vec<String> {
        // Spin's ranges exclude their upper end.
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

/// Creates the instances of one component.
pub(crate) struct Instances {
    pub(crate) linked: Linked,
    pub(crate) context: Arc<ComponentContext>,
    pub(crate) reuse: InstanceReuse,
    pub(crate) instructions: Option<Arc<Instructions>>,
    /// A permit for each instance that the application may still create, of any component.
    pub(crate) slots: Arc<Semaphore>,
    /// Turns true when the application stops.
    pub(crate) stopped: watch::Receiver<bool>,
}

/// Ends an instance that is idle, exceeds the request timeout, or belongs to an application that stops.
pub(crate) struct WorkerTimeout {
    idle_timeout: Duration,
    request_timeout: Option<Duration>,
    sleep: Pin<Box<Sleep>>,
    stopped: Pin<Box<dyn Future<Output = ()> + Send + Sync>>,
}

/// Limits the requests of an instance, and reports its failure.
pub(crate) struct WorkerPolicy {
    max_reuse: usize,
    max_concurrent: usize,
    request_timeout: Option<Duration>,
    context: Arc<ComponentContext>,
    instructions: Option<Arc<Instructions>>,
    /// Turns true when the application stops.
    stopped: watch::Receiver<bool>,
    /// Counts this instance among those of the application.
    _slot: OwnedSemaphorePermit,
}

impl HandlerState for Instances {
    type StoreData = InstanceState;
    type WorkerExpiration = WorkerTimeout;
    type WorkerState = WorkerPolicy;

    async fn instantiate(
        &self,
    ) -> wasmtime::Result<Instance<InstanceState, WorkerTimeout, WorkerPolicy>> {
        // As on Spin, the request does not wait, it fails, with this message of Spin's pool.
        let slot = Arc::clone(&self.slots).try_acquire_owned().map_err(|_| {
            wasmtime::format_err!(
                "maximum concurrent limit of {INSTANCES} for component instances reached"
            )
        })?;
        let state = InstanceState::new(Arc::clone(&self.context));
        let engine = match &*self.linked {
            ProxyPre::P2(component) => component.engine(),
            ProxyPre::P3(component) => component.engine(),
        };
        let mut store = Store::new(engine, state);
        store.limiter(|state| &mut state.limits);
        if self.instructions.is_some() {
            Instructions::count(&mut store)?;
        }
        let proxy = self.linked.instantiate_async(&mut store).await?;
        let mut stopped = self.stopped.clone();
        let (max_reuse, max_concurrent) = self.reuse.draw();
        Ok(Instance {
            store,
            proxy,
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
                instructions: self.instructions.clone(),
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
        if let Some(instructions) = &self.instructions {
            instructions.add(&store);
        }
        drop(store);
        // An instance is expected to end when the application stops.
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
    fn random_limits_are_within_the_given_ones() {
        let reuse = InstanceReuse { max_reuse: 3, max_concurrent: 2, ..InstanceReuse::default() };
        assert_eq!(reuse.draw(), (3, 2));
        let random = InstanceReuse { at_random: true, ..reuse };
        let mut drawn: Vec<_> = (0..1_000).map(|_| random.draw()).collect();
        drawn.sort_unstable();
        drawn.dedup();
        assert_eq!(drawn, [(1, 1), (1, 2), (2, 1), (2, 2), (3, 1), (3, 2)]);
    }

    #[test]
    fn spin_gets_the_same_limits() {
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
