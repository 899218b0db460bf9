//! The options of `grant` and its statements.

use std::time::Duration;

/// The role and the privileges to grant.
#[derive(Clone, Debug)]
pub struct GrantOptions {
    /// The role with which the API connects.
    pub role: String,
    /// True if the API creates the rows of `users`.
    pub provision_users: bool,
    /// The longest that a statement may take; in whole milliseconds, more than 0.
    pub statement_timeout: Duration,
    /// The longest that a transaction may wait for its next statement; likewise.
    pub idle_in_transaction_timeout: Duration,
    /// The planner's cost of a page read out of order, where one in order costs 1; more than 0.
    pub random_page_cost: f64,
}

/// One statement.
#[derive(Clone, Debug)]
pub struct GrantStatement {
    /// Its purpose.
    pub purpose: Purpose,
    /// Its text, without a semicolon.
    pub sql: String,
    /// Its effect; none if the database is in that state already.
    pub change: Option<String>,
}

/// Purposes of statements, in the order in which they run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Purpose {
    /// Takes from the role what it does not need.
    Revoke,
    /// Takes from every role what this one does not need.
    RevokeFromAll,
    /// Gives the role what it needs.
    Grant,
    /// Sets a time limit, or a cost for the planner.
    Setting,
}
