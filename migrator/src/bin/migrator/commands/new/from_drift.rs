//! `migrator new --from-drift`: what was done to the database by hand, as the next migration.

use std::path::Path;

use migrator::{
    Error, GeneratedMigration, Migrations, Migrator, NewMigrationFiles, Rehearsed, Transition,
    UndoFlaw, UndoFlawKind, describe, exit_code, script,
};
use serde_json::{Value, json};

use super::{prepare, write_new};
use crate::args::{Cli, NewArguments};
use crate::output::format::count;
use crate::output::{Printer, warning};

const APPLY: &str = "\
What this is for, and what is safe to run beside it.

Written from what was done to a database by hand. Runs in one transaction, begun and committed for
it. Once it is applied anywhere, it never changes.";

const APPLY_LABELS: &str = "\
Adds the labels that the next migration uses: no transaction can use a label that it adds.

Written from what was done to a database by hand. Once it is applied anywhere, it never changes.";

const UNDO: &str = "Undoes the migration of the same name. What is lost by that is said below.";

pub(crate) async fn run(
    cli: &Cli,
    printer: &Printer,
    arguments: &NewArguments,
) -> Result<u8, Error> {
    let database = cli.database.database()?;
    let folder = cli.migrations.folder();
    NewMigrationFiles::next(folder, &arguments.name)?;
    let migrations = Migrations::from_dir(folder)?;
    let server = &arguments.shadow.server()?;
    let mut on_event = |event| printer.event(&event);
    let mut migrator = Migrator::new(database.clone(), &migrations, &mut on_event);
    let found = migrator::migrations_from_drift(&mut migrator, server).await?;
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
    let mut written = Vec::new();
    if let Some(labels) = &found.labels {
        let title = format!("{} labels", arguments.name);
        written.push((write(folder, &title, APPLY_LABELS, labels)?, labels));
    }
    let changes = write(folder, &arguments.name, APPLY, &found.changes)?;
    let version = changes.name.version;
    written.push((changes, &found.changes));
    let migrations = Migrations::from_dir(folder)?;
    let mut migrator = Migrator::new(database, &migrations, &mut on_event);
    let tried = migrator::rehearse_newest(&mut migrator, server, &found.drift, written.len()).await;
    let problems = problems(&tried);
    let code = match &tried {
        _ if problems.is_empty() => exit_code::DONE,
        Err(error) if !is_of_script(error) => error.exit_code(),
        _ => exit_code::NO,
    };

    let files = written.iter().flat_map(|(pair, _)| [&pair.apply, &pair.undo]);
    let files: Vec<String> = files.map(|file| file.display().to_string()).collect();
    printer
        .result(&document(&written, &files, &problems, not_compared), || files.join("\n") + "\n");
    report(printer, &written, &problems);
    let dir = folder.display();
    let which = if written.len() == 1 { "both files" } else { "all files" };
    let newest_before = written.first().map_or(version, |(pair, _)| pair.name.version) - 1;
    printer.hint(&format!(
        "review {which}; `migrator lint --from {newest_before} --dir {dir}` says what is dangerous; then note it as applied on this database, where it is done already: `migrator baseline {version} --dir {dir}`"
    ));
    Ok(code)
}

/// The beginning of a problem that was found by running a script.
const FAILED: &str = "tried and failed: ";

/// A migration and its files.
type Written<'a> = (NewMigrationFiles, &'a GeneratedMigration);

fn write(
    folder: &Path,
    title: &str,
    heading: &str,
    migration: &GeneratedMigration,
) -> Result<NewMigrationFiles, Error> {
    let pair = NewMigrationFiles::next(folder, title)?;
    write_new(&pair.apply, &script(heading, &migration.apply))?;
    write_new(&pair.undo, &script(UNDO, &migration.undo))?;
    Ok(pair)
}

/// The last migration is the one that was asked for.
fn document(
    written: &[Written<'_>],
    files: &[String],
    problems: &[String],
    not_compared: &[String],
) -> Value {
    let name = written.last().map(|(pair, _)| &pair.name);
    let names = written.iter().map(|(pair, _)| &pair.name);
    let names: Vec<Value> =
        names.map(|name| json!({ "version": name.version, "name": name.name })).collect();
    let apply = || written.iter().map(|(_, migration)| &migration.apply);
    let undo = || written.iter().map(|(_, migration)| &migration.undo);
    json!({
        "version": name.map(|name| name.version),
        "name": name.map(|name| &name.name),
        "migrations": names,
        "files": files,
        "statements": number_of_statements(apply()),
        "undo_statements": number_of_statements(undo()),
        "todos": todos(apply()),
        "undo_todos": todos(undo()),
        "problems": problems,
        "tried_and_failed": problems.iter().any(|problem| problem.starts_with(FAILED)),
        "not_compared": not_compared,
    })
}

fn report(printer: &Printer, written: &[Written<'_>], problems: &[String]) {
    let apply = || written.iter().map(|(_, migration)| &migration.apply);
    let undo = || written.iter().map(|(_, migration)| &migration.undo);
    printer.note(&format!(
        "Written: {}, and {} to undo them",
        count(number_of_statements(apply()), "statement"),
        count(number_of_statements(undo()), "statement")
    ));
    if let [(labels, _), (changes, _)] = written {
        printer.note(&format!(
            "{} adds labels of enumerated types, which only a later transaction can use: that of {}",
            labels.name, changes.name
        ));
    }
    for todo in todos(apply()) {
        warning(&format!("TODO: {todo}"));
    }
    for todo in todos(undo()) {
        warning(&format!("TODO in the script that undoes: {todo}"));
    }
    for problem in problems {
        warning(problem);
    }
    if problems.is_empty() {
        printer.note(
            "Tried in a shadow database: applied, it makes what is in this one; undone, what was before",
        );
    } else {
        warning(
            "tried and failed: the scripts are not the whole way there and back; complete them by hand",
        );
    }
}

fn number_of_statements<'a>(transitions: impl Iterator<Item = &'a Transition>) -> usize {
    transitions.map(|transition| transition.statements.len()).sum()
}

fn todos<'a>(transitions: impl Iterator<Item = &'a Transition>) -> Vec<&'a str> {
    transitions.flat_map(|transition| &transition.todos).map(String::as_str).collect()
}

/// Problems found by running the scripts.
fn problems(tried: &Result<Rehearsed, Error>) -> Vec<String> {
    match tried {
        Err(error) if is_of_script(error) => vec![format!("{FAILED}{error}")],
        Err(error) => vec![format!("not tried: {error}")],
        Ok(tried) => {
            let remaining = tried.remaining.iter();
            let remaining = remaining.map(|one| format!("not in the migration: {}", describe(one)));
            let all = remaining.chain(tried.flaws.iter().map(flaw));
            all.map(|problem| format!("{FAILED}{problem}")).collect()
        }
    }
}

/// True if a script failed; any other error says nothing about the scripts.
fn is_of_script(error: &Error) -> bool {
    error.exit_code() == exit_code::FAILED_MIGRATION
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
