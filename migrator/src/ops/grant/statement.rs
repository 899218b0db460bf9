//! The options of `grant` and its statements.

use std::time::Duration;

/// What to give to whom.
#[derive(Clone, Debug)]
pub struct GrantOptions {
    /// The role with which the API connects.
    pub role: String,
    /// Whether the API makes the rows of `users`.
    pub provision_users: bool,
    /// The longest that a statement may take; in whole milliseconds, more than 0.
    pub statement_timeout: Duration,
    /// The longest that a transaction may wait for its next statement; likewise.
    pub idle_in_transaction_timeout: Duration,
}

/// One statement.
#[derive(Clone, Debug)]
pub struct GrantStatement {
    /// What it is for.
    pub purpose: Purpose,
    /// Its text, without a semicolon.
    pub sql: String,
    /// What it changes; none where the database is like that already.
    pub change: Option<String>,
}

/// What a statement is for. They run in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Purpose {
    /// Takes from the role what it does not need.
    Revoke,
    /// Takes from every role what this one does not need.
    RevokeFromAll,
    /// Gives the role what it needs.
    Grant,
    /// Sets a time limit.
    Limit,
}
