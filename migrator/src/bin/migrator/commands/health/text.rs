//! The report for people.

use migrator::{
    ConnectPhases, EndpointCheck, HealthReport, MigrationCounts, PreparedStatements, RoleReport,
};

use crate::commands::health::HealthCheck;
use crate::output::format::count;

/// A line for each known property.
pub(super) fn report(check: &HealthCheck) -> String {
    let lines = connection_lines(check).into_iter().chain(database_lines(&check.report));
    lines.map(|(label, value)| format!("{label:<12} {value}\n")).collect::<Vec<_>>().concat()
}

/// One line for the whole check.
pub(super) fn line(check: &HealthCheck) -> String {
    let report = &check.report;
    let mut parts = Vec::new();
    if let Some(times) = report.connect_ms {
        parts.push(format!("connecting {:.1} ms", times.warm));
    }
    if let Some(trips) = report.round_trip_ms {
        parts.push(format!("round trip {:.2} ms p95", trips.p95));
    }
    if let Some(connections) = &report.connections {
        parts.push(format!("{} of {} connections", connections.total, connections.max));
    }
    if report.cold_start == Some(true) {
        parts.push("cold start".to_owned());
    }
    if !report.warnings.is_empty() {
        parts.push(count(report.warnings.len(), "warning"));
    }
    let verdict = match &check.error {
        Some(error) => format!("unusable: {error}"),
        None if report.exceeded.is_empty() => format!("ok: {}", parts.join(", ")),
        None => {
            let limits: Vec<String> =
                report.exceeded.iter().map(|limit| limit.limit.replace('_', "-")).collect();
            format!("exceeded {}: {}", limits.join(", "), parts.join(", "))
        }
    };
    format!("{} {verdict}", report.checked_at)
}

type Line = (&'static str, String);

fn connection_lines(check: &HealthCheck) -> Vec<Line> {
    let report = &check.report;
    let endpoint = &report.endpoint;
    let mut lines = vec![
        (
            "database",
            format!(
                "{} on {}:{} as {}",
                endpoint.database, endpoint.host, endpoint.port, endpoint.user
            ),
        ),
        ("endpoint", endpoint.kind.to_owned()),
    ];
    match &check.error {
        Some(error) => lines.push(("usable", format!("no: {error}"))),
        None => lines.push(("usable", "yes".to_owned())),
    }
    if let Some(phase) = report.failed_phase {
        lines.push(("failed at", phase.to_string()));
    }
    for limit in &report.exceeded {
        lines.push(("exceeded", limit.to_string()));
    }
    if report.endpoints.len() > 1 {
        lines.extend(report.endpoints.iter().map(|check| (check.kind, endpoint_check(check))));
    }
    if check.error.is_none() {
        let tls = endpoint.tls.as_ref();
        let text = tls.map_or("none".to_owned(), |tls| format!("{}, {}", tls.version, tls.cipher));
        lines.push(("TLS", text));
    }
    if let Some(tls) = &endpoint.tls
        && let (Some(end), Some(days)) = (&tls.certificate_not_after, tls.certificate_days_left)
    {
        lines.push(("certificate", format!("valid until {end}, {days} days from now")));
    }
    lines
}

fn database_lines(report: &HealthReport) -> Vec<Line> {
    let mut lines = Vec::new();
    if let Some(version) = &report.server_version {
        lines.push(("server", format!("PostgreSQL {version}")));
    }
    if let Some(times) = report.connect_phases_ms {
        let (cold, warm) = (connecting(&times.cold, "cold"), connecting(&times.warm, "warm"));
        lines.push(("connecting", format!("{cold}, {warm}")));
    }
    if let Some(trips) = report.round_trip_ms {
        lines.push((
            "round trip",
            format!("{:.2} ms p50, {:.2} ms p95 of {}", trips.p50, trips.p95, trips.count),
        ));
    }
    if let Some(connections) = &report.connections {
        let states: Vec<String> = connections
            .by_state
            .iter()
            .map(|(state, number)| format!("{number} {state}"))
            .collect();
        lines.push((
            "connections",
            format!("{} of {} ({})", connections.total, connections.max, states.join(", ")),
        ));
    }
    if let Some(counts) = report.migrations {
        lines.push(("migrations", migrations(counts)));
    }
    if let Some(role) = &report.role {
        lines.push(("role", format!("{}, {}", role.name, power(role))));
    }
    if let Some(bytes) = report.database_size_bytes {
        lines.push(("size", size(bytes)));
    }
    lines.extend(report.notes.iter().map(|note| ("note", note.clone())));
    lines
}

/// `65.2 ms warm (dns 0.4, tcp 20.1, tls 21.5, auth 23.2)`.
fn connecting(phases: &ConnectPhases, label: &str) -> String {
    let phase = |name, time: Option<f64>| time.map(|time| format!("{name} {time:.1}"));
    let parts: Vec<String> = [
        phase("dns", phases.dns),
        phase("tcp", Some(phases.tcp)),
        phase("tls", phases.tls),
        phase("auth", Some(phases.auth)),
    ]
    .into_iter()
    .flatten()
    .collect();
    format!("{:.1} ms {label} ({})", phases.total, parts.join(", "))
}

fn endpoint_check(check: &EndpointCheck) -> String {
    let place = format!("{}:{}", check.host, check.port);
    match (&check.error, check.connect_ms) {
        (Some(error), _) => format!("{place} does not work: {error}"),
        (None, time) => {
            let time = time.map(|time| format!(", {time:.1} ms")).unwrap_or_default();
            let statements = match check.prepared_statements {
                Some(PreparedStatements::Survive) => ", prepared statements survive",
                Some(PreparedStatements::Lost) => ", prepared statements are lost",
                Some(PreparedStatements::Untested) | None => "",
            };
            format!("{place} works{time}{statements}")
        }
    }
}

fn migrations(counts: MigrationCounts) -> String {
    let current = counts.current.map_or("none".to_owned(), |version| format!("V{version}"));
    let problems = match counts.diverged + counts.missing {
        0 => String::new(),
        _ => format!(", {} diverged, {} missing", counts.diverged, counts.missing),
    };
    let incomplete = match counts.incomplete {
        0 => String::new(),
        number => format!(", {number} incomplete"),
    };
    let (applied, pending) = (counts.applied, counts.pending);
    format!("at {current}: {applied} applied, {pending} pending{incomplete}{problems}")
}

/// Power of a role over the schema.
fn power(role: &RoleReport) -> String {
    if role.superuser {
        "a superuser".to_owned()
    } else if !role.owns_tables.is_empty() {
        format!("owns {}", count(role.owns_tables.len(), "table"))
    } else if role.can_create {
        "owns no table and can create some".to_owned()
    } else {
        "owns no table and can create none".to_owned()
    }
}

/// In the largest unit in which it is at least 1, with one decimal.
fn size(bytes: i64) -> String {
    let mut tenths = bytes.max(0).saturating_mul(10);
    let mut unit = "bytes";
    for larger in ["KiB", "MiB", "GiB", "TiB"] {
        if tenths < 10_240 {
            break;
        }
        tenths /= 1024;
        unit = larger;
    }
    if unit == "bytes" {
        format!("{bytes} bytes")
    } else {
        format!("{}.{} {unit}", tenths / 10, tenths % 10)
    }
}

#[cfg(test)]
mod tests {
    use super::size;

    #[test]
    fn sizes_are_short_to_read() {
        for (bytes, text) in [
            (0, "0 bytes"),
            (1023, "1023 bytes"),
            (1024, "1.0 KiB"),
            (7_831_075, "7.4 MiB"),
            (5 << 40, "5.0 TiB"),
        ] {
            assert_eq!(size(bytes), text);
        }
    }
}
