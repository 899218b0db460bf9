//! `check`: the history, the undo scripts, and the pending migrations.

use crate::connect::session;
use crate::error::{Error, exit_code};
use crate::history::{Entry, State};
use crate::migrations::Migrations;
use crate::model::{Event, MigrationName};
use crate::ops::grant::RequiredColumn;
use crate::ops::lint::{Finding, lint};
use crate::run::migrator::Migrator;
use crate::schema::shadow::{
    self, CatalogDiff, DatabaseSettings, ShadowServer, UndoFlaw, UndoFlawKind,
};

/// Kinds of findings, the most severe first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CheckKind {
    /// Applied, and the file has changed since.
    Edited,
    /// Applied, and there is no such file.
    Missing,
    /// Pending, although a later one is applied.
    OutOfOrder,
    /// It broke off in the middle.
    Incomplete,
    /// The script that undoes it does not.
    Undo,
    /// There is no script that undoes it.
    NoUndoScript,
    /// It is pending, and something in it is dangerous.
    Lint,
    /// It is pending.
    Pending,
    /// A column makes the API's inserts fail.
    RequiredColumn,
}

/// Something that is wrong.
#[derive(Clone, Debug)]
pub struct CheckFinding {
    /// Kind of finding.
    pub kind: CheckKind,
    /// With which migration; none for a mistake in `lint.allow`, and for a column of the database.
    pub migration: Option<MigrationName>,
    /// The problem.
    pub message: String,
    /// More about it, a line each.
    pub details: Vec<String>,
    /// Differences, if undoing does not restore the previous schema.
    pub diff: Option<CatalogDiff>,
    /// The finding of `lint`, with its position.
    pub lint: Option<Finding>,
}

impl CheckKind {
    /// All of them, the most severe first.
    pub const ALL: [Self; 9] = [
        Self::Edited,
        Self::Missing,
        Self::OutOfOrder,
        Self::Incomplete,
        Self::Undo,
        Self::NoUndoScript,
        Self::Lint,
        Self::Pending,
        Self::RequiredColumn,
    ];

    /// The one word for it, in options and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Edited => "edited",
            Self::Missing => "missing",
            Self::OutOfOrder => "out_of_order",
            Self::Incomplete => "incomplete",
            Self::Undo => "undo",
            Self::NoUndoScript => "no_undo_script",
            Self::Lint => "lint",
            Self::Pending => "pending",
            Self::RequiredColumn => "required_column",
        }
    }

    /// Exit code, if nothing is more severe.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Edited => exit_code::CHECK_EDITED,
            Self::Missing => exit_code::CHECK_MISSING,
            Self::OutOfOrder => exit_code::CHECK_OUT_OF_ORDER,
            Self::Incomplete => exit_code::CHECK_INCOMPLETE,
            Self::Undo => exit_code::CHECK_UNDO,
            Self::NoUndoScript => exit_code::CHECK_NO_UNDO_SCRIPT,
            Self::Lint => exit_code::CHECK_LINT,
            Self::Pending => exit_code::CHECK_PENDING,
            Self::RequiredColumn => exit_code::CHECK_REQUIRED_COLUMN,
        }
    }
}

/// Options of a check.
#[derive(Clone, Debug, Default)]
pub struct CheckOptions {
    /// Kinds to leave out. With [`CheckKind::Undo`] among them, no script is run.
    pub allowed: Vec<CheckKind>,
    /// Where the shadow database is created.
    pub shadow_server: ShadowServer,
}

impl Migrator<'_> {
    /// Everything that is wrong, the most severe first. Writes nothing to the database itself.
    ///
    /// That undoing undoes is proven: in a shadow database each migration is applied, undone and
    /// applied again, and what is there is compared, rights included. A migration that cannot be
    /// applied there is an error.
    pub async fn check(&mut self, request: &CheckOptions) -> Result<Vec<CheckFinding>, Error> {
        let entries = self.status().await?;
        let mut findings: Vec<CheckFinding> = entries.iter().filter_map(of_history).collect();
        findings.extend(without_undo_script(self.migrations));
        let is_applied = |version| {
            entries.iter().any(|entry| entry.name.version == version && entry.applied_on.is_some())
        };
        let linted = lint(self.migrations, |version| !is_applied(version));
        let of_lint = |finding| of_lint(self.migrations, finding);
        findings.extend(linted.findings.into_iter().map(of_lint));
        findings.extend(self.required_columns().await?);
        findings.retain(|finding| !request.allowed.contains(&finding.kind));
        if !request.allowed.contains(&CheckKind::Undo) {
            let settings = DatabaseSettings::read_from(&self.database, &mut |_| {}).await?;
            let server = &request.shadow_server;
            let check = shadow::check_undo(self, server, Some(&settings), 0, true).await?;
            let (live, shadow) = (settings.server_version(), check.server_version);
            if shadow != 0 && shadow != live {
                (self.on_event)(Event::OtherServerVersion { live, shadow });
            }
            findings.extend(check.flaws.into_iter().filter_map(of_undoing));
        }
        // Within a kind in the order of the versions, as they were found.
        findings.sort_by_key(|finding| finding.kind);
        Ok(findings)
    }

    async fn required_columns(&mut self) -> Result<Vec<CheckFinding>, Error> {
        let connection = session::open(&self.database, &mut |_| {}).await?;
        let columns = RequiredColumn::find(&connection.client, None).await;
        connection.close().await;
        Ok(columns?.iter().map(of_column).collect())
    }
}

fn of_column(column: &RequiredColumn) -> CheckFinding {
    CheckFinding {
        kind: CheckKind::RequiredColumn,
        migration: None,
        message: column.problem(),
        details: vec![column.advice()],
        diff: None,
        lint: None,
    }
}

fn of_history(entry: &Entry) -> Option<CheckFinding> {
    use crate::error::Divergence;
    let (kind, message) = match (&entry.problem, entry.state) {
        (Some(problem), _) => {
            let kind = match problem {
                Divergence::Edited(_) | Divergence::LineEndings { .. } => CheckKind::Edited,
                Divergence::Missing(_) => CheckKind::Missing,
                Divergence::OutOfOrder { .. } => CheckKind::OutOfOrder,
            };
            (kind, problem.to_string())
        }
        (None, State::Incomplete) => {
            let what = entry.problem_text().unwrap_or_default();
            (CheckKind::Incomplete, format!("{} is incomplete: {what}", entry.name))
        }
        (None, State::Pending) => (CheckKind::Pending, format!("{} is pending", entry.name)),
        (None, State::Applied | State::Diverged | State::Missing) => return None,
    };
    Some(finding(kind, entry.name.clone(), message))
}

fn without_undo_script(migrations: &Migrations) -> impl Iterator<Item = CheckFinding> {
    let scripts = migrations.scripts().iter().filter(|script| script.undo.is_none());
    scripts.map(|script| {
        let message = format!("{} has no script that undoes it", script.name);
        finding(CheckKind::NoUndoScript, script.name.clone(), message)
    })
}

fn of_lint(migrations: &Migrations, lint: Finding) -> CheckFinding {
    let script = migrations.scripts().iter().find(|script| {
        let undo = script.undo.as_ref().map(|undo| &undo.name);
        script.apply.name == lint.file || undo == Some(&lint.file)
    });
    CheckFinding {
        kind: CheckKind::Lint,
        migration: script.map(|script| script.name.clone()),
        message: lint.message.clone(),
        details: Vec::new(),
        diff: None,
        lint: Some(lint),
    }
}

fn of_undoing(flaw: UndoFlaw) -> Option<CheckFinding> {
    let name = flaw.name;
    let (message, details, diff) = match flaw.kind {
        UndoFlawKind::NoScript => return None,
        UndoFlawKind::Fails(error) => {
            (format!("the script that undoes {name} fails"), lines(&error), None)
        }
        UndoFlawKind::CannotReapply(error) => {
            (format!("{name} cannot be applied again once it is undone"), lines(&error), None)
        }
        UndoFlawKind::LeavesResidue(diff) => {
            let message = format!("undoing {name} does not leave what was there before");
            (message, Vec::new(), Some(diff))
        }
        UndoFlawKind::NotReproducible(diff) => {
            let message = format!("{name} makes something else once it was undone");
            (message, Vec::new(), Some(diff))
        }
    };
    Some(CheckFinding { details, diff, ..finding(CheckKind::Undo, name, message) })
}

/// Text of an error without the state of the shadow database, which is dropped.
fn lines(error: &Error) -> Vec<String> {
    match error {
        Error::FailedScript(failed) => {
            let mut lines = vec![error.to_string()];
            lines.extend(failed.explanation());
            lines
        }
        other => vec![other.to_string()],
    }
}

fn finding(kind: CheckKind, migration: MigrationName, message: String) -> CheckFinding {
    let (details, diff, lint) = (Vec::new(), None, None);
    CheckFinding { kind, migration: Some(migration), message, details, diff, lint }
}
