//! Rust traits generated from the interface definitions under `wit/`.

#![allow(missing_docs, reason = "generated; the definitions carry the documentation")]
#![allow(unreachable_pub, clippy::pedantic, reason = "generated")]

wasmtime::component::bindgen!({
    path: "wit",
    world: "taskie:local/host",
    imports: { default: async | trappable },
    with: {
        "spin:postgres/postgres.connection": crate::host::postgres::Connection,
        "spin:postgres/postgres.connection-builder": crate::host::postgres::ConnectionBuilder,
    },
});

pub use self::spin::{postgres::postgres, variables::variables};
