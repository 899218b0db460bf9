//! What belongs to one component instance.

use std::sync::Arc;

use wasmtime::component::ResourceTable;
use wasmtime::{StoreLimits, StoreLimitsBuilder};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use super::http::OutgoingHttp;
use super::output::GuestOutput;
use super::postgres::Pools;
use crate::allowed_hosts::AllowedHosts;
use crate::key_value::KeyValueStore;
use crate::variables::ComponentVariables;

/// Memory of an instance, as Akamai Functions limits it.
const MAX_MEMORY_BYTES: usize = 128 << 20;

/// What the instances of one component share.
pub(crate) struct Links {
    pub(crate) component: String,
    pub(crate) variables: ComponentVariables,
    pub(crate) allowed_hosts: AllowedHosts,
    pub(crate) pools: Pools,
    /// The application's key-value store, for a component that may open it.
    pub(crate) key_value: Option<Arc<KeyValueStore>>,
    pub(crate) output: GuestOutput,
}

/// The data of an instance's store.
pub(crate) struct State {
    pub(crate) links: Arc<Links>,
    pub(crate) table: ResourceTable,
    pub(crate) limits: StoreLimits,
    wasi: WasiCtx,
    http: WasiHttpCtx,
    outgoing: OutgoingHttp,
}

impl State {
    /// No files, no environment, no arguments, no sockets: only what `Links` gives.
    pub(crate) fn new(links: Arc<Links>) -> State {
        let wasi =
            WasiCtx::builder().stdout(links.output.stream()).stderr(links.output.stream()).build();
        State {
            table: ResourceTable::new(),
            limits: StoreLimitsBuilder::new().memory_size(MAX_MEMORY_BYTES).build(),
            wasi,
            http: WasiHttpCtx::new(),
            outgoing: OutgoingHttp::new(links.allowed_hosts.clone()),
            links,
        }
    }
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for State {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { ctx: &mut self.http, table: &mut self.table, hooks: &mut self.outgoing }
    }
}
