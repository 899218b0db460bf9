//! `migrator new`

mod empty_files;
mod from_drift;
