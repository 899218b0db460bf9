//! The database: its constraints, its role, its query plans, and its outages.

mod constraints;
mod outages;
mod query_plans;
mod retries;
mod role;
mod silence;
mod tls;
