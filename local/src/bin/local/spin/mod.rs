//! Spin, where it is installed: its program and the process `spin up`.

mod output;
mod process;
mod program;

pub(crate) use process::{SpinOptions, SpinProcess};
pub(crate) use program::{SpinProgram, in_path};
