//! The key-value store.

use responses::host::worker;
use spin_sdk::experimental::wasi::keyvalue::store;

pub(crate) use spin_sdk::experimental::wasi::keyvalue::atomics::{Cas, CasError, increment, swap};
pub(crate) use spin_sdk::experimental::wasi::keyvalue::store::{Bucket, Error};

/// Opens a store of this name.
pub(crate) fn open(name: &str) -> Result<Bucket, Error> {
    worker::left();
    store::open(name)
}
