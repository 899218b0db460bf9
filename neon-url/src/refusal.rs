//! Messages of Neon's proxy, which answers in place of a compute that it does not reach.
//!
//! The texts are those of the proxy (`neondatabase/neon`, `proxy/src/auth/mod.rs`, `compute/mod.rs`,
//! `control_plane/errors.rs` and `messages.rs`) and of the control plane behind it, which the proxy passes
//! on. Their SQLSTATE says little: the proxy's source gives XX000 to each of them, and newer ones have been
//! seen with 28000 (disabled) and 53000 (quota).

/// Kinds of messages with which Neon's proxy refuses a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NeonRefusal {
    /// A quota of the plan or the project is used up.
    Quota,
    /// The endpoint is disabled: it does not wake up by itself.
    Disabled,
    /// The endpoint does not exist, or the connection names none.
    NotFound,
    /// The client's address or role may not connect.
    NotAllowed,
    /// The compute or Neon itself is busy, starts, or is under maintenance: it may work in a moment.
    Temporary,
}

/// Parts of the messages. The first that fits counts: a temporary one may be followed by its reason.
const MESSAGES: [(&str, NeonRefusal); 23] = [
    // "Your project has exceeded the data transfer quota", and the quotas of compute time, active time,
    // written data and logical size.
    ("has exceeded the ", NeonRefusal::Quota),
    ("exceeded the compute time for this branch", NeonRefusal::Quota),
    ("exceeded the limit of concurrently active endpoints", NeonRefusal::Quota),
    ("endpoint has been disabled", NeonRefusal::Disabled),
    ("endpoint is disabled", NeonRefusal::Disabled),
    // "The requested endpoint …", or branch, project, resource.
    ("could not be found, or you don't have access to it", NeonRefusal::NotFound),
    ("endpoint cannot be found", NeonRefusal::NotFound),
    ("Endpoint ID is not specified", NeonRefusal::NotFound),
    ("Inconsistent project name", NeonRefusal::NotFound),
    ("must contain only alphanumeric characters and hyphen", NeonRefusal::NotFound),
    ("is not allowed to connect to this endpoint", NeonRefusal::NotAllowed),
    ("from a blocked network", NeonRefusal::NotAllowed),
    ("requires a VPC endpoint ID", NeonRefusal::NotAllowed),
    ("is protected and cannot be used", NeonRefusal::NotAllowed),
    ("Couldn't connect to compute node", NeonRefusal::Temporary),
    // Also ": endpoint is temporarily unavailable. Check your quotas", of a project under maintenance.
    ("Control plane request failed", NeonRefusal::Temporary),
    ("Console request failed", NeonRefusal::Temporary),
    ("Too many connections attempts", NeonRefusal::Temporary),
    ("Too many connections to this endpoint", NeonRefusal::Temporary),
    ("Failed to acquire permit to connect", NeonRefusal::Temporary),
    ("exceeded the rate limit", NeonRefusal::Temporary),
    ("already has running operations", NeonRefusal::Temporary),
    ("Authentication timed out", NeonRefusal::Temporary),
];

impl NeonRefusal {
    /// The kind of a message; `None` if it is another one than the proxy's.
    pub fn of(message: &str) -> Option<Self> {
        MESSAGES.iter().find(|(part, _)| message.contains(part)).map(|(_, kind)| *kind)
    }

    /// True if no time changes it, only a person does.
    pub fn is_permanent(self) -> bool {
        self != Self::Temporary
    }
}

#[cfg(test)]
mod tests {
    use super::NeonRefusal::{self, Disabled, NotAllowed, NotFound, Quota, Temporary};

    #[test]
    fn a_message_has_its_kind() {
        for (message, expected) in [
            (
                "Your account or project has exceeded the compute time quota. Upgrade your plan to increase limits.",
                Some(Quota),
            ),
            (
                "You have exceeded the limit of concurrently active endpoints. Please suspend some endpoints and try again.",
                Some(Quota),
            ),
            (
                "db error: ERROR: The endpoint has been disabled. Enable it using the API and retry.",
                Some(Disabled),
            ),
            ("Control plane request failed: endpoint is disabled", Some(Disabled)),
            ("Control plane request failed: endpoint cannot be found", Some(NotFound)),
            (
                "The requested branch could not be found, or you don't have access to it. Please check the provided ID and try again.",
                Some(NotFound),
            ),
            (
                "This IP address 192.0.2.1 is not allowed to connect to this endpoint. Please add it to the allowed list in the Neon console.",
                Some(NotAllowed),
            ),
            ("Control plane request failed", Some(Temporary)),
            (
                "Control plane request failed: endpoint is temporarily unavailable. Check your quotas and/or contact our support.",
                Some(Temporary),
            ),
            (
                "You've exceeded the rate limit. Please wait a moment and try again.",
                Some(Temporary),
            ),
            ("Couldn't connect to compute node", Some(Temporary)),
            // PostgreSQL's own.
            ("password authentication failed for user \"ann\"", None),
            ("sorry, too many clients already", None),
            ("could not extend file because project size limit (512 MB) has been exceeded", None),
        ] {
            assert_eq!(NeonRefusal::of(message), expected, "{message}");
        }
    }
}
