//! What a component finds when it looks out: WASI, and Spin's PostgreSQL, key-value store and variables.

pub(crate) mod bindings;
mod http;
pub(crate) mod key_value;
mod output;
pub(crate) mod postgres;
mod state;
mod variables;

pub use output::GuestOutput;
pub(crate) use state::{Links, State};
