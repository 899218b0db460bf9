//! `migrator health`: a report about the database and the way to it.

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
        wish: arguments.options()?,
    };
    if let Some(interval) = arguments.watch {
        return watch::run(&target, &cli.output, interval, arguments.count).await;
    }
    let look = target.look().await?;
    printer.result(&look.document(), || text::report(&look));
    let _ = write!(anstream::stderr(), "{}", look.remarks());
    Ok(look.exit_code())
}

/// What is looked at, and how.
struct Target {
    url: DatabaseUrl,
    options: ConnectOptions,
    migrations: Migrations,
    wish: HealthOptions,
}

/// What was found out.
struct Look {
    report: HealthReport,
    error: Option<Error>,
}

impl Target {
    async fn look(&self) -> Result<Look, Error> {
        let looked =
            migrator::check_health(&self.url, &self.options, &self.migrations, &self.wish).await;
        match looked {
            // Not the database's fault: there is no such role to look at.
            (_, Some(error @ Error::NoSuchRole { .. })) => Err(error),
            (report, error) => Ok(Look { report, error }),
        }
    }
}

impl Look {
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

    /// What belongs below the report: limits that were not kept, warnings, and what to do about
    /// each.
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
