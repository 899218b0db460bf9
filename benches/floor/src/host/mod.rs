//! The entry points, each as bare as its SDK allows.

#[cfg(feature = "wasip2")]
mod wasip2;
#[cfg(feature = "wasip3")]
mod wasip3;
