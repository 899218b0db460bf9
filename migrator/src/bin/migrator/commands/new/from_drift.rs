//! `migrator new --from-drift`: what was done to the database by hand, as the next migration.

use migrator::{
    DriftMigration, Error, Migrations, Migrator, NewMigrationFiles, Rehearsed, Transition,
    UndoFlaw, UndoFlawKind, describe, exit_code, script,
};
use serde_json::json;

use super::{prepare, write_new};
use crate::args::{Cli, NewArguments};
use crate::output::format::count;
use crate::output::{Printer, warning};

const APPLY: &str = "\
What this is for, and what is safe to run beside it.

Written from what was done to a database by hand. Runs in one transaction, begun and committed for
it. Once it is applied anywhere, it never changes.";

const UNDO: &str = "Undoes the migration of the same name. What is lost by that is said below.";

pub(crate) async fn run(
    cli: &Cli,
    printer: &Printer,
    arguments: &NewArguments,
) -> Result<u8, Error> {
    let database = cli.database.database()?;
    let folder = cli.migrations.folder();
    let pair = NewMigrationFiles::next(folder, &arguments.name)?;
    let migrations = Migrations::from_dir(folder)?;
    let server = arguments.shadow.url()?;
    let server = server.as_ref();
    let mut on_event = |event| printer.event(&event);
    let mut migrator = Migrator::new(database.clone(), &migrations, &mut on_event);
    let found = migrator::migration_from_drift(&mut migrator, server).await?;
    let not_compared = &found.drift.not_compared;
    if !not_compared.is_empty() {
        printer.note(&format!("Not compared: {}", not_compared.join(", ")));
    }
    if found.drift.differences.is_empty() {
        printer.note("No drift: nothing to write");
        let nothing =
            json!({ "version": null, "name": null, "files": [], "not_compared": not_compared });
        printer.result(&nothing, String::new);
        return Ok(exit_code::DONE);
    }

    prepare(folder)?;
    write_new(&pair.apply, &script(APPLY, &found.apply))?;
    write_new(&pair.undo, &script(UNDO, &found.undo))?;
    let written = Migrations::from_dir(folder)?;
    let drift = &found.drift;
    let mut migrator = Migrator::new(database, &written, &mut on_event);
    let tried = migrator::rehearse_newest(&mut migrator, server, drift).await;
    let problems = problems(&tried);

    let files = [pair.apply.display().to_string(), pair.undo.display().to_string()];
    let document = json!({
        "version": pair.name.version,
        "name": pair.name.name,
        "files": files,
        "statements": found.apply.statements.len(),
        "undo_statements": found.undo.statements.len(),
        "todos": found.apply.todos,
        "undo_todos": found.undo.todos,
        "problems": problems,
        "tried_and_failed": !problems.is_empty(),
        "not_compared": not_compared,
    });
    printer.result(&document, || files.clone().map(|file| format!("{file}\n")).concat());
    report(printer, &found, &problems);
    let version = pair.name.version;
    let dir = folder.display();
    printer.hint(&format!(
        "review both files; `migrator lint --from {} --dir {dir}` says what is dangerous; then note it as applied on this database, where it is done already: `migrator baseline {version} --dir {dir}`",
        version - 1
    ));
    Ok(if problems.is_empty() { exit_code::DONE } else { exit_code::NO })
}

fn report(printer: &Printer, found: &DriftMigration, problems: &[String]) {
    let statements = |transition: &Transition| count(transition.statements.len(), "statement");
    printer.note(&format!(
        "Written: {}, and {} to undo them",
        statements(&found.apply),
        statements(&found.undo)
    ));
    for todo in &found.apply.todos {
        warning(&format!("TODO: {todo}"));
    }
    for todo in &found.undo.todos {
        warning(&format!("TODO in the script that undoes: {todo}"));
    }
    for problem in problems {
        warning(&format!("tried and failed: {problem}"));
    }
    if problems.is_empty() {
        printer.note(
            "Tried in a shadow database: applied, it makes what is in this one; undone, what was before",
        );
    }
}

/// Problems found by running the scripts.
fn problems(tried: &Result<Rehearsed, Error>) -> Vec<String> {
    match tried {
        Err(error) => vec![format!("the migration fails: {error}")],
        Ok(tried) => {
            let remaining = tried.remaining.iter();
            let remaining = remaining.map(|one| format!("not in the migration: {}", describe(one)));
            remaining.chain(tried.flaws.iter().map(flaw)).collect()
        }
    }
}

fn flaw(flaw: &UndoFlaw) -> String {
    match &flaw.kind {
        UndoFlawKind::NoScript => "there is no script that undoes it".to_owned(),
        UndoFlawKind::Fails(error) => format!("the script that undoes it fails: {error}"),
        UndoFlawKind::CannotReapply(error) => {
            format!("once undone, it cannot be applied again: {error}")
        }
        UndoFlawKind::LeavesResidue(diff) | UndoFlawKind::NotReproducible(diff) => {
            let parts: Vec<String> =
                diff.differences.iter().map(|difference| difference.id.to_string()).collect();
            format!("the script that undoes it is not the whole way back: {}", parts.join(", "))
        }
    }
}
