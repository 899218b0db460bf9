//! Runs the task API on this machine: a small host for what this project's `spin.toml` uses.
//!
//! [`App`] serves the built components with `wasi:http`, `spin:postgres`, `spin:key-value` and `spin:variables`. It is
//! at least as strict as Spin wherever a component could notice, and refuses by name what `spin.toml` asks for beyond
//! that. The tests start the library; the program `local` (`cargo up`) adds the build, a PostgreSQL server and the
//! schema. Neither links the component's code: they load the built file.
//!
//! Start reading at [`App::start`]. `config` reads `spin.toml` and variables, `server` serves HTTP, `host` has the
//! interfaces for components.

mod app;
mod build;
mod config;
mod error;
mod host;
mod open_files;
mod server;
mod spin_version;

pub use app::{App, AppOptions};
pub use build::build_component;
pub use config::{Route, environment_name, public_routes};
pub use error::{Error, ErrorKind, Place};
pub use host::GuestOutput;
pub use open_files::raise_open_files;
pub use postgres_server as postgres;
pub use server::{HTTP1_BUFFER_BYTES, InstanceReuse, Instructions, REQUEST_TIMEOUT};
pub use spin_version::{Build, SpinVersion};
