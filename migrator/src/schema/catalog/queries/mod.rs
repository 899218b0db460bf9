//! The queries to PostgreSQL's catalogs, one for each kind of object or so.
//!
//! Each has the same columns: kind, schema, table, name, place, the catalog and the oid of the
//! object there, and its properties as JSON. `$1` is the names of the schemas to read, `$2` whether
//! grants are read. The search path is the main schema, so that PostgreSQL prints names in it
//! without a schema.

#[macro_use]
mod fragments;
mod database_wide;
mod dependencies;
mod foreign;
mod operators;
mod other;
mod relations;
mod standalone;
mod text;

pub(super) use dependencies::{DEPENDENCIES, PARTS};
pub(super) use other::{LARGE_OBJECTS, OTHER};
pub(super) use standalone::OTHER_SCHEMAS;

/// All of them, one after the other, for a server of a major version.
pub(super) fn objects(server_version: i32) -> Vec<&'static str> {
    vec![
        standalone::SCHEMAS,
        standalone::EXTENSIONS,
        standalone::TYPES,
        standalone::DOMAIN_CONSTRAINTS,
        standalone::SEQUENCES,
        standalone::FUNCTIONS,
        operators::ACCESS_METHODS,
        operators::RANGE_TYPES,
        operators::AGGREGATES,
        operators::OPERATORS,
        operators::CASTS,
        operators::TRANSFORMS,
        text::COLLATIONS,
        text::CONVERSIONS,
        text::DICTIONARIES,
        text::CONFIGURATIONS,
        foreign::FOREIGN_DATA_WRAPPERS,
        foreign::SERVERS,
        foreign::FOREIGN_TABLES,
        relations::RELATIONS,
        relations::COLUMNS,
        relations::CONSTRAINTS,
        relations::INDEXES,
        relations::STATISTICS,
        relations::RULES,
        relations::TRIGGERS,
        relations::POLICIES,
        database_wide::EVENT_TRIGGERS,
        if server_version < 15 {
            database_wide::PUBLICATIONS_OF_14
        } else {
            database_wide::PUBLICATIONS
        },
    ]
}
