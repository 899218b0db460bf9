//! The task API: a WebAssembly component that answers HTTP and keeps its tasks in PostgreSQL.
//!
//! Start reading at `http/router.rs`, where all routes stand on one screen; `tasks/` has a file for each
//! of them, with its SQL. `host/` has the entry point that Spin calls, and all that the component needs of
//! Spin.
//!
//! A request runs one SQL statement; only where PostgreSQL refused to create or update an account, which
//! changed nothing, another one follows (`tasks/account.rs`). The component never begins a transaction,
//! never builds SQL of anything but constants, never responds without `Content-Length`, and no client can
//! cause a panic (it would end every request that the instance is serving).

mod auth;
mod config;
mod db;
mod error;
mod health;
mod host;
mod http;
mod log;
#[cfg(test)]
mod openapi;
mod single_flight;
mod tasks;

#[cfg(feature = "bench")]
pub use tasks::bench;
