//! Host interfaces provided to components: WASI, and Spin's PostgreSQL, key-value store and variables.

pub(crate) mod bindings;
mod context;
mod key_value;
mod outgoing_http;
mod output;
mod postgres;
mod variables;

pub(crate) use context::{ComponentContext, InstanceState};
pub(crate) use key_value::store::KeyValueStore;
pub use output::GuestOutput;
pub(crate) use postgres::pools::Pools;
