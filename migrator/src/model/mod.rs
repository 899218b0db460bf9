//! Plain types that every layer uses.

mod event;
mod position;

pub use event::{Event, LockHolder};
pub use position::Position;
