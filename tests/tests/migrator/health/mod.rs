//! `migrator health`

mod cold_start;
mod endpoints;
mod phases;
mod proxy;
mod report;
mod role;
mod thresholds;
mod warnings;
mod watch;

use serde_json::Value;

/// The number at a JSON pointer.
#[track_caller]
fn number(report: &Value, pointer: &str) -> f64 {
    let value = report.pointer(pointer).and_then(Value::as_f64);
    value.unwrap_or_else(|| panic!("no number at {pointer}: {report:#}"))
}

/// The kinds of the warnings, without the one about the server's age.
#[track_caller]
fn warning_kinds(report: &Value) -> Vec<&str> {
    let details = report["warning_details"].as_array().expect("a list of warnings");
    let kinds = details.iter().map(|detail| detail["kind"].as_str().expect("a kind"));
    kinds.filter(|kind| *kind != "old_server").collect()
}
