//! The harness of the black-box suites: starts the API on a runtime, creates a database for each test,
//! and sends requests and checks responses.
//!
//! Environment variables choose the runtime, so that the same tests check every one:
//!
//! | Variable | Meaning |
//! |---|---|
//! | `TASKIE_RUNTIME=local` (default) | the `local` host, in this process, on a free port |
//! | `TASKIE_RUNTIME=spin`, as `cargo test-spin` sets it | `spin up` (the binary from `SPIN`, else from `PATH`) on a free port |
//! | `TASKIE_COMPONENT=wasip3` (default) or `wasip2` | the build of the components that are started: `spin.toml` or `spin-wasip2.toml` |
//! | `TASKIE_URL`, `TASKIE_DATABASE_URL`, `TASKIE_JWT_SECRET` | a running service, and its database |
//! | `TEST_DATABASE_URL` | a PostgreSQL server on which the tests may create and drop databases; otherwise a throwaway server is started |
//! | `TASKIE_ADOPTED=1` | migrated databases are adopted ones of the API's predecessor |
//! | `TASKIE_POOLED=1` | the services that are started connect through PgBouncer in transaction mode, over TLS, with `database_ca` |
//! | `TASKIE_PG_BIN` | a folder with `initdb` and `postgres` for the throwaway server |
//!
//! With `TASKIE_URL`, tests that need their own configuration, schema or restart ([`App::start_with`])
//! still start the runtime that `TASKIE_RUNTIME` names.
//!
//! A service that the harness starts connects as a separate role, to which the built migrator has
//! granted what the API needs; the tests themselves connect as the database's owner.
//!
//! The harness uses no internals of another crate: only HTTP, SQL, the built programs, and the public
//! interface of `local`. Start reading at [`App`], then [`Response`] and [`TestDatabase`].

mod app;
mod background_runtime;
pub mod bench;
mod browser;
mod build;
mod cli_output;
mod component;
mod connect;
mod database;
mod fault_proxy;
mod frontend;
mod http2_frames;
mod keep_alive;
mod key_server;
mod keys;
mod neon_proxy;
mod pooler;
mod prefix_proxy;
mod raw_http;
mod request;
mod response;
mod role;
mod runtime;
mod settings;
pub mod soak;
mod tls;
mod token;
mod user;
mod wait;
mod wire;

pub use app::{App, Options, http_client};
pub use browser::Browser;
pub use build::{local, migrator, workspace};
pub use cli_output::CliOutput;
pub use component::{Component, Difference, default_variables};
pub use database::{TestDatabase, TestServer};
pub use fault_proxy::{Direction, FaultProxy};
pub use frontend::Frontend;
pub use http2_frames::{Flags, Frame, FrameKind, Http2, field_block};
pub use keep_alive::{Exchange, KeepAlive};
pub use key_server::{Answer, KeyServer};
pub use keys::{SigningKey, key_set};
pub use local::{HTTP1_BUFFER_BYTES, InstanceReuse, raise_open_files};
pub use neon_proxy::{NeonMessage, NeonProxy};
pub use pooler::{Pooler, PoolerSettings};
pub use prefix_proxy::PrefixProxy;
pub use raw_http::{RawResponse, chunked, raw_request};
pub use request::Request;
pub use response::{Problem, Response};
pub use role::Role;
pub use tls::{AUTHORITY, DIRECT_HOST, OTHER_AUTHORITY, POOLED_HOST, authority_file, with_tls};
pub use token::Token;
pub use user::User;
pub use wait::{until, until_within};
pub use wire::Sent;
