//! Runs the task API on this machine: a small host for what this project's `spin.toml` uses.
//!
//! [`App`] serves the built components with `wasi:http`, `spin:postgres`, `spin:key-value` and `spin:variables`, and
//! behaves as Spin does wherever a component could notice; never kinder. What `spin.toml` asks for beyond that is
//! refused by name. The library is what the tests start; the binary `local` adds what `cargo up` needs around it:
//! building, a PostgreSQL server and the schema. It never context the component's code: it loads the built file.
//!
//! Start reading at [`App::start`]; `config` is what is run, `server` how, `host` what a component can reach.

mod app;
mod build;
mod config;
mod error;
mod host;
pub mod postgres;
mod server;

pub use app::{App, AppOptions};
pub use build::build_component;
pub use config::{Route, environment_name};
pub use error::Error;
pub use host::GuestOutput;
pub use server::{InstanceReuse, REQUEST_TIMEOUT};
