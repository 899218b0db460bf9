//! Rust traits generated from the interface definitions under `wit/`.

#![allow(missing_docs, reason = "generated; the definitions carry the documentation")]
#![allow(unreachable_pub, clippy::pedantic, reason = "generated")]

wasmtime::component::bindgen!({
    path: "wit",
    world: "taskie:local/host",
    imports: { default: async | trappable },
    with: {
        "spin:key-value/key-value.store": crate::host::key_value::store::OpenStore,
        "spin:postgres/postgres.connection": crate::host::postgres::pools::Connection,
        "spin:postgres/postgres.connection-builder": crate::host::postgres::pools::ConnectionBuilder,
        "wasi:keyvalue/atomics.cas": crate::host::key_value::store::CompareAndSwap,
        "wasi:keyvalue/store.bucket": crate::host::key_value::store::OpenStore,
    },
});

pub use self::fermyon::spin::variables as variables_v2;
pub use self::spin::{key_value::key_value, postgres::postgres, variables::variables};
pub use self::wasi::keyvalue::{atomics, store};
