//! `migrator new`

mod empty_files;
pub(crate) mod from_drift;
