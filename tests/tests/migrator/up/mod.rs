//! `migrator up`

mod apply;
mod dry_run;
mod failures;
pub(crate) mod no_transaction;
mod statement_boundaries;
mod timeouts;
