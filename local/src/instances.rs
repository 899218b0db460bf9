//! The life of component instances: made when a request finds none free, shared by requests, gone when idle. There
//! are never more than [`INSTANCES`] of an application: a request that would need another one fails.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{Sleep, sleep};
use wasmtime::component::GuestTaskId;
use wasmtime::{Store, StoreContextMut};
use wasmtime_wasi_http::WasiHttpView;
use wasmtime_wasi_http::handler::{
    HandlerState, Instance, Proxy, ShouldAccept, WorkerExpiration, WorkerState, WorkerStatus,
};
use wasmtime_wasi_http::p3::bindings::ServicePre;

use crate::engine::{Engine, INSTANCES};
use crate::host::{Links, State};
use crate::reuse::InstanceReuse;

/// Makes the instances of one component.
pub(crate) struct Instances {
    pub(crate) engine: &'static Engine,
    pub(crate) service: ServicePre<State>,
    pub(crate) links: Arc<Links>,
    pub(crate) reuse: InstanceReuse,
    /// A permit for each instance that the application may still make, of whichever component.
    pub(crate) slots: Arc<Semaphore>,
    /// Turns true when the application stops.
    pub(crate) stopped: watch::Receiver<bool>,
}

/// When an instance is to go.
pub(crate) struct Expiration {
    idle_timeout: Duration,
    request_timeout: Option<Duration>,
    sleep: Pin<Box<Sleep>>,
    stopped: Pin<Box<dyn Future<Output = ()> + Send + Sync>>,
}

/// What an instance accepts, and what is said when it breaks.
pub(crate) struct Life {
    max_reuse: usize,
    max_concurrent: usize,
    request_timeout: Option<Duration>,
    links: Arc<Links>,
    /// Turns true when the application stops.
    stopped: watch::Receiver<bool>,
    /// This instance's place among those that the application may have.
    _slot: OwnedSemaphorePermit,
}

impl HandlerState for Instances {
    type StoreData = State;
    type WorkerExpiration = Expiration;
    type WorkerState = Life;

    async fn instantiate(&self) -> wasmtime::Result<Instance<State, Expiration, Life>> {
        // Nobody waits for a place. Spin does not either: the request fails, whatever route it is for.
        let slot = Arc::clone(&self.slots).try_acquire_owned().map_err(|_| {
            wasmtime::format_err!("{INSTANCES} instances are there, and no more may be")
        })?;
        let state = State::new(Arc::clone(&self.links));
        let mut store = Store::new(self.engine.wasmtime(), state);
        store.limiter(|state| &mut state.limits);
        let service = self.service.instantiate_async(&mut store).await?;
        let mut stopped = self.stopped.clone();
        let (max_reuse, max_concurrent) = self.reuse.draw();
        Ok(Instance {
            store,
            proxy: Proxy::P3(service),
            view: State::http,
            expiration: Expiration {
                idle_timeout: self.reuse.idle_timeout,
                request_timeout: self.reuse.request_timeout,
                sleep: Box::pin(sleep(Duration::MAX)),
                stopped: Box::pin(async move {
                    let _ = stopped.wait_for(|stopped| *stopped).await;
                }),
            },
            state: Life {
                max_reuse,
                max_concurrent,
                request_timeout: self.reuse.request_timeout,
                links: Arc::clone(&self.links),
                stopped: self.stopped.clone(),
                _slot: slot,
            },
        })
    }
}

impl WorkerExpiration for Expiration {
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

impl WorkerState for Life {
    type StoreData = State;
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
        _: StoreContextMut<'_, State>,
        (): (),
        _: GuestTaskId,
    ) -> Pin<Box<dyn Future<Output = ()> + Send + Sync>> {
        match self.request_timeout {
            Some(timeout) => Box::pin(sleep(timeout)),
            None => Box::pin(std::future::pending()),
        }
    }

    fn drop(&self, store: Store<State>, result: wasmtime::Result<()>) {
        drop(store);
        // An instance that the application's end cuts off is no news.
        if let Err(error) = result
            && !*self.stopped.borrow()
        {
            let component = &self.links.component;
            let cause = error.root_cause();
            self.links.output.line(&format!(
                "component `{component}`: an instance ended with all its requests: {cause}"
            ));
        }
    }
}
