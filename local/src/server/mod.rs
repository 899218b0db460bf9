//! Serves the components over HTTP.

mod engine;
mod instances;
mod instructions;
mod request;
mod serve;

pub(crate) use engine::{Engine, INSTANCES, Linked};
pub(crate) use instances::Instances;
pub use instances::{InstanceReuse, REQUEST_TIMEOUT};
pub use instructions::Instructions;
pub use serve::HTTP1_BUFFER_BYTES;
pub(crate) use serve::Server;
