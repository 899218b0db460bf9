//! The database: its constraints, its role, its query plans, and its outages.

mod constraints;
mod exhaustion;
mod outages;
mod query_plans;
mod retries;
mod role;
mod server_states;
mod silence;
mod tls;
