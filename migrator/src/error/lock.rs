//! The reasons for which the migration lock is lost.

use std::fmt;

/// The reason for which the migration lock is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LockLoss {
    /// The connection leads to another server process than before.
    OtherSession,
    /// The server process is the same, so the session's locks were released in it.
    Released,
}

impl fmt::Display for LockLoss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OtherSession => "the connection goes through a pooler that shares sessions",
            Self::Released => {
                "a script released the locks of the session, as `pg_advisory_unlock_all()` does"
            }
        })
    }
}
