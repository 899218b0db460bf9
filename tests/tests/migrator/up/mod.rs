//! `migrator up`

mod apply;
mod dry_run;
mod failures;
mod file_names;
mod long_scripts;
pub(crate) mod no_transaction;
mod statement_boundaries;
mod timeouts;
