//! `spin:key-value@3.0.0` and `wasi:keyvalue@0.2.0-draft2`: two interfaces to one store.

mod interface;
pub(crate) mod store;

#[cfg(test)]
mod tests;
