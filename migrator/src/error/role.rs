//! Roles that the API must not use.

use std::fmt;

use crate::model::text::list;

/// Reasons why a role cannot be the API's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RoleObjection {
    /// No privilege matters to a superuser.
    Superuser,
    /// The role whose rights are needed to grant cannot be the one that has next to none.
    Connected,
    /// A predefined role, for memberships only.
    Predefined,
    /// An owner can do anything with what it owns, and revoking changes nothing about that.
    Owner(Vec<String>),
}

impl fmt::Display for RoleObjection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Superuser => f.write_str("it is a superuser"),
            Self::Connected => f.write_str("this connection uses it"),
            Self::Predefined => f.write_str("it is one of PostgreSQL's own"),
            Self::Owner(owned) => write!(f, "it owns {}", list(owned)),
        }
    }
}
