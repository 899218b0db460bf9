//! The schema as one script, to review what migrations come to.

mod error;
mod run;
mod script;

pub use error::DumpError;
pub use run::{DumpSource, dump};
