//! The commands, one module each.

pub(crate) mod baseline;
pub(crate) mod check;
pub(crate) mod drift;
pub(crate) mod dump;
pub(crate) mod grant;
pub(crate) mod health;
pub(crate) mod lint;
pub(crate) mod offline_sql;
pub(crate) mod repair;
pub(crate) mod role;
