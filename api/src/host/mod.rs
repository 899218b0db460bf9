//! The host, as the rest of the component sees it: the entry point, variables, PostgreSQL, HTTP to the
//! outside, and the key-value store. The only place that names an SDK; the clock, and the response on its
//! way out, are in `responses`, which both components use.

pub(crate) mod sql;
mod wasip3;

pub(crate) use self::wasip3::{http_client, key_value, postgres, variables};

/// The host could not read a variable.
pub(crate) struct Unreadable;
