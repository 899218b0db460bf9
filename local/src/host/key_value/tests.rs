use std::sync::Arc;

use wasmtime::component::{HasSelf, Resource};
use wasmtime::{Config, Engine, Store};

use super::store::{KeyValueStore, MAX_HANDLES};
use crate::host::bindings::atomics::{CasError, Host as _, HostCas as _};
use crate::host::bindings::key_value::{self, HostStoreWithStore};
use crate::host::bindings::store::{self, Host as _, HostBucket};
use crate::host::context::{ComponentContext, InstanceState};

/// The state of an instance whose component has this store, or none.
fn state(store: Option<&Arc<KeyValueStore>>) -> InstanceState {
    InstanceState::new(Arc::new(ComponentContext::for_test(store.cloned())))
}

fn again<T: 'static>(resource: &Resource<T>) -> Resource<T> {
    Resource::new_borrow(resource.rep())
}

#[tokio::test]
async fn a_store_that_the_manifest_does_not_grant_is_denied() {
    let store = Arc::new(KeyValueStore::default());
    for (label, granted) in [("default", None), ("sessions", Some(&store))] {
        let opened = state(granted).open(label.into()).await.expect("no trap");
        assert!(matches!(opened, Err(store::Error::AccessDenied)), "{label}");
    }
}

#[tokio::test]
async fn both_interfaces_of_two_instances_lead_to_the_same_values() {
    let store = Arc::new(KeyValueStore::default());
    let mut first = state(Some(&store));
    let bucket = first.open("default".into()).await.expect("no trap").expect("a bucket");
    let set = first.set(again(&bucket), "key".into(), b"value".into()).await;
    set.expect("no trap").expect("to set");

    let mut config = Config::new();
    config.wasm_component_model_async(true);
    let engine = Engine::new(&config).expect("an engine");
    let mut second = Store::new(&engine, state(Some(&store)));
    let values = second.run_concurrent(async |accessor| {
        type Data = HasSelf<InstanceState>;
        let sessions = Data::open(accessor, "sessions".into()).await?;
        assert!(matches!(sessions, Err(key_value::Error::AccessDenied)));
        let store = Data::open(accessor, "default".into()).await?.expect("a store");
        let value = Data::get(accessor, again(&store), "key".into()).await?.expect("to get");
        let exists = Data::exists(accessor, again(&store), "key".into()).await?.expect("to ask");
        Data::delete(accessor, again(&store), "key".into()).await?.expect("to delete");
        let after = Data::get(accessor, again(&store), "key".into()).await?.expect("to get");
        wasmtime::error::Ok((value, exists, after))
    });
    let values = values.await.expect("no trap").expect("no trap");
    assert_eq!(values, (Some(b"value".into()), true, None));
    assert!(!first.exists(bucket, "key".into()).await.expect("no trap").expect("to ask"));
}

#[tokio::test]
async fn a_swap_that_came_too_late_gives_a_handle_to_try_again() {
    let mut state = state(Some(&Arc::new(KeyValueStore::default())));
    let bucket = state.open("default".into()).await.expect("no trap").expect("a bucket");
    let key = || "key".to_owned();
    state.set(again(&bucket), key(), b"old".into()).await.expect("no trap").expect("to set");

    let late = state.new(again(&bucket), key()).await.expect("no trap").expect("a handle");
    let current = state.current(again(&late)).await.expect("no trap").expect("to read");
    assert_eq!(current, Some(b"old".into()));
    state.set(again(&bucket), key(), b"new".into()).await.expect("no trap").expect("to set");

    let refused = state.swap(late, b"late".into()).await.expect("no trap");
    let Err(CasError::CasFailed(again_with)) = refused else { panic!("{refused:?}") };
    // It counts as read already.
    state.swap(again_with, b"newest".into()).await.expect("no trap").expect("to swap");
    let now = state.get(bucket, key()).await.expect("no trap").expect("to get");
    assert_eq!(now, Some(b"newest".into()));
}

#[tokio::test]
async fn a_counter_is_shared_and_anything_else_traps() {
    let mut state = state(Some(&Arc::new(KeyValueStore::default())));
    let bucket = state.open("default".into()).await.expect("no trap").expect("a bucket");
    for expected in [2, 4] {
        let count = state.increment(again(&bucket), "hits".into(), 2).await.expect("no trap");
        assert_eq!(count.expect("to count"), expected);
    }
    state.set(again(&bucket), "text".into(), b"x".into()).await.expect("no trap").expect("to set");
    assert!(state.increment(bucket, "text".into(), 1).await.is_err());
}

#[tokio::test]
async fn an_instance_has_as_many_handles_as_on_spin() {
    let mut state = state(Some(&Arc::new(KeyValueStore::default())));
    let mut buckets = Vec::new();
    for _ in 0..MAX_HANDLES {
        buckets.push(state.open("default".into()).await.expect("no trap").expect("a bucket"));
    }
    let refused = state.open("default".into()).await.expect("no trap");
    assert!(matches!(refused, Err(store::Error::Other(text)) if text == "store table full"));
    HostBucket::drop(&mut state, buckets.pop().expect("a bucket")).await.expect("no trap");
    let bucket = state.open("default".into()).await.expect("no trap").expect("a bucket");

    // On Spin, a handle is not free again after its swap.
    for _ in 0..MAX_HANDLES {
        let swap = state.new(again(&bucket), "key".into()).await.expect("no trap").expect("one");
        state.swap(swap, b"value".into()).await.expect("no trap").expect("to swap");
    }
    let refused = state.new(again(&bucket), "key".into()).await.expect("no trap");
    let expected = "too many compare_and_swaps opened";
    assert!(matches!(refused, Err(store::Error::Other(text)) if text == expected));
}

#[tokio::test]
async fn a_swap_that_came_too_late_needs_its_bucket() {
    let mut state = state(Some(&Arc::new(KeyValueStore::default())));
    let bucket = state.open("default".into()).await.expect("no trap").expect("a bucket");
    state.set(again(&bucket), "key".into(), b"old".into()).await.expect("no trap").expect("to set");
    let late = state.new(again(&bucket), "key".into()).await.expect("no trap").expect("a handle");
    state.current(again(&late)).await.expect("no trap").expect("to read");
    state.set(again(&bucket), "key".into(), b"new".into()).await.expect("no trap").expect("to set");
    HostBucket::drop(&mut state, bucket).await.expect("no trap");
    let refused = state.swap(late, b"late".into()).await.expect("no trap");
    assert!(matches!(refused, Err(CasError::StoreError(store::Error::NoSuchStore))));
}
