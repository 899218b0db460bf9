//! A PostgreSQL server for this machine: found or downloaded, started on a free loopback port, and
//! always stopped.
//!
//! `cargo up` keeps its cluster between runs ([`DataDir::Kept`]); the tests and the migrator's shadow
//! databases do not ([`DataDir::Throwaway`]). Start reading at [`Server::start`].
//!
//! - The server listens on 127.0.0.1 only, without a Unix socket, and requires a generated password.
//! - PostgreSQL refuses to run as root, so there the server runs as `postgres` or `nobody`.
//! - However this process ends (`stop`, a panic, Ctrl-C, SIGKILL), a watchdog process stops the
//!   server and removes the folder of a throwaway cluster. Other programs can have one, too ([`Watchdog`]).

mod account;
mod binaries;
mod cluster;
mod error;
mod server;
mod watchdog;

pub use cluster::DataDir;
pub use error::{Error, ErrorKind};
pub use server::{Options, Server, Source};
pub use watchdog::Watchdog;
