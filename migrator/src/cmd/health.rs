//! `migrator health`: a report about the database and the way to it.

use migrator::{Error, HealthReport, RoleReport, exit_code};
use serde_json::{Value, json};

use crate::cli::Cli;
use crate::output::{Printer, count, error_document, warning};

pub(crate) async fn run(cli: &Cli, printer: &Printer, role: Option<&str>) -> Result<u8, Error> {
    let url = cli.database.url()?;
    let options = cli.database.connect_options()?;
    let migrations = cli.migrations.load()?;
    let (report, error) = migrator::check_health(&url, &options, &migrations, role).await;
    // Not the database's fault: there is no such role to look at.
    if let Some(error @ Error::NoSuchRole { .. }) = error {
        return Err(error);
    }

    let mut document =
        serde_json::to_value(&report).expect("a report has text keys and finite numbers only");
    if let Value::Object(members) = &mut document {
        let error = error.as_ref().map(|error| error_document(error, exit_code::NO));
        members.insert("error".to_owned(), error.unwrap_or_default());
    }
    printer.result(&json!(document), || text(&report, error.as_ref()));
    for text in &report.warnings {
        warning(text);
    }
    Ok(if report.healthy { exit_code::DONE } else { exit_code::NO })
}

fn text(report: &HealthReport, error: Option<&Error>) -> String {
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
    match error {
        Some(error) => lines.push(("usable", format!("no: {error}"))),
        None => lines.push(("usable", "yes".to_owned())),
    }
    if error.is_none() {
        lines.push((
            "TLS",
            endpoint
                .tls
                .as_ref()
                .map_or("none".to_owned(), |tls| format!("{}, {}", tls.version, tls.cipher)),
        ));
    }
    if let Some(tls) = &endpoint.tls
        && let (Some(end), Some(days)) = (&tls.certificate_not_after, tls.certificate_days_left)
    {
        lines.push(("certificate", format!("valid until {end}, {days} days from now")));
    }
    if let Some(version) = &report.server_version {
        lines.push(("server", format!("PostgreSQL {version}")));
    }
    if let Some(times) = report.connect_ms {
        lines.push(("connecting", format!("{:.1} ms cold, {:.1} ms warm", times.cold, times.warm)));
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
        let current = counts.current.map_or("none".to_owned(), |version| format!("V{version}"));
        let problems = match counts.diverged + counts.missing {
            0 => String::new(),
            _ => format!(", {} diverged, {} missing", counts.diverged, counts.missing),
        };
        let (applied, pending) = (counts.applied, counts.pending);
        let text = format!("at {current}: {applied} applied, {pending} pending{problems}");
        lines.push(("migrations", text));
    }
    if let Some(role) = &report.role {
        lines.push(("role", format!("{}, {}", role.name, power(role))));
    }
    if let Some(bytes) = report.database_size_bytes {
        lines.push(("size", size(bytes)));
    }
    lines.iter().map(|(label, value)| format!("{label:<12} {value}\n")).collect::<Vec<_>>().concat()
}

/// How much a role can do to the schema.
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

/// In the largest unit that leaves a whole number in front, in tenths.
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
