//! `spin:key-value@3.0.0` and `wasi:keyvalue@0.2.0-draft2`: two interfaces to one store.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use wasmtime::component::{Accessor, FutureReader, HasSelf, Resource, StreamReader};

use super::store::{Changed, CompareAndSwap, KeyValueStore, OpenStore};
use crate::config::DEFAULT_STORE;
use crate::host::bindings::{atomics, key_value, store};
use crate::host::context::InstanceState;

impl InstanceState {
    /// Opens the default store, if the component may. The manifest cannot name another one.
    fn open_store(
        &mut self,
        label: &str,
    ) -> wasmtime::Result<Result<Resource<OpenStore>, key_value::Error>> {
        let Some(store) = self.context.key_value.clone().filter(|_| label == DEFAULT_STORE) else {
            return Ok(Err(key_value::Error::AccessDenied));
        };
        let Some(slot) = take_slot(&self.store_slots) else {
            return Ok(Err(key_value::Error::StoreTableFull));
        };
        Ok(Ok(self.table.push(OpenStore { store, _slot: slot })?))
    }

    fn store(&self, store: &Resource<OpenStore>) -> wasmtime::Result<&Arc<KeyValueStore>> {
        Ok(&self.table.get(store)?.store)
    }

    fn new_swap(
        &mut self,
        bucket: u32,
        key: String,
        read: Option<Vec<u8>>,
    ) -> wasmtime::Result<Result<Resource<CompareAndSwap>, store::Error>> {
        let Some(slot) = take_slot(&self.swap_slots) else {
            let message = "too many compare_and_swaps opened".to_owned();
            return Ok(Err(store::Error::Other(message)));
        };
        let store = Arc::clone(self.store(&Resource::new_borrow(bucket))?);
        Ok(Ok(self.table.push(CompareAndSwap { bucket, store, key, read, slot })?))
    }
}

fn take_slot(slots: &Arc<Semaphore>) -> Option<OwnedSemaphorePermit> {
    Arc::clone(slots).try_acquire_owned().ok()
}

/// The store of an asynchronous call.
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
        accessor.with(|mut access| access.get().open_store(&label))
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
            let outcome = FutureReader::new(&mut access, async { wasmtime::error::Ok(Ok(())) })?;
            Ok((keys, outcome))
        })
    }
}

impl store::Host for InstanceState {
    async fn open(
        &mut self,
        label: String,
    ) -> wasmtime::Result<Result<Resource<OpenStore>, store::Error>> {
        Ok(self.open_store(&label)?.map_err(|error| match error {
            key_value::Error::StoreTableFull => store::Error::Other("store table full".to_owned()),
            _ => store::Error::AccessDenied,
        }))
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
    /// A value that is not a counter ends the instance, as on Spin.
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
        let CompareAndSwap { bucket, store, key, read, slot } = self.table.delete(cas)?;
        // Spin 4.1 does not free the handle, either.
        slot.forget();
        let Err(Changed) = store.swap(&key, read.as_deref(), value) else {
            return Ok(Ok(()));
        };
        if self.store(&Resource::new_borrow(bucket)).is_err() {
            return Ok(Err(atomics::CasError::StoreError(store::Error::NoSuchStore)));
        }
        let read = store.get(&key);
        Ok(Err(match self.new_swap(bucket, key, read)? {
            Ok(again) => atomics::CasError::CasFailed(again),
            Err(error) => atomics::CasError::StoreError(error),
        }))
    }
}

impl atomics::HostCas for InstanceState {
    async fn new(
        &mut self,
        bucket: Resource<OpenStore>,
        key: String,
    ) -> wasmtime::Result<Result<Resource<CompareAndSwap>, store::Error>> {
        self.new_swap(bucket.rep(), key, None)
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
