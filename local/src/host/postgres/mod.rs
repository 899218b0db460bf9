//! `spin:postgres@4.2.0`, and with it 4.0.0: pooled connections and statements, with Spin's rules and error texts.

#![expect(clippy::result_large_err, reason = "the errors are the interface's own")]

mod interface;
mod parameters;
pub(crate) mod pools;
mod range;
mod statements;
mod types;
mod values;
