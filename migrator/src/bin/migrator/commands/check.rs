//! `migrator check`: is everything in order?

use std::fmt::Write as _;
use std::path::Path;

use migrator::{
    CatalogDiff, Change, CheckFinding, CheckOptions, Drift, Error, MigrationName, Migrations,
    Migrator, exit_code,
};
use serde_json::{Value, json};

use crate::args::{CheckArguments, Cli};
use crate::commands::{drift, lint};
use crate::output::format::count;
use crate::output::{BAD, Printer};

pub(crate) async fn run(
    cli: &Cli,
    printer: &Printer,
    arguments: &CheckArguments,
) -> Result<u8, Error> {
    let database = cli.database.database()?;
    let migrations = cli.migrations.load()?;
    let check =
        CheckOptions { allowed: arguments.allowed(), shadow_server: arguments.shadow.server()? };
    let mut on_event = |event| printer.event(&event);
    let findings = Migrator::new(database, &migrations, &mut on_event).check(&check).await?;
    let dir = cli.migrations.dir();
    let documents: Vec<Value> = findings.iter().map(|finding| document(dir, finding)).collect();
    printer.result(&json!({ "findings": documents, "migrations": migrations.len() }), || {
        findings.iter().map(|finding| text(&migrations, dir, finding)).collect::<Vec<_>>().concat()
    });
    let looked_at = count(migrations.len(), "migration");
    if findings.is_empty() {
        printer.note(&format!("No findings in {looked_at}"));
    } else {
        printer.note(&format!("{} in {looked_at}", count(findings.len(), "finding")));
    }
    let codes = findings.iter().map(|finding| finding.kind.exit_code());
    Ok(codes.min().unwrap_or(exit_code::DONE))
}

fn document(dir: Option<&Path>, finding: &CheckFinding) -> Value {
    let mut document = json!({
        "finding": finding.kind.as_str(),
        "exit_code": finding.kind.exit_code(),
        "migration": finding.migration.as_ref().map(MigrationName::to_string),
        "message": finding.message,
        "details": details(finding),
    });
    if let (Some(found), Value::Object(members)) = (&finding.lint, &mut document)
        && let Value::Object(more) = lint::document(dir, found)
    {
        members.extend(more);
    }
    document
}

fn details(finding: &CheckFinding) -> Vec<String> {
    let diff = finding.diff.iter().flat_map(|diff| &diff.differences);
    let differences = diff.map(|difference| match &difference.change {
        Change::OnlyInFirst => format!("{} is left", difference.id),
        Change::OnlyInSecond => format!("{} is lost", difference.id),
        Change::Changed(_) => format!("{} differs", difference.id),
    });
    finding.details.iter().cloned().chain(differences).collect()
}

fn text(migrations: &Migrations, dir: Option<&Path>, finding: &CheckFinding) -> String {
    if let Some(found) = &finding.lint {
        return lint::text(migrations, dir, found);
    }
    let mut text = format!("{BAD}{}{BAD:#}: {}\n", finding.kind.as_str(), finding.message);
    for line in finding.details.iter().flat_map(|detail| detail.lines()) {
        let _ = writeln!(text, "  {line}");
    }
    if let Some(diff) = &finding.diff {
        for line in drift::text::render(&as_drift(diff)).lines() {
            let _ = writeln!(text, "  {line}");
        }
    }
    text + "\n"
}

/// Lines of additional objects with a `+`, of missing ones with a `-`.
fn as_drift(diff: &CatalogDiff) -> Drift {
    Drift {
        differences: diff.differences.clone(),
        live: diff.found.clone(),
        expected: diff.expected.clone(),
        compared_to: None,
        pending: Vec::new(),
        not_compared: Vec::new(),
        other_grants: Vec::new(),
    }
}
