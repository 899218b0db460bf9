//! The plan that `up --dry-run` and `down --dry-run` show.

use std::time::Duration;

use migrator::{PlannedMigration, RunOptions, TransactionMode};
use serde_json::{Value, json};

use crate::output::format::elapsed;
use crate::output::table::Table;

/// The checksum is a text: it has 64 bits, of which readers of JSON keep 53. Of the limits, null is
/// what the script sets itself, and 0 none.
pub(crate) fn documents(planned: &[PlannedMigration], options: &RunOptions) -> Vec<Value> {
    let document = |planned: &PlannedMigration| {
        json!({
            "version": planned.name.version,
            "name": planned.name.name,
            "checksum": planned.checksum.to_string(),
            "transactional": planned.mode == TransactionMode::One,
            "lock_timeout_ms": planned.lock_timeout.map(milliseconds),
            "lock_retries": options.lock_retries,
            "concurrent_statements": planned.concurrent_statements,
            "statement_timeout_ms": planned.statement_timeout.map(milliseconds),
            "resumes_at": planned.resumes_at,
        })
    };
    planned.iter().map(document).collect()
}

fn milliseconds(limit: Duration) -> u64 {
    u64::try_from(limit.as_millis()).unwrap_or(u64::MAX)
}

pub(crate) fn table(planned: &[PlannedMigration]) -> String {
    if planned.is_empty() {
        return String::new();
    }
    let headings =
        ["VERSION", "NAME", "CHECKSUM", "TRANSACTION", "LOCK TIMEOUT", "STATEMENT TIMEOUT"];
    let mut table = Table::of(&headings);
    for planned in planned {
        table.row(&[
            &planned.name.version.to_string(),
            &planned.name.name,
            &planned.checksum.to_string(),
            match planned.mode {
                TransactionMode::One => "one",
                TransactionMode::None => "none",
            },
            &lock_timeout(planned),
            &limit(planned.statement_timeout),
        ]);
    }
    table.to_string()
}

/// Statements with `concurrently` wait without end.
fn lock_timeout(planned: &PlannedMigration) -> String {
    let usual = limit(planned.lock_timeout);
    if planned.concurrent_statements == 0 || planned.lock_timeout == Some(Duration::ZERO) {
        usual
    } else {
        format!("{usual}, none for {} concurrently", planned.concurrent_statements)
    }
}

fn limit(limit: Option<Duration>) -> String {
    match limit {
        None => "its own".to_owned(),
        Some(Duration::ZERO) => "none".to_owned(),
        Some(limit) => elapsed(limit),
    }
}
