//! The catalog of a database: its tables, columns, constraints, indexes, triggers, functions and
//! the rest, as a flat and ordered list of objects with properties.

pub(crate) mod comments_and_grants;
mod dependencies;
mod dependency_order;
mod diff;
mod late;
mod normalize;
mod object;
mod queries;
pub(crate) mod quoting;
mod read;
pub(crate) mod render;
pub(crate) mod settings;
pub(crate) mod table;

pub(crate) use dependencies::Through;
pub(crate) use diff::diff;
pub use diff::{Change, Difference};
pub use object::{Catalog, Kind, Object, ObjectId, Property};
pub(crate) use quoting::split_column;
pub(crate) use read::{ReadOptions, other_schemas, read};
