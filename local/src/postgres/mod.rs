//! A PostgreSQL server for this machine: found or downloaded, started on a free loopback port, and
//! never left behind.
//!
//! `cargo up` keeps its cluster between runs ([`DataDir::Kept`]), the tests throw theirs away
//! ([`DataDir::Throwaway`]). Start reading at [`Server::start`].
//!
//! What holds for both:
//! - The server listens on 127.0.0.1 only, without a Unix socket, and asks for a generated password.
//! - PostgreSQL refuses to run as root, so there the server runs as `postgres` or `nobody`.
//! - However this process ends, by `stop`, a panic, Ctrl-C or SIGKILL, a watchdog process notices and
//!   stops the server; a throwaway cluster's folder goes with it.

mod account;
mod binaries;
mod cluster;
mod error;
mod server;
mod watchdog;

pub use error::Error;
pub use server::{DataDir, Options, Server};
