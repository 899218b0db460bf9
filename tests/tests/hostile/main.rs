//! Clients that break the rules of HTTP or use them against the service: the service answers or hangs up, no instance
//! traps, memory is bounded, and other clients' requests succeed meanwhile.
//!
//! One at a time, in a suite of its own, because memory is measured. `cargo test-hostile` is the long form.

mod half_closed;
mod http1_bodies;
mod http1_heads;
mod http2_floods;
mod http2_frames;
mod idle_connections;
mod pipelining;
mod target;
mod unread;
