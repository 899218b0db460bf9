//! What a database consists of, as far as migrations make it: its tables, columns, constraints,
//! indexes, triggers, functions and the rest, as a flat and ordered list of objects with properties.

mod diff;
mod error;
pub(crate) mod name;
mod normal;
mod object;
mod order;
mod queries;
mod read;
pub(crate) mod remarks;
pub(crate) mod render;
pub(crate) mod table;

pub(crate) use diff::diff;
pub use diff::{Change, Difference};
pub use error::CatalogError;
pub(crate) use name::split_column;
pub use object::{Catalog, Kind, Object, ObjectId, Property};
pub(crate) use read::{ReadOptions, other_schemas, read};
