//! The WebAssembly engine: one for the whole process, with every component compiled once.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::SystemTime;

use wasmtime::component::{Component, HasSelf, Linker};
use wasmtime::{Cache, CacheConfig, Config, InstanceAllocationStrategy, PoolingAllocationConfig};
use wasmtime_wasi_http::p3::bindings::ServicePre;

use crate::error::Error;
use crate::host::{InstanceState, bindings};

/// Instances that an application may have at once, of all its components together, idle ones included.
///
/// It is Spin's number for a process. There the pool of memories, stacks (fibers) and component instances is the limit,
/// with room for 1,000 of each, and every instance takes one of each as soon as it has begun a request.
pub(crate) const INSTANCES: usize = 1_000;

/// Applications in this process that the pool has room for at their limits. The tests run many at once on one engine,
/// of which few come near. So the pool is larger than one application's limit, and [`super::instances`] counts for
/// each application, which then meets the limit where it would be alone in Spin's process.
const APPS: u32 = 4;

/// The engine, what it context components with, and what it has compiled.
pub(crate) struct Engine {
    wasmtime: wasmtime::Engine,
    linker: Linker<InstanceState>,
    compiled: Mutex<HashMap<Version, ServicePre<InstanceState>>>,
}

/// A file as it was when it was compiled.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Version {
    path: PathBuf,
    modified: SystemTime,
    bytes: u64,
}

impl Engine {
    /// The process's engine. The first caller decides where compiled components are kept between runs.
    pub(crate) fn shared(cache_dir: &Path) -> Result<&'static Engine, Error> {
        static ENGINE: OnceLock<Result<Engine, String>> = OnceLock::new();
        ENGINE
            .get_or_init(|| Engine::new(cache_dir).map_err(|error| format!("{error:#}")))
            .as_ref()
            .map_err(|error| Error::Engine(error.clone()))
    }

    fn new(cache_dir: &Path) -> wasmtime::Result<Engine> {
        let mut config = Config::new();
        config.wasm_component_model_async(true);
        let mut cache = CacheConfig::new();
        cache.with_directory(cache_dir);
        // Without a place to write to, components are compiled at each start.
        config.cache(Cache::new(cache).ok());
        config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool()));
        let engine = wasmtime::Engine::new(&config).or_else(|_| {
            // A system with little address space cannot hold the pool.
            config.allocation_strategy(InstanceAllocationStrategy::OnDemand);
            wasmtime::Engine::new(&config)
        })?;
        Ok(Engine { linker: link(&engine)?, wasmtime: engine, compiled: Mutex::default() })
    }

    /// The component in `path`, compiled and linked. Takes seconds the first time; blocks.
    pub(crate) fn load(&self, id: &str, path: &Path) -> Result<ServicePre<InstanceState>, Error> {
        let version = Version::of(path).map_err(|_| Error::ComponentMissing {
            component: id.to_owned(),
            path: path.to_owned(),
        })?;
        // Held while compiling: whoever else wants the same component waits instead of compiling it too.
        let mut compiled = self.compiled.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(service) = compiled.get(&version) {
            return Ok(service.clone());
        }
        let service = Component::from_file(&self.wasmtime, path)
            .and_then(|component| self.linker.instantiate_pre(&component))
            .and_then(ServicePre::new)
            .map_err(|error| Error::ComponentUnusable {
                component: id.to_owned(),
                reason: format!("{error:#}"),
            })?;
        compiled.insert(version, service.clone());
        Ok(service)
    }

    /// The engine itself, for stores.
    pub(crate) fn wasmtime(&self) -> &wasmtime::Engine {
        &self.wasmtime
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

/// Everything that a component may import.
fn link(engine: &wasmtime::Engine) -> wasmtime::Result<Linker<InstanceState>> {
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    wasmtime_wasi::p3::add_to_linker(&mut linker)?;
    wasmtime_wasi_http::p3::add_to_linker(&mut linker)?;
    bindings::Host_::add_to_linker::<InstanceState, HasSelf<InstanceState>>(
        &mut linker,
        |state| state,
    )?;
    Ok(linker)
}

/// What Spin's pool has, for each application. Only the totals differ: there, they are the limit.
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
