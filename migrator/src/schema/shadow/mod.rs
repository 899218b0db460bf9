//! Shadow databases: temporary databases in which the migrations run, to read what they create. One
//! is created beside the live database, or on another server, and always dropped.

mod build;
mod cleanup;
mod copy;
mod database;
mod inspect;
mod main_schema;
mod roles;
mod same_server;
mod server;
mod settings;
mod signals;
mod undo_check;

pub(crate) use build::{Through, build, server_version};
pub(crate) use copy::run_in_copy;
pub use server::ShadowServer;
pub(crate) use settings::DatabaseSettings;
pub(crate) use undo_check::check_undo;
pub use undo_check::{CatalogDiff, UndoFlaw, UndoFlawKind};
