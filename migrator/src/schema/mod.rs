//! What a schema consists of, how to get from one to another, and databases to try that in.

pub(crate) mod catalog;
pub(crate) mod generate;
pub(crate) mod shadow;
