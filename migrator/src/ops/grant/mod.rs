//! `grant`: gives the API's role the privileges that the API's statements need, and no others.
//!
//! `required_privileges.rs` and `excess_privileges.rs` give the statements of a plan; `verify.rs`
//! asks PostgreSQL for the result. `required_columns.rs` finds what no privilege helps against.

mod definer_functions;
mod excess_privileges;
mod plan;
mod required_columns;
mod required_privileges;
mod run;
mod statement;
mod verify;

pub use plan::GrantPlan;
pub(crate) use required_columns::RequiredColumn;
pub use run::{grant, plan_grant};
pub use statement::{GrantOptions, GrantStatement, Purpose};
