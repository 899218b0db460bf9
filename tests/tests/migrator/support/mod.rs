//! Helpers of the tests: runs of the program, folders of migrations, and the contents of a database.

pub(crate) mod catalog;
pub(crate) mod folder;
pub(crate) mod program;
