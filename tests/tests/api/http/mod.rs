//! HTTP: headers, bodies, conditional requests, errors, and health.

mod cors;
mod errors;
mod headers;
mod health;
mod idempotency;
mod json;
mod one_write;
mod preconditions;
mod prefix;
mod traps;
mod unfinished;
mod unread_bodies;
