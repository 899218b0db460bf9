//! The health check of a database.

use std::time::Duration;

use chrono::{SecondsFormat, Utc};
use neon_url::DatabaseUrl;
use tokio::time::timeout;

use crate::connect::{ConnectOptions, Connector};
use crate::error::Error;
use crate::history::{self, State};
use crate::migrations::Migrations;
use crate::ops::grant::RequiredColumn;
use crate::ops::health::endpoints;
use crate::ops::health::prepared_statements::PreparedStatements;
use crate::ops::health::report::{EndpointCheck, EndpointReport, HealthReport, MigrationCounts};
use crate::ops::health::thresholds::HealthLimits;
use crate::ops::health::{connect_time, sequences, server, server_support, warnings};
use crate::ops::role;

/// Options of a health check.
#[derive(Clone, Debug, Default)]
pub struct HealthOptions {
    /// The API's role, if it is not the one that is connected.
    pub role: Option<String>,
    /// The pooled endpoint, if it is not Neon's.
    pub pooled_url: Option<DatabaseUrl>,
    /// Limits of a healthy database.
    pub limits: HealthLimits,
}

/// Checks a database. With an error, the report has what was measured before it.
pub async fn check_health(
    url: &DatabaseUrl,
    options: &ConnectOptions,
    migrations: &Migrations,
    request: &HealthOptions,
) -> (HealthReport, Option<Error>) {
    let mut report = HealthReport {
        checked_at: Utc::now().to_rfc3339_opts(SecondsFormat::Secs, true),
        endpoint: EndpointReport {
            host: url.host().to_owned(),
            port: url.port(),
            database: url.database().to_owned(),
            user: url.user().to_owned(),
            kind: if url.is_pooled() { "pooled" } else { "direct" },
            ssl_mode: url.ssl_mode().as_str(),
            tls: None,
        },
        ..HealthReport::default()
    };
    let limit = url.connect_timeout().min(options.wait).max(Duration::from_millis(100));
    let examined = examine(url, options, limit, migrations, request, &mut report).await;
    let (version, required) = match examined {
        Ok(examined) => examined,
        // The database is fine: the role to check does not exist.
        Err(error @ Error::NoSuchRole { .. }) => return (report, Some(error)),
        Err(error) => {
            report.endpoints = endpoints::check(
                url,
                request.pooled_url.as_ref(),
                options,
                limit,
                &report,
                Some(&error),
            )
            .await;
            return (report, Some(error));
        }
    };

    let pooled = request.pooled_url.as_ref();
    report.endpoints = endpoints::check(url, pooled, options, limit, &report, None).await;
    report.usable = true;
    report.exceeded = request.limits.exceeded(&report);
    report.healthy = report.exceeded.is_empty();
    report.notes.extend(notes(&report));
    let old = server_support::check(version, Utc::now().date_naive());
    let found = warnings::find(url, &report);
    let required = required.iter().map(warnings::required_column);
    report.warning_details = old.into_iter().chain(found).chain(required).collect();
    report.warnings = report.warning_details.iter().map(ToString::to_string).collect();
    (report, None)
}

/// Fills the report as far as it gets. Returns the server's version number, and the columns that make the API's inserts
/// fail.
async fn examine(
    url: &DatabaseUrl,
    options: &ConnectOptions,
    limit: Duration,
    migrations: &Migrations,
    request: &HealthOptions,
    report: &mut HealthReport,
) -> Result<(i32, Vec<RequiredColumn>), Error> {
    let connector = Connector::new(url, options)?;
    let measured = connect_time::measure(&connector, limit).await;
    let mut measured = measured.map_err(|(error, phase)| {
        report.failed_phase = Some(phase);
        error
    })?;
    let times = measured.phases.totals();
    report.connect_ms = Some(times);
    report.connect_phases_ms = Some(measured.phases);
    report.cold_start = Some(times.is_cold_start());
    if times.is_cold_start() {
        report.notes.push(connect_time::describe_cold_start(url, times));
    }
    report.endpoint.tls = measured.tls.take();

    let client = &mut measured.connection.client;
    let questions = async {
        let version = server::describe(client, report).await?;
        report.fullest_sequence = sequences::find_fullest(client).await?;
        report.migrations = Some(count_migrations(client, migrations).await?);
        let role = role::judge(client, request.role.as_deref()).await?;
        let required = RequiredColumn::find(client, Some(&role.name)).await?;
        report.role = Some(role);
        report.required_columns = Some(required.iter().map(RequiredColumn::name).collect());
        Ok((version, required))
    };
    let answered = timeout(limit, questions).await;
    measured.connection.close().await;
    answered.unwrap_or_else(|_| Err(connector.no_answer(limit)))
}

async fn count_migrations(
    client: &mut tokio_postgres::Client,
    migrations: &Migrations,
) -> Result<MigrationCounts, Error> {
    let recorded = history::read(client).await?;
    let mut counts = MigrationCounts {
        current: recorded.applied.last().map(|row| row.name.version),
        ..Default::default()
    };
    for entry in history::compare(migrations, &recorded) {
        match entry.state {
            State::Applied => counts.applied += 1,
            State::Pending => counts.pending += 1,
            State::Diverged => counts.diverged += 1,
            State::Missing => counts.missing += 1,
            State::Incomplete => counts.incomplete += 1,
        }
    }
    Ok(counts)
}

/// Informational notes.
fn notes(report: &HealthReport) -> Vec<String> {
    let untested = |check: &EndpointCheck| {
        let reason = check.prepared_statements_untested.as_deref()?;
        (check.prepared_statements == Some(PreparedStatements::Untested)).then(|| {
            format!(
                "whether prepared statements survive the pooled endpoint is not known: {reason}"
            )
        })
    };
    report.endpoints.iter().filter_map(untested).collect()
}
