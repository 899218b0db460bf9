//! State of components and their instances.

use std::sync::Arc;

use tokio::sync::Semaphore;
use wasmtime::component::ResourceTable;
use wasmtime::{StoreLimits, StoreLimitsBuilder};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use super::key_value::store::{KeyValueStore, MAX_HANDLES};
use super::outgoing_http::OutgoingHttp;
use super::output::GuestOutput;
use super::postgres::pools::Pools;
use crate::config::{AllowedHosts, ComponentVariables};

/// Memory limit of an instance: that of Akamai Functions.
const MAX_MEMORY_BYTES: usize = 128 << 20;

/// State that the instances of one component share.
pub(crate) struct ComponentContext {
    pub(crate) component: String,
    pub(crate) variables: ComponentVariables,
    pub(crate) allowed_hosts: AllowedHosts,
    pub(crate) pools: Pools,
    /// The application's key-value store, if the component may open it.
    pub(crate) key_value: Option<Arc<KeyValueStore>>,
    pub(crate) output: GuestOutput,
}

#[cfg(test)]
impl ComponentContext {
    /// A component that may connect to no host.
    pub(super) fn for_test(key_value: Option<Arc<KeyValueStore>>) -> ComponentContext {
        use crate::config::{Manifest, Variables};
        let manifest = Manifest::of("component.api.source = 'api.wasm'");
        let component = &manifest.components["api"];
        let variables = Variables::resolve(&manifest, &std::collections::BTreeMap::new(), |_| None)
            .expect("no variables");
        ComponentContext {
            component: "api".into(),
            allowed_hosts: AllowedHosts::new(component, &variables),
            variables: variables.for_component("api", component),
            pools: Pools::new(None),
            key_value,
            output: GuestOutput::default(),
        }
    }
}

/// The data of an instance's store.
pub(crate) struct InstanceState {
    pub(crate) context: Arc<ComponentContext>,
    pub(crate) table: ResourceTable,
    pub(crate) limits: StoreLimits,
    /// Permits for key-value stores to open.
    pub(super) store_slots: Arc<Semaphore>,
    /// Permits for compare-and-swap handles.
    pub(super) swap_slots: Arc<Semaphore>,
    wasi: WasiCtx,
    http: WasiHttpCtx,
    outgoing: OutgoingHttp,
}

impl InstanceState {
    /// An instance without files, environment, arguments and sockets.
    pub(crate) fn new(context: Arc<ComponentContext>) -> InstanceState {
        let wasi = WasiCtx::builder()
            .stdout(context.output.stream())
            .stderr(context.output.stream())
            .build();
        InstanceState {
            table: ResourceTable::new(),
            store_slots: Arc::new(Semaphore::new(MAX_HANDLES)),
            swap_slots: Arc::new(Semaphore::new(MAX_HANDLES)),
            limits: StoreLimitsBuilder::new().memory_size(MAX_MEMORY_BYTES).build(),
            wasi,
            http: WasiHttpCtx::new(),
            outgoing: OutgoingHttp::new(context.allowed_hosts.clone()),
            context,
        }
    }
}

impl WasiView for InstanceState {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for InstanceState {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { ctx: &mut self.http, table: &mut self.table, hooks: &mut self.outgoing }
    }
}
