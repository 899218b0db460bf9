//! The application's configuration: `spin.toml`, Spin's runtime configuration file and the values of variables.

mod allowed_hosts;
mod host_pattern;
mod manifest;
#[cfg(test)]
mod properties;
mod routes;
mod runtime_config;
mod source;
mod template;
mod variables;

pub(crate) use allowed_hosts::AllowedHosts;
pub use manifest::public_routes;
pub(crate) use manifest::{Build, DEFAULT_STORE, Manifest};
pub use routes::Route;
pub(crate) use routes::{Match, Router, WELL_KNOWN_PREFIX};
pub(crate) use runtime_config::RuntimeConfig;
pub use variables::environment_name;
pub(crate) use variables::{ComponentVariables, VariableError, Variables};
