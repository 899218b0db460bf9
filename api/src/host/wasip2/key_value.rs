//! The key-value store. The SDK has bindings for this interface, and no module: its own interface has no
//! way to change a value that others change too.

pub(crate) use spin_sdk_wasip2::wit::wasi::keyvalue::atomics::{Cas, CasError, increment, swap};
pub(crate) use spin_sdk_wasip2::wit::wasi::keyvalue::store::{Bucket, Error, open};
