//! `spin:key-value@3.0.0` and `wasi:keyvalue@0.2.0-draft2`: two ways to one store.

mod memory;

use std::sync::Arc;

use wasmtime::component::{Accessor, FutureReader, HasSelf, Resource, StreamReader};

pub(crate) use memory::KeyValueStore;

use self::memory::Changed;
use super::bindings::{atomics, key_value, store};
use super::context::{ComponentContext, InstanceState};
use crate::config::DEFAULT_STORE;

/// A store as the component holds it.
#[expect(unreachable_pub, reason = "the generated bindings export it")]
pub struct OpenStore(Arc<KeyValueStore>);

/// A value that is to be replaced only if nobody else has.
#[expect(unreachable_pub, reason = "the generated bindings export it")]
pub struct CompareAndSwap {
    store: Arc<KeyValueStore>,
    key: String,
    /// What `current` last found; `None` before that, and when it found nothing.
    read: Option<Vec<u8>>,
}

impl ComponentContext {
    /// The store with this label, if the component's `key_value_stores` list it. No other label gets past the
    /// reading of the manifest.
    fn store(&self, label: &str) -> Option<OpenStore> {
        let granted = self.key_value.as_ref().filter(|_| label == DEFAULT_STORE);
        granted.map(|store| OpenStore(Arc::clone(store)))
    }
}

impl InstanceState {
    fn store(&self, store: &Resource<OpenStore>) -> wasmtime::Result<&Arc<KeyValueStore>> {
        Ok(&self.table.get(store)?.0)
    }
}

/// The store behind an asynchronous call's handle.
fn store_of<T: Send>(
    accessor: &Accessor<T, HasSelf<InstanceState>>,
    store: &Resource<OpenStore>,
) -> wasmtime::Result<Arc<KeyValueStore>> {
    accessor.with(|mut access| access.get().store(store).cloned())
}

impl key_value::Host for InstanceState {}

impl key_value::HostStore for InstanceState {
    async fn drop(&mut self, store: Resource<OpenStore>) -> wasmtime::Result<()> {
        self.table.delete(store)?;
        Ok(())
    }
}

impl<T: Send> key_value::HostStoreWithStore<T> for HasSelf<InstanceState> {
    async fn open(
        accessor: &Accessor<T, Self>,
        label: String,
    ) -> wasmtime::Result<Result<Resource<OpenStore>, key_value::Error>> {
        accessor.with(|mut access| {
            let state = access.get();
            match state.context.store(&label) {
                Some(store) => Ok(Ok(state.table.push(store)?)),
                None => Ok(Err(key_value::Error::AccessDenied)),
            }
        })
    }

    async fn get(
        accessor: &Accessor<T, Self>,
        store: Resource<OpenStore>,
        key: String,
    ) -> wasmtime::Result<Result<Option<Vec<u8>>, key_value::Error>> {
        Ok(Ok(store_of(accessor, &store)?.get(&key)))
    }

    async fn set(
        accessor: &Accessor<T, Self>,
        store: Resource<OpenStore>,
        key: String,
        value: Vec<u8>,
    ) -> wasmtime::Result<Result<(), key_value::Error>> {
        store_of(accessor, &store)?.set(key, value);
        Ok(Ok(()))
    }

    async fn delete(
        accessor: &Accessor<T, Self>,
        store: Resource<OpenStore>,
        key: String,
    ) -> wasmtime::Result<Result<(), key_value::Error>> {
        store_of(accessor, &store)?.delete(&key);
        Ok(Ok(()))
    }

    async fn exists(
        accessor: &Accessor<T, Self>,
        store: Resource<OpenStore>,
        key: String,
    ) -> wasmtime::Result<Result<bool, key_value::Error>> {
        Ok(Ok(store_of(accessor, &store)?.exists(&key)))
    }

    async fn get_keys(
        accessor: &Accessor<T, Self>,
        store: Resource<OpenStore>,
    ) -> wasmtime::Result<(StreamReader<String>, FutureReader<Result<(), key_value::Error>>)> {
        let keys = store_of(accessor, &store)?.keys();
        accessor.with(|mut access| {
            let keys = StreamReader::new(&mut access, keys)?;
            let verdict = FutureReader::new(&mut access, async { wasmtime::error::Ok(Ok(())) })?;
            Ok((keys, verdict))
        })
    }
}

impl store::Host for InstanceState {
    async fn open(
        &mut self,
        label: String,
    ) -> wasmtime::Result<Result<Resource<OpenStore>, store::Error>> {
        match self.context.store(&label) {
            Some(store) => Ok(Ok(self.table.push(store)?)),
            None => Ok(Err(store::Error::AccessDenied)),
        }
    }
}

impl store::HostBucket for InstanceState {
    async fn get(
        &mut self,
        bucket: Resource<OpenStore>,
        key: String,
    ) -> wasmtime::Result<Result<Option<Vec<u8>>, store::Error>> {
        Ok(Ok(self.store(&bucket)?.get(&key)))
    }

    async fn set(
        &mut self,
        bucket: Resource<OpenStore>,
        key: String,
        value: Vec<u8>,
    ) -> wasmtime::Result<Result<(), store::Error>> {
        self.store(&bucket)?.set(key, value);
        Ok(Ok(()))
    }

    async fn delete(
        &mut self,
        bucket: Resource<OpenStore>,
        key: String,
    ) -> wasmtime::Result<Result<(), store::Error>> {
        self.store(&bucket)?.delete(&key);
        Ok(Ok(()))
    }

    async fn exists(
        &mut self,
        bucket: Resource<OpenStore>,
        key: String,
    ) -> wasmtime::Result<Result<bool, store::Error>> {
        Ok(Ok(self.store(&bucket)?.exists(&key)))
    }

    async fn list_keys(
        &mut self,
        bucket: Resource<OpenStore>,
        cursor: Option<String>,
    ) -> wasmtime::Result<Result<store::KeyResponse, store::Error>> {
        if cursor.is_some() {
            return Ok(Err(store::Error::Other("list_keys: cursor not supported".to_owned())));
        }
        Ok(Ok(store::KeyResponse { keys: self.store(&bucket)?.keys(), cursor: None }))
    }

    async fn drop(&mut self, bucket: Resource<OpenStore>) -> wasmtime::Result<()> {
        self.table.delete(bucket)?;
        Ok(())
    }
}

impl atomics::Host for InstanceState {
    /// What is no counter ends the instance, as on Spin.
    async fn increment(
        &mut self,
        bucket: Resource<OpenStore>,
        key: String,
        delta: i64,
    ) -> wasmtime::Result<Result<i64, store::Error>> {
        Ok(Ok(self.store(&bucket)?.increment(key, delta)?))
    }

    async fn swap(
        &mut self,
        cas: Resource<CompareAndSwap>,
        value: Vec<u8>,
    ) -> wasmtime::Result<Result<(), atomics::CasError>> {
        let CompareAndSwap { store, key, read } = self.table.delete(cas)?;
        if let Err(Changed) = store.swap(&key, read.as_deref(), value) {
            let read = store.get(&key);
            let again = self.table.push(CompareAndSwap { store, key, read })?;
            return Ok(Err(atomics::CasError::CasFailed(again)));
        }
        Ok(Ok(()))
    }
}

impl atomics::HostCas for InstanceState {
    async fn new(
        &mut self,
        bucket: Resource<OpenStore>,
        key: String,
    ) -> wasmtime::Result<Result<Resource<CompareAndSwap>, store::Error>> {
        let store = Arc::clone(self.store(&bucket)?);
        Ok(Ok(self.table.push(CompareAndSwap { store, key, read: None })?))
    }

    async fn current(
        &mut self,
        cas: Resource<CompareAndSwap>,
    ) -> wasmtime::Result<Result<Option<Vec<u8>>, store::Error>> {
        let cas = self.table.get_mut(&cas)?;
        cas.read = cas.store.get(&cas.key);
        Ok(Ok(cas.read.clone()))
    }

    async fn drop(&mut self, cas: Resource<CompareAndSwap>) -> wasmtime::Result<()> {
        self.table.delete(cas)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
