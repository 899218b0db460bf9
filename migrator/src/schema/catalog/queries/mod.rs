//! The queries to PostgreSQL's catalogs, one for each kind of object or so.
//!
//! Each has the same columns: kind, schema, table, name, place, the catalog and the oid of the
//! object there, and its properties as JSON. `$1` is the names of the schemas to read, `$2` whether
//! grants are read. The search path is the main schema, so that PostgreSQL prints names in it
//! without a schema.

#[macro_use]
mod fragments;
mod dependencies;
mod relations;
mod standalone;
mod unsupported;

pub(super) use dependencies::{DEPENDENCIES, PARTS};
pub(super) use standalone::OTHER_SCHEMAS;
pub(super) use unsupported::UNSUPPORTED;

/// All of them, one after the other.
pub(super) const OBJECTS: [&str; 11] = [
    standalone::SCHEMAS,
    standalone::EXTENSIONS,
    standalone::TYPES,
    standalone::SEQUENCES,
    standalone::FUNCTIONS,
    relations::RELATIONS,
    relations::COLUMNS,
    relations::CONSTRAINTS,
    relations::INDEXES,
    relations::TRIGGERS,
    relations::POLICIES,
];
