//! `migrator new`: the files of the next migration.

pub(crate) mod from_drift;

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::Path;

use migrator::{Error, NewMigrationFiles, exit_code};
use serde_json::json;

use crate::args::Cli;
use crate::output::Printer;

const APPLY: &str = "\
-- What this is for, and what is safe to run beside it.
--
-- Runs in one transaction, begun and committed for it, unless the first line of this file is
-- `-- migrator: no-transaction`. Once it is applied anywhere, it never changes.

";

const UNDO: &str = "\
-- Undoes the migration of the same name. What is lost by that:

";

pub(crate) fn run(cli: &Cli, printer: &Printer, title: &str) -> Result<u8, Error> {
    let folder = cli.migrations.folder();
    let pair = NewMigrationFiles::next(folder, title)?;
    prepare(folder)?;
    write_new(&pair.apply, APPLY)?;
    write_new(&pair.undo, UNDO)?;

    let files = [pair.apply.display().to_string(), pair.undo.display().to_string()];
    let document = json!({ "version": pair.name.version, "name": pair.name.name, "files": files });
    printer.result(&document, || files.map(|file| format!("{file}\n")).concat());
    Ok(exit_code::DONE)
}

/// Makes the folder, if it is not there.
fn prepare(folder: &Path) -> Result<(), Error> {
    fs::create_dir_all(folder)
        .map_err(|source| Error::WriteMigration { path: folder.to_owned(), source })
}

/// Fails where the file exists, also when it appeared a moment ago.
fn write_new(path: &Path, content: &str) -> Result<(), Error> {
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(path)
        .and_then(|mut file| file.write_all(content.as_bytes()));
    written.map_err(|source| Error::WriteMigration { path: path.to_owned(), source })
}
