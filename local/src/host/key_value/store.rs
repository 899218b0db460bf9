//! The application's key-value store, in memory, shared by all instances of all components.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::OwnedSemaphorePermit;

/// The number of stores that an instance can have open, and of compare-and-swap handles; those of Spin.
pub(crate) const MAX_HANDLES: usize = 256;

/// Keys and values. They are lost when the application ends; Spin keeps them in a file.
#[derive(Default)]
pub(crate) struct KeyValueStore(Mutex<BTreeMap<String, Vec<u8>>>);

/// A store that a component has opened.
#[expect(unreachable_pub, reason = "the generated bindings export it")]
pub struct OpenStore {
    pub(super) store: Arc<KeyValueStore>,
    pub(super) _slot: OwnedSemaphorePermit,
}

/// A value to replace if nobody else has replaced it.
#[expect(unreachable_pub, reason = "the generated bindings export it")]
pub struct CompareAndSwap {
    /// The handle of the store.
    pub(super) bucket: u32,
    pub(super) store: Arc<KeyValueStore>,
    pub(super) key: String,
    /// The value that `current` last read; `None` before that, and if there was none.
    pub(super) read: Option<Vec<u8>>,
    pub(super) slot: OwnedSemaphorePermit,
}

/// The value was changed, or removed, since it was read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Changed;

/// The value is not eight bytes long.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the value of key {0:?} is not a counter: incorrect length")]
pub(crate) struct NotACounter(String);

impl KeyValueStore {
    pub(crate) fn get(&self, key: &str) -> Option<Vec<u8>> {
        self.values().get(key).cloned()
    }

    pub(crate) fn set(&self, key: String, value: Vec<u8>) {
        self.values().insert(key, value);
    }

    pub(crate) fn delete(&self, key: &str) {
        self.values().remove(key);
    }

    pub(crate) fn exists(&self, key: &str) -> bool {
        self.values().contains_key(key)
    }

    /// In the order of their bytes, as on Spin.
    pub(crate) fn keys(&self) -> Vec<String> {
        self.values().keys().cloned().collect()
    }

    /// Adds `delta` to the little-endian number of `key`; one that is missing counts as zero.
    pub(crate) fn increment(&self, key: String, delta: i64) -> Result<i64, NotACounter> {
        let mut values = self.values();
        let count = match values.get(&key) {
            Some(value) => match value.as_slice().try_into() {
                Ok(bytes) => i64::from_le_bytes(bytes),
                Err(_) => return Err(NotACounter(key)),
            },
            None => 0,
        };
        let count = count.wrapping_add(delta);
        values.insert(key, count.to_le_bytes().into());
        Ok(count)
    }

    /// Replaces the value of `key` if it is still the one that was `read`. If none was read, it replaces any value,
    /// as Spin 4.1 does: two callers that create the same key at the same time both succeed.
    pub(crate) fn swap(
        &self,
        key: &str,
        read: Option<&[u8]>,
        value: Vec<u8>,
    ) -> Result<(), Changed> {
        let mut values = self.values();
        match read {
            Some(read) if values.get(key).is_none_or(|now| now != read) => Err(Changed),
            _ => {
                values.insert(key.to_owned(), value);
                Ok(())
            }
        }
    }

    fn values(&self) -> MutexGuard<'_, BTreeMap<String, Vec<u8>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_stays_until_it_is_deleted() {
        let store = KeyValueStore::default();
        assert_eq!(store.get("a"), None);
        store.set("b".into(), b"2".into());
        store.set("a".into(), b"1".into());
        store.set("a".into(), b"one".into());
        assert_eq!(store.get("a").as_deref(), Some(&b"one"[..]));
        assert_eq!(store.keys(), ["a", "b"]);
        store.delete("a");
        store.delete("a");
        assert!(!store.exists("a"));
        assert!(store.exists("b"));
    }

    #[test]
    fn a_counter_begins_at_zero_and_is_eight_bytes() {
        let store = KeyValueStore::default();
        assert_eq!(store.increment("hits".into(), 3), Ok(3));
        assert_eq!(store.increment("hits".into(), -5), Ok(-2));
        assert_eq!(store.get("hits"), Some((-2_i64).to_le_bytes().into()));
        store.set("text".into(), b"ten".into());
        assert_eq!(store.increment("text".into(), 1), Err(NotACounter("text".into())));
    }

    #[test]
    fn a_value_is_swapped_only_while_it_is_the_one_that_was_read() {
        let store = KeyValueStore::default();
        store.set("key".into(), b"old".into());
        assert_eq!(store.swap("key", Some(b"old"), b"new".into()), Ok(()));
        assert_eq!(store.swap("key", Some(b"old"), b"late".into()), Err(Changed));
        assert_eq!(store.get("key").as_deref(), Some(&b"new"[..]));
        store.delete("key");
        assert_eq!(store.swap("key", Some(b"new"), b"late".into()), Err(Changed));
        assert_eq!(store.get("key"), None);
    }

    #[test]
    fn a_missing_key_is_created_by_every_caller() {
        let store = KeyValueStore::default();
        assert_eq!(store.swap("key", None, b"first".into()), Ok(()));
        assert_eq!(store.swap("key", None, b"second".into()), Ok(()));
        assert_eq!(store.get("key").as_deref(), Some(&b"second"[..]));
    }
}
