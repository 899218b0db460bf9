//! Catalogs of schemas, the SQL between two of them, and shadow databases.

pub(crate) mod catalog;
pub(crate) mod generate;
pub(crate) mod shadow;
