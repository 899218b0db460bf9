//! A shadow database: a database of its own, in which the migrations are run to see what they make.
//! It is made beside the live one, or on another server, and it is always removed.

mod build;
mod cleanup;
mod database;
mod settings;
mod signals;
mod undo_check;

pub(crate) use build::{Through, make, server_version};
pub(crate) use settings::Likeness;
pub(crate) use undo_check::prove;
pub use undo_check::{Contrast, UndoFlaw, UndoFlawKind};
