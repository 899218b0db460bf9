//! Spin's variables.

use spin_sdk_wasip2::variables::{self, Error};

use crate::host::Unreadable;

/// The value of a variable; `None` when the manifest does not pass it on.
pub(crate) async fn get(name: &str) -> Result<Option<String>, Unreadable> {
    match variables::get(name) {
        Ok(value) => Ok(Some(value)),
        Err(Error::Undefined(_)) => Ok(None),
        Err(_) => Err(Unreadable),
    }
}
