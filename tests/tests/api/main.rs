//! The wire contract, checked from outside over HTTP and SQL. One folder for each part of the API.

mod auth;
mod config;
mod db;
mod fuzz;
mod http;
mod openapi;
mod runtime;
mod tasks;

/// Instances that take all requests of a test, and are kept.
fn large_instances() -> tests::InstanceReuse {
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
