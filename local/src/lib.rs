//! Runs the task API on this machine: a small host for what this project's `spin.toml` uses.
//!
//! [`App`] serves the built components with `wasi:http`, `spin:postgres`, `spin:key-value` and `spin:variables`, and
//! behaves as Spin does wherever a component could notice; never kinder. What `spin.toml` asks for beyond that is
//! refused by name. The library is what the tests start; the binary `local` adds what `cargo up` needs around it:
//! building, a PostgreSQL server and the schema. It never links the component's code: it loads the built file.
//!
//! To read: [`manifest`] and [`App::start`] say what is run, `server` and `instances` how, `host` what a component
//! can reach.

pub mod allowed_hosts;
mod app;
mod component;
mod engine;
mod error;
mod host;
mod instances;
mod key_value;
pub mod manifest;
pub mod postgres;
mod request;
mod reuse;
pub mod routes;
pub mod runtime_config;
mod server;
pub mod token;
pub mod variables;

pub use app::{App, AppOptions};
pub use component::build_component;
pub use error::Error;
pub use host::GuestOutput;
pub use reuse::{InstanceReuse, REQUEST_TIMEOUT};
