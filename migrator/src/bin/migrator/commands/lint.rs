//! `migrator lint`: dangerous statements in the migrations.

use std::path::Path;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
use migrator::{Error, Finding, Migrations, exit_code};
use serde_json::{Value, json};

use crate::args::Cli;
use crate::output::Printer;
use crate::output::format::count;

pub(crate) fn run(cli: &Cli, printer: &Printer, from: Option<i64>) -> Result<u8, Error> {
    let migrations = cli.migrations.load()?;
    let dir = cli.migrations.dir();
    let report = migrator::lint(&migrations, |version| from.is_none_or(|from| version > from));
    let document = json!({
        "findings": report.findings.iter().map(|finding| document(dir, finding)).collect::<Vec<_>>(),
        "allowed": report.allowed,
        "files": report.files,
    });
    printer.result(&document, || {
        let texts = report.findings.iter().map(|finding| text(&migrations, dir, finding));
        texts.collect::<Vec<_>>().concat()
    });
    let found = match report.findings.len() {
        0 => "No findings".to_owned(),
        number => count(number, "finding"),
    };
    let allowed = match report.allowed {
        0 => String::new(),
        number => format!("; {number} allowed"),
    };
    printer.note(&format!("{found} in {}{allowed}", count(report.files, "file")));
    Ok(if report.findings.is_empty() { exit_code::DONE } else { exit_code::NO })
}

/// A finding as JSON.
pub(crate) fn document(dir: Option<&Path>, finding: &Finding) -> Value {
    let mut document = json!({
        "rule": finding.rule,
        "file": path(dir, finding),
        "line": finding.start.line,
        "column": finding.start.column,
        "end_line": finding.end.line,
        "end_column": finding.end.column,
        "message": finding.message,
        "help": finding.help,
    });
    if let (Some(url), Value::Object(members)) = (&finding.url, &mut document) {
        members.insert("url".to_owned(), json!(url));
    }
    document
}

/// A finding with its place in the file, in the style of rustc.
pub(crate) fn text(migrations: &Migrations, dir: Option<&Path>, finding: &Finding) -> String {
    let source = migrations.source(&finding.file).unwrap_or_default();
    let place = AnnotationKind::Primary.span(finding.bytes.clone());
    let mut report = Level::WARNING
        .primary_title(finding.message.as_str())
        .id(finding.rule.as_str())
        .element(Snippet::source(source).path(path(dir, finding)).annotation(place));
    for help in &finding.help {
        report = report.element(Level::HELP.message(help.as_str()));
    }
    if let Some(url) = &finding.url {
        report = report.element(Level::NOTE.message(format!("see {url}")));
    }
    if finding.can_be_accepted() {
        let form = format!("to accept it: -- migrator: allow {} because …", finding.rule);
        report = report.element(Level::NOTE.message(form));
    }
    // `anstream` drops the styles where there is no terminal.
    Renderer::styled().render(&[report]) + "\n\n"
}

/// Path of the file from the working directory.
fn path(dir: Option<&Path>, finding: &Finding) -> String {
    dir.map_or_else(|| finding.file.clone(), |dir| dir.join(&finding.file).display().to_string())
}
