//! What a database consists of, as far as migrations make it: its tables, columns, constraints,
//! indexes, triggers, functions and the rest, as a flat and ordered list of objects with properties.

mod object;

pub use object::{Catalog, Kind, Object, ObjectId, Property};
