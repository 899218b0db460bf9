//! The rights of the API's role: what its statements need, and nothing else.
//!
//! `target.rs` is what it needs, `excess.rs` what it has beyond that; a plan is the statements
//! between the two, and `verify.rs` asks PostgreSQL whether they came to what was meant.

mod excess_privileges;
mod plan;
mod required_privileges;
mod run;
mod statement;
mod verify;

pub use plan::GrantPlan;
pub use run::{grant, plan_grant};
pub use statement::{GrantOptions, GrantStatement, Purpose};
