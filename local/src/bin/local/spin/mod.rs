//! Spin, where it is installed: its program, its version, and the process `spin up`.

mod output;
mod process;
mod program;
mod version;

pub(crate) use process::{SpinOptions, SpinProcess};
pub(crate) use program::{SpinProgram, in_path};
pub(crate) use version::Build;
