//! The wire contract, checked from outside over HTTP and SQL. One folder for each part of the API.

mod auth;
mod config;
mod db;
mod fuzz;
mod http;
mod log;
mod openapi;
mod predecessor;
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

/// A database on a port where nothing listens, which is not waited for.
fn closed_database() -> neon_url::DatabaseUrl {
    "postgresql://u:pw@127.0.0.1:1/x?connect_timeout=1".parse().expect("a connection string")
}

/// The path of a task after `/api/{user_id}`.
fn path_of(task: &serde_json::Value) -> String {
    format!("/tasks/{}", task["id"])
}

/// A relative reference, resolved against the path of the request whose answer has it (RFC 3986,
/// section 5.2): it is in the same folder, or only a query.
fn resolved(path: &str, reference: &str) -> String {
    let path = path.split('?').next().unwrap_or_default();
    if reference.starts_with('?') {
        return format!("{path}{reference}");
    }
    let is_below = !reference.contains(':')
        && reference.split('/').all(|segment| !["", ".", ".."].contains(&segment));
    assert!(is_below, "not a reference to something in the folder of {path}: {reference}");
    let (folder, _) = path.rsplit_once('/').expect("a path has a slash");
    format!("{folder}/{reference}")
}

/// A task id that no task has.
const NO_TASK: i32 = i32::MAX;
