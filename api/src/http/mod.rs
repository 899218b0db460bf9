//! HTTP: the way of a request through an instance, and what all routes share.

pub(crate) mod app;
pub(crate) mod cors;
pub(crate) mod idempotency;
pub(crate) mod index;
pub(crate) mod json;
pub(crate) mod media_type;
pub(crate) mod path;
pub(crate) mod precondition;
#[cfg(test)]
mod properties;
pub(crate) mod request;
pub(crate) mod response;
pub(crate) mod route;
pub(crate) mod router;
mod trace_context;
