//! `migrator health`: a report about the database and the connection to it.

mod text;
mod watch;

use std::fmt::Write as _;
use std::io::Write as _;

use anstyle::Style;
use migrator::{ConnectOptions, Error, HealthOptions, HealthReport, Migrations, exit_code};
use neon_url::DatabaseUrl;
use serde_json::{Value, json};

use crate::args::{Cli, HealthArguments};
use crate::output::{ERROR, HINT, Printer, WARNING, error_document};

pub(crate) async fn run(
    cli: &Cli,
    printer: &Printer,
    arguments: &HealthArguments,
) -> Result<u8, Error> {
    let target = Target {
        url: cli.database.url()?,
        options: cli.database.connect_options()?,
        migrations: cli.migrations.load()?,
        request: arguments.options()?,
    };
    if let Some(interval) = arguments.watch {
        return watch::run(&target, &cli.output, interval, arguments.count).await;
    }
    let check = target.check().await?;
    printer.result(&check.document(), || text::report(&check));
    let _ = write!(anstream::stderr(), "{}", check.remarks());
    Ok(check.exit_code())
}

/// The database to check, and how.
struct Target {
    url: DatabaseUrl,
    options: ConnectOptions,
    migrations: Migrations,
    request: HealthOptions,
}

/// Result of a check.
struct HealthCheck {
    report: HealthReport,
    error: Option<Error>,
}

impl Target {
    async fn check(&self) -> Result<HealthCheck, Error> {
        let checked =
            migrator::check_health(&self.url, &self.options, &self.migrations, &self.request).await;
        match checked {
            // A wrong argument, not a problem of the database.
            (_, Some(error @ Error::NoSuchRole { .. })) => Err(error),
            (report, error) => Ok(HealthCheck { report, error }),
        }
    }
}

impl HealthCheck {
    fn exit_code(&self) -> u8 {
        if self.report.healthy { exit_code::DONE } else { exit_code::NO }
    }

    fn document(&self) -> Value {
        let mut document =
            serde_json::to_value(&self.report).expect("a report has text keys and numbers only");
        let error = self.error.as_ref().map(|error| {
            let mut error = error_document(error, exit_code::NO);
            error["phase"] = json!(self.report.failed_phase);
            error
        });
        document["error"] = error.unwrap_or_default();
        document
    }

    /// Text below the report: exceeded limits and warnings, each with a hint.
    fn remarks(&self) -> String {
        let mut lines = String::new();
        let mut remark = |style: Style, label: &str, what: &str, advice: &str| {
            // Writing to a text cannot fail.
            let _ = writeln!(lines, "{style}{label}{style:#}: {what}");
            let _ = writeln!(lines, "{HINT}hint{HINT:#}: {advice}");
        };
        if let Some(error) = &self.error
            && let Some(hint) = error.hint()
        {
            remark(ERROR, "error", &error.to_string(), &hint);
        }
        for limit in &self.report.exceeded {
            remark(ERROR, "error", &limit.to_string(), limit.advice);
        }
        for warning in &self.report.warning_details {
            remark(WARNING, "warning", &warning.what, &warning.advice);
        }
        lines
    }
}
