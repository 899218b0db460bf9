//! The warnings of a report, each with advice.

#[cfg(test)]
mod tests;

use neon_url::{DatabaseUrl, Endpoint};

use crate::model::text::list;
use crate::ops::grant::RequiredColumn;
use crate::ops::health::prepared_statements::PreparedStatements;
use crate::ops::health::report::{EndpointCheck, HealthReport, HealthWarning};
use crate::ops::role::RoleReport;

/// Certificates of public authorities are renewed weeks before; Neon's are.
const CERTIFICATE_DAYS: i64 = 14;

/// Above this share of `max_connections`, a burst may be refused.
const BUSY_PERCENT: f64 = 80.0;

/// A transaction that is open for so long holds locks that a migration waits for, and rows that
/// vacuum may not remove.
const LONG_TRANSACTION_S: f64 = 300.0;

/// Tokens say to the second from when until when they are valid.
const CLOCK_DIFFERENCE_S: f64 = 5.0;

/// At the age itself autovacuum only begins to freeze, and busy databases get there regularly. One
/// that is far above is not getting on. In per cent.
const FREEZE_PERCENT: i64 = 150;

/// Of the numbers that a sequence can give. A larger column takes its time: every program that reads
/// it has to be ready for it.
const SEQUENCE_PERCENT: f64 = 80.0;

/// The warnings about a database that can be used.
pub(super) fn find(url: &DatabaseUrl, report: &HealthReport) -> Vec<HealthWarning> {
    let mut found = Vec::new();
    found.extend(direct_endpoint(url));
    found.extend(report.endpoints.iter().filter_map(endpoint));
    found.extend(certificate(report));
    found.extend(clock(report));
    found.extend(connections(report));
    found.extend(long_transaction(report));
    found.extend(transaction_age(report));
    found.extend(sequence(report));
    found.extend(read_only(report));
    found.extend(invalid_indexes(report));
    found.extend(migrations(report));
    found.extend(report.role.as_ref().and_then(role));
    found.extend(report.role.as_ref().and_then(row_security));
    found.extend(report.role.as_ref().and_then(definer_functions));
    if !url.ignored().is_empty() {
        let what = format!("parameters without a meaning here: {}", url.ignored().join(", "));
        let advice = "leave them out of the connection string";
        found.push(HealthWarning::new("ignored_parameters", what, advice));
    }
    found
}

fn direct_endpoint(url: &DatabaseUrl) -> Option<HealthWarning> {
    (url.endpoint() == Endpoint::NeonDirect).then(|| {
        HealthWarning::new(
            "direct_endpoint",
            "this is the direct endpoint, which has few connections",
            format!("the API should use the pooled one, `{}`", url.pooled().host()),
        )
    })
}

fn endpoint(check: &EndpointCheck) -> Option<HealthWarning> {
    let host = &check.host;
    if let Some(error) = &check.error {
        let what = format!("the {} endpoint, `{host}`, does not work: {error}", check.kind);
        return Some(if check.kind == "pooled" {
            let advice = "the API should connect through it: look at the pooler, and whether it knows this role and database";
            HealthWarning::new("pooled_endpoint", what, advice)
        } else {
            let advice = "`migrator up` needs it, because a pooler keeps no lock: is it reachable from here?";
            HealthWarning::new("direct_endpoint_unusable", what, advice)
        });
    }
    (check.prepared_statements == Some(PreparedStatements::Lost)).then(|| {
        HealthWarning::new(
            "prepared_statements",
            format!("prepared statements do not survive the pooled endpoint, `{host}`"),
            "set `max_prepared_statements` above 0 in PgBouncer, from 1.21 on (on Neon it is); until then, no driver may prepare statements there",
        )
    })
}

fn certificate(report: &HealthReport) -> Option<HealthWarning> {
    let days = report.endpoint.tls.as_ref()?.certificate_days_left?;
    (days < CERTIFICATE_DAYS).then(|| {
        HealthWarning::new(
            "certificate",
            format!("the certificate ends in {days} days"),
            "renew it: from then on, no client can connect",
        )
    })
}

fn clock(report: &HealthReport) -> Option<HealthWarning> {
    let difference = report.clock_difference_s?;
    (difference.abs() > CLOCK_DIFFERENCE_S).then(|| {
        let direction = if difference > 0.0 { "ahead of" } else { "behind" };
        HealthWarning::new(
            "clock",
            format!("the server's clock is {:.1} s {direction} this machine's", difference.abs()),
            "let NTP set both: tokens are valid by the clock of the machine that checks them",
        )
    })
}

fn connections(report: &HealthReport) -> Option<HealthWarning> {
    let connections = report.connections.as_ref()?;
    (connections.percent() > BUSY_PERCENT).then(|| {
        let most = connections.by_state.iter().max_by_key(|(_, number)| **number);
        let most = most.map(|(state, number)| format!(", {number} of them {state}"));
        HealthWarning::new(
            "connections",
            format!(
                "{} of {} connections are taken{}",
                connections.total,
                connections.max,
                most.unwrap_or_default()
            ),
            "end sessions that are idle, connect through the pooled endpoint, or raise the server's limit (on Neon, with a larger compute)",
        )
    })
}

fn long_transaction(report: &HealthReport) -> Option<HealthWarning> {
    let oldest = report.oldest_transaction.as_ref()?;
    (oldest.age_s > LONG_TRANSACTION_S).then(|| {
        let minutes = (oldest.age_s / 60.0).floor();
        HealthWarning::new(
            "long_transaction",
            format!(
                "a transaction is open for {minutes} minutes (server process {}, {})",
                oldest.pid, oldest.state
            ),
            format!(
                "migrations may have to wait for its locks: find out whose it is, or end it with `select pg_terminate_backend({})`; the setting `idle_in_transaction_session_timeout` ends idle ones",
                oldest.pid
            ),
        )
    })
}

fn transaction_age(report: &HealthReport) -> Option<HealthWarning> {
    let ids = report.transaction_age?;
    (ids.age * 100 > ids.freeze_max_age * FREEZE_PERCENT).then(|| {
        HealthWarning::new(
            "transaction_age",
            format!(
                "the oldest transaction id is {} transactions old, and freezing begins at {}: autovacuum does not get on",
                ids.age, ids.freeze_max_age
            ),
            "end long transactions, prepared transactions and unused replication slots, then run `vacuum (freeze)`; at 2 billion the server refuses to write",
        )
    })
}

fn sequence(report: &HealthReport) -> Option<HealthWarning> {
    let sequence = report.fullest_sequence.as_ref()?;
    let used = sequence.used_pct.filter(|used| *used >= SEQUENCE_PERCENT)?;
    Some(HealthWarning::new(
        "sequence",
        format!(
            "{used:.1} % of the numbers for {} are used up: {} of {}",
            sequence.column, sequence.last_value, sequence.max_value
        ),
        format!(
            "make the column `bigint`, and what refers to it, with its sequence `{}`: after the last number nothing can be inserted",
            sequence.name
        ),
    ))
}

fn read_only(report: &HealthReport) -> Option<HealthWarning> {
    (report.read_only?).then(|| {
        HealthWarning::new(
            "read_only",
            "nothing can be written here: it is a replica, or transactions are read-only by default",
            "use the connection string of the primary, or set `default_transaction_read_only` to off",
        )
    })
}

fn invalid_indexes(report: &HealthReport) -> Option<HealthWarning> {
    let invalid = report.invalid_indexes.as_ref().filter(|names| !names.is_empty())?;
    let noun = if invalid.len() == 1 { "index is" } else { "indexes are" };
    Some(HealthWarning::new(
        "invalid_indexes",
        format!("the {noun} invalid: {}", list(invalid)),
        "it slows writes and is never used: drop it with `drop index concurrently`, and rebuild it",
    ))
}

/// Warning about a column that makes the API's inserts fail.
pub(super) fn required_column(column: &RequiredColumn) -> HealthWarning {
    HealthWarning::new("required_column", column.problem(), column.advice())
}

fn migrations(report: &HealthReport) -> Vec<HealthWarning> {
    let Some(counts) = report.migrations else { return Vec::new() };
    let pending = (counts.pending > 0).then(|| {
        let what = format!("pending migrations: {}", counts.pending);
        HealthWarning::new("pending_migrations", what, "apply them with `migrator up`")
    });
    let incomplete = (counts.incomplete > 0).then(|| {
        let what = "a migration is incomplete";
        HealthWarning::new(
            "incomplete_migration",
            what,
            "see `migrator status`, then `migrator repair`",
        )
    });
    let diverged = (counts.diverged + counts.missing > 0).then(|| {
        let what = "history and migrations have diverged";
        HealthWarning::new("diverged_migrations", what, "see `migrator status`")
    });
    pending.into_iter().chain(incomplete).chain(diverged).collect()
}

fn row_security(role: &RoleReport) -> Option<HealthWarning> {
    let tables = &role.shut_out_of;
    let noun = if tables.len() == 1 { "table" } else { "tables" };
    (!tables.is_empty()).then(|| {
        HealthWarning::new(
            "row_security",
            format!(
                "row security is enabled on the {noun} {}, without a policy for the API's role: it finds no rows there, and can write none",
                list(tables)
            ),
            "create a policy for it, or switch row security off with `alter table … disable row level security`",
        )
    })
}

/// A superuser gains nothing by them.
fn definer_functions(role: &RoleReport) -> Option<HealthWarning> {
    let functions = &role.definer_functions;
    let noun = if functions.len() == 1 { "function" } else { "functions" };
    (!role.superuser && !functions.is_empty()).then(|| {
        HealthWarning::new(
            "definer_functions",
            format!(
                "the role `{}` can execute the {noun} {}, with the privileges of the owner",
                role.name,
                list(functions)
            ),
            "if that is not meant for it, `revoke execute on routine … from public`",
        )
    })
}

/// Warning about an API that connects as this role.
fn role(role: &RoleReport) -> Option<HealthWarning> {
    let name = &role.name;
    let advice = "give the API a role of its own with `migrator grant --role NAME`";
    if role.superuser {
        let what = format!(
            "the role `{name}` is a superuser: an API that connects as it could do anything on this server"
        );
        return Some(HealthWarning::new("superuser_role", what, advice));
    }
    if !role.owns_tables.is_empty() {
        let noun = if role.owns_tables.len() == 1 { "table" } else { "tables" };
        let tables = list(&role.owns_tables);
        let what = format!(
            "the role `{name}` owns the {noun} {tables}: an API that connects as it could change the schema"
        );
        return Some(HealthWarning::new("owner_role", what, advice));
    }
    role.can_create.then(|| {
        let what = format!("the role `{name}` can create tables beside the API's");
        let advice = "`migrator grant` takes that away, or says who can";
        HealthWarning::new("creator_role", what, advice)
    })
}
