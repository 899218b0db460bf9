//! How many WebAssembly instructions the components run: a cost that does not depend on the machine.

use std::sync::atomic::{AtomicU64, Ordering};

use wasmtime::Store;

/// What an instance may run: it never ends for that.
const ALL: u64 = u64::MAX;

/// The instructions of the instances that have ended. wasmtime calls them "fuel": nearly every instruction is one
/// unit. What the host does for an instance is not in them.
#[derive(Debug, Default)]
pub struct Instructions {
    instances: AtomicU64,
    executed: AtomicU64,
}

impl Instructions {
    /// Instances that have ended.
    pub fn instances(&self) -> u64 {
        self.instances.load(Ordering::Acquire)
    }

    /// Instructions that they ran from their beginning to their end.
    pub fn executed(&self) -> u64 {
        self.executed.load(Ordering::Acquire)
    }

    /// Begins to count those of a new instance.
    pub(crate) fn count<T>(store: &mut Store<T>) -> wasmtime::Result<()> {
        store.set_fuel(ALL)
    }

    /// Adds those of an instance that has ended.
    pub(crate) fn add<T>(&self, store: &Store<T>) {
        let left = store.get_fuel().unwrap_or(ALL);
        self.executed.fetch_add(ALL - left, Ordering::AcqRel);
        self.instances.fetch_add(1, Ordering::AcqRel);
    }
}
