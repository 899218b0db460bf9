//! Faults of Spin that a component of WASI 0.2 meets, kept out of everything else.

pub(super) mod error_text;
pub(super) mod one_row;
