//! Spin's variables.

use responses::host::worker;
use spin_sdk::variables::{self, Error};

use crate::host::Unreadable;

/// The value of a variable; `None` when the manifest does not pass it on. Each read costs the host some
/// 25 µs of CPU and a change of its thread.
pub(crate) async fn get(name: &str) -> Result<Option<String>, Unreadable> {
    let value = variables::get(name).await;
    worker::left();
    match value {
        Ok(value) => Ok(Some(value)),
        Err(Error::Undefined(_)) => Ok(None),
        Err(_) => Err(Unreadable),
    }
}
