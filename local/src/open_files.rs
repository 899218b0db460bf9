//! The number of files and connections that this process may have open.

use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// More than a service on one machine needs. Some systems allow a billion, for which some programs allocate memory.
const ENOUGH: u64 = 65_536;

/// Raises the limit of open files as far as the system allows without more privileges, for this process and those that
/// it starts, and returns it. Connections count: the usual 1,024 are soon taken by clients that do nothing, and Spin
/// ends when it cannot accept another one.
pub fn raise_open_files() -> u64 {
    let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) else { return 0 };
    let wanted = hard.min(ENOUGH).max(soft);
    match setrlimit(Resource::RLIMIT_NOFILE, wanted, hard) {
        Ok(()) => wanted,
        Err(_) => soft,
    }
}
