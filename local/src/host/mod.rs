//! What a component finds when it looks out: WASI, Spin's PostgreSQL and Spin's variables.

pub(crate) mod bindings;
mod http;
mod output;
pub(crate) mod postgres;
mod state;
mod variables;

pub use output::GuestOutput;
pub(crate) use state::{Links, State};
