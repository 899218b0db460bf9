//! The wire contract, checked from outside over HTTP and SQL. One module for each route or theme.

mod accounts;
mod attacks;
mod auth;
mod complete;
mod concurrency;
mod config;
mod cors;
mod create;
mod database;
mod delete;
mod docs;
mod errors;
mod fuzz;
mod get;
mod headers;
mod health;
mod idempotency;
mod ids;
mod instances;
mod interleaving;
mod json;
mod keys;
mod list;
mod one_write;
mod openapi;
mod outages;
mod ownership;
mod paging;
mod plans;
mod preconditions;
mod restart;
mod role;
mod traps;
mod unfinished;
mod update;
mod user_ids;

/// Instances that have room for everybody, and are kept.
fn room_for_everybody() -> tests::InstanceReuse {
    tests::InstanceReuse {
        max_reuse: 10_000,
        max_concurrent: 1_000,
        idle_timeout: std::time::Duration::from_mins(5),
        ..tests::InstanceReuse::default()
    }
}

/// The path of a task after `/api/{user_id}`.
fn path_of(task: &serde_json::Value) -> String {
    format!("/tasks/{}", task["id"])
}

/// A task id that no task has.
const NO_TASK: i32 = i32::MAX;
