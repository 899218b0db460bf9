//! `migrator dump`: the schema as one script.

use std::io::ErrorKind;
use std::path::Path;

use migrator::{Database, DumpError, DumpSource, Error, Migrator, exit_code};
use serde_json::json;

use crate::args::{Cli, DumpArguments};
use crate::output::{BAD, GOOD, Printer, text_diff};

pub(crate) async fn run(
    cli: &Cli,
    printer: &Printer,
    arguments: &DumpArguments,
) -> Result<u8, Error> {
    let to_standard_output = arguments.output == Path::new("-");
    if arguments.check && to_standard_output {
        return Err(DumpError::CheckOfStandardOutput.into());
    }
    let options = cli.database.connect_options()?;
    let migrations = cli.migrations.load()?;
    let (url, source) = match arguments.shadow.url()? {
        _ if arguments.live => (cli.database.url()?, DumpSource::Database),
        Some(server) => (server, DumpSource::Migrations { is_live: false }),
        None => (cli.database.url()?, DumpSource::Migrations { is_live: true }),
    };
    let mut on_event = |event| printer.event(&event);
    let mut migrator = Migrator::new(Database { url, options }, &migrations, &mut on_event);
    let sql = migrator::dump(&mut migrator, source, arguments.grants).await?;

    if to_standard_output {
        printer.result(&json!({ "output": null, "current": null, "sql": sql }), || sql.clone());
        return Ok(exit_code::DONE);
    }
    let path = &arguments.output;
    let present = read(path)?;
    // Git may have converted the line ends.
    let is_current = present.as_ref().is_some_and(|text| text.replace("\r\n", "\n") == sql);
    let file = path.display();
    if arguments.check {
        return Ok(check(printer, path, present.as_deref(), is_current, &sql));
    }
    if is_current {
        printer.note(&format!("`{file}` is current"));
    } else {
        std::fs::write(path, &sql)
            .map_err(|source| DumpError::Write { path: path.clone(), source })?;
        printer.note(&format!("`{file}` written"));
    }
    printer
        .result(&json!({ "output": path, "current": true, "written": !is_current }), String::new);
    Ok(exit_code::DONE)
}

/// Content of the file, or `None` if it does not exist.
fn read(path: &Path) -> Result<Option<String>, Error> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(source) => Err(DumpError::Read { path: path.to_owned(), source }.into()),
    }
}

/// `--check`: compares the file with the script that would be written.
fn check(printer: &Printer, path: &Path, present: Option<&str>, is_current: bool, sql: &str) -> u8 {
    let file = path.display();
    let old = present.unwrap_or_default().replace("\r\n", "\n");
    let difference = text_diff::compare(&old, sql);
    let document = json!({
        "output": path,
        "current": is_current,
        "written": false,
        "difference": difference.iter().map(|(sign, line)| format!("{sign}{line}")).collect::<Vec<_>>(),
    });
    printer.result(&document, || {
        let render = |(sign, line): &(char, String)| match sign {
            '+' => format!("{GOOD}+{line}{GOOD:#}\n"),
            '-' => format!("{BAD}-{line}{BAD:#}\n"),
            _ if line.is_empty() => "\n".to_owned(),
            _ => format!(" {line}\n"),
        };
        difference.iter().map(render).collect()
    });
    if is_current {
        printer.note(&format!("`{file}` is current"));
        return exit_code::DONE;
    }
    match present {
        Some(_) => printer.note(&format!("`{file}` is not current")),
        None => printer.note(&format!("`{file}` does not exist")),
    }
    printer.hint("`migrator dump` writes it");
    exit_code::NO
}
