//! Plain types that every layer uses.

mod event;
mod migration;
mod outcome;
mod position;
pub(crate) mod text;

pub use event::{Event, LockHolder, Notice, RetryReason, ServerProgress};
pub use migration::{Direction, MigrationName, TransactionMode};
pub(crate) use outcome::{Begun, IndexTarget};
pub use outcome::{Incomplete, IncompleteState, Outcome, Progress};
pub use position::Position;
