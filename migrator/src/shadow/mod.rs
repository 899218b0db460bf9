//! A shadow database: a database of its own, in which the migrations are run to see what they make.
//! It is made beside the live one, or on another server, and it is always removed.

mod database;
mod error;
mod interruption;
mod leftovers;
mod likeness;
mod made;
mod proof;

pub use error::ShadowError;
pub use interruption::Signal;
pub(crate) use likeness::Likeness;
pub(crate) use made::{Through, make, server_version};
pub(crate) use proof::prove;
pub use proof::{Contrast, UndoFlaw, UndoFlawKind};
