//! The host, as the rest of the component sees it: the entry point, variables, PostgreSQL, HTTP to the
//! outside, the key-value store, and standard error. The only place that names an SDK; the clock, a request on its way in
//! and a response on its way out are in `responses::host`, which both components use.

pub(crate) mod sql;
pub(crate) mod stderr;
#[cfg(feature = "wasip2")]
mod wasip2;
#[cfg(feature = "wasip3")]
mod wasip3;
#[cfg(any(test, feature = "wasip2"))]
mod workarounds;

#[cfg(feature = "wasip2")]
pub(crate) use self::wasip2::{http_client, key_value, postgres, variables};
#[cfg(feature = "wasip3")]
pub(crate) use self::wasip3::{http_client, key_value, postgres, variables};

/// The host could not read a variable.
pub(crate) struct Unreadable;
