//! The migrations of this repository: the schema that they create.

mod existing_priority;
mod existing_users;
mod schema;
mod timestamps;
