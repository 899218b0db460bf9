//! The WebAssembly engine: one for the whole process, with every component compiled once.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::SystemTime;

use wasmtime::component::{Component, HasSelf, InstancePre, Linker};
use wasmtime::{Cache, CacheConfig, Config, InstanceAllocationStrategy, PoolingAllocationConfig};
use wasmtime_wasi_http::handler::ProxyPre;
use wasmtime_wasi_http::{p2, p3};

use crate::error::{Error, ErrorKind};
use crate::host::{InstanceState, bindings};

/// Instances that an application may have at once, of all its components together, idle ones included.
///
/// This is Spin's number for a process, where the pool has room for 1,000 memories, stacks (fibers) and component
/// instances, and every instance takes one of each when its first request begins.
pub(crate) const INSTANCES: usize = 1_000;

/// Applications that the pool has room for. The tests run many on one engine, and few of them come near their limit.
/// So the pool is larger than one application's limit, which [`super::instances`] applies.
const APPS: u32 = 4;

/// A component, compiled and linked, by WASI 0.2 or 0.3.
pub(crate) type Linked = Arc<ProxyPre<InstanceState>>;

/// The engine, the host interfaces that it links components with, and the components that it has compiled.
pub(crate) struct Engine {
    wasmtime: wasmtime::Engine,
    linker: Linker<InstanceState>,
    compiled: Mutex<HashMap<Version, Linked>>,
}

/// Version of a file that was compiled.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Version {
    path: PathBuf,
    modified: SystemTime,
    bytes: u64,
}

impl Engine {
    /// The engine of this process, or the one whose components count their instructions. The first caller decides
    /// where compiled components are kept between runs.
    pub(crate) fn shared(
        cache_dir: &Path,
        counts_instructions: bool,
    ) -> Result<&'static Engine, Error> {
        static PLAIN: OnceLock<Result<Engine, String>> = OnceLock::new();
        static COUNTING: OnceLock<Result<Engine, String>> = OnceLock::new();
        let engine = if counts_instructions { &COUNTING } else { &PLAIN };
        let create = || Engine::new(cache_dir, counts_instructions);
        engine.get_or_init(|| create().map_err(|error| format!("{error:#}"))).as_ref().map_err(
            |error| {
                let message = format!("the WebAssembly engine does not start: {error}");
                Error::new(ErrorKind::Component, message)
            },
        )
    }

    fn new(cache_dir: &Path, counts_instructions: bool) -> wasmtime::Result<Engine> {
        let mut config = Config::new();
        config.consume_fuel(counts_instructions);
        config.wasm_component_model_async(true);
        let mut cache = CacheConfig::new();
        cache.with_directory(cache_dir);
        // Without a folder to write to, components are compiled at each start.
        config.cache(Cache::new(cache).ok());
        config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool()));
        let engine = wasmtime::Engine::new(&config).or_else(|_| {
            // A system with little address space has no room for the pool.
            config.allocation_strategy(InstanceAllocationStrategy::OnDemand);
            wasmtime::Engine::new(&config)
        })?;
        Ok(Engine { linker: link(&engine)?, wasmtime: engine, compiled: Mutex::default() })
    }

    /// The component in `path`, compiled and linked. Takes seconds the first time; blocks.
    pub(crate) fn load(&self, id: &str, path: &Path) -> Result<Linked, Error> {
        let version = Version::of(path).map_err(|error| {
            let message =
                format!("component `{id}` is not built: cannot read {}: {error}", path.display());
            let hint = "build it: `spin build`, or `cargo up`, which builds and serves";
            Error::new(ErrorKind::Component, message).with_hint(hint)
        })?;
        // Held while compiling, so that nobody else compiles the same component meanwhile.
        let mut compiled = self.compiled.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(linked) = compiled.get(&version) {
            return Ok(Arc::clone(linked));
        }
        let linked = Component::from_file(&self.wasmtime, path)
            .and_then(|component| self.linker.instantiate_pre(&component))
            .and_then(handler)
            .map_err(|error| {
                let message = format!("component `{id}` cannot run here: {error:#}");
                let hint =
                    "`local` has WASI and the interfaces in local/wit; use `spin up` for others";
                Error::new(ErrorKind::Component, message).with_hint(hint)
            })?;
        let linked = Arc::new(linked);
        compiled.insert(version, Arc::clone(&linked));
        Ok(linked)
    }
}

impl Version {
    fn of(path: &Path) -> std::io::Result<Version> {
        let metadata = path.metadata()?;
        Ok(Version {
            path: path.canonicalize()?,
            modified: metadata.modified()?,
            bytes: metadata.len(),
        })
    }
}

/// The component's handler of requests: that of WASI 0.3, or else that of WASI 0.2.
fn handler(component: InstancePre<InstanceState>) -> wasmtime::Result<ProxyPre<InstanceState>> {
    match p3::bindings::ServicePre::new(component.clone()) {
        Ok(service) => Ok(ProxyPre::P3(service)),
        Err(_) => p2::bindings::ProxyPre::new(component).map(ProxyPre::P2).map_err(|_| {
            wasmtime::format_err!(
                "it exports neither `wasi:http/handler@0.3.0` nor `wasi:http/incoming-handler@0.2.0`"
            )
        }),
    }
}

/// The interfaces that a component may import.
fn link(engine: &wasmtime::Engine) -> wasmtime::Result<Linker<InstanceState>> {
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    wasmtime_wasi::p3::add_to_linker(&mut linker)?;
    p2::add_only_http_to_linker_async(&mut linker)?;
    p3::add_to_linker(&mut linker)?;
    bindings::Host_::add_to_linker::<InstanceState, HasSelf<InstanceState>>(
        &mut linker,
        |state| state,
    )?;
    Ok(linker)
}

/// Spin's limits for each instance. The totals are larger: see [`APPS`].
fn pool() -> PoolingAllocationConfig {
    let instances = APPS * u32::try_from(INSTANCES).expect("a small number");
    let mut pool = PoolingAllocationConfig::default();
    pool.total_component_instances(instances)
        .total_memories(instances)
        .total_stacks(instances)
        .total_tables(2 * instances)
        .total_core_instances(4 * instances)
        .max_component_instance_size(10 << 20)
        .max_core_instance_size(10 << 20)
        .max_core_instances_per_component(200)
        .max_memories_per_component(32)
        .max_tables_per_component(64)
        .max_memories_per_module(2)
        .max_tables_per_module(2)
        .max_memory_size(4 << 30)
        .table_elements(100_000)
        .linear_memory_keep_resident(2 << 20)
        .table_keep_resident(1 << 19);
    pool
}
