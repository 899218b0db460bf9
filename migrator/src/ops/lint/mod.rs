//! Looks through migrations for what is dangerous on a database that is in use, without a database:
//! statements that block others while they work, that destroy something, or that the running
//! version of the program cannot live with.
//!
//! The rules are squawk's. What is accepted on purpose is said beside the statement, or in
//! `lint.allow` for a file that never changes any more, each time with a reason.

mod allow;
mod allow_file;
mod finding;
mod rules;
mod script;

use std::collections::BTreeSet;

use crate::migrations::Migrations;
use crate::ops::lint::allow_file::AllowFile;
pub use crate::ops::lint::finding::Finding;
use crate::ops::lint::script::Purpose;

/// Findings in a set of migrations.
#[derive(Clone, Debug, Default)]
pub struct LintReport {
    /// Statements to change, or to accept with a reason. Ordered by version and position.
    pub findings: Vec<Finding>,
    /// Number of accepted findings.
    pub allowed: usize,
    /// Number of checked files.
    pub files: usize,
}

/// Checks the migrations whose version is `chosen`, and their undo scripts.
///
/// Mistakes in `lint.allow` are found for any choice; a line without effect, only if its file is
/// checked.
pub fn lint(migrations: &Migrations, chosen: impl Fn(i64) -> bool) -> LintReport {
    let mut report = LintReport::default();
    let mut allow_file = AllowFile::of(migrations);
    let mut looked_through = BTreeSet::new();
    let scripts = migrations.scripts().iter().filter(|script| chosen(script.name.version));
    for script in scripts {
        let apply = (&script.apply, Purpose::Apply);
        let undo = script.undo.as_ref().map(|undo| (undo, Purpose::Undo));
        for (file, purpose) in [Some(apply), undo].into_iter().flatten() {
            let linted = script::lint(file, purpose);
            let before = linted.findings.len() + linted.allowed;
            let findings: Vec<Finding> = linted
                .findings
                .into_iter()
                .filter(|finding| !allow_file.allows(&file.name, &finding.rule))
                .collect();
            report.allowed += before - findings.len();
            report.findings.extend(findings);
            report.files += 1;
            looked_through.insert(file.name.as_str());
        }
    }
    report.findings.extend(allow_file.mistakes(|file| looked_through.contains(file)));
    report
}
