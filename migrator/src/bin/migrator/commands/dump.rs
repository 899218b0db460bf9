//! `migrator dump`: the schema as one script.

use std::io::ErrorKind;
use std::path::Path;

use migrator::{Database, DumpError, DumpSource, Error, Migrator, ShadowServer, exit_code};
use neon_url::DatabaseUrl;
use serde_json::json;

use crate::args::{Cli, DumpArguments};
use crate::output::{BAD, GOOD, Printer, text_diff};

/// Where no database is needed. Nothing connects to it; its role is that of the throwaway server.
const NOWHERE: &str = "postgresql://postgres@127.0.0.1/postgres";

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
    let (url, source) = source(cli, arguments)?;
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

/// The database of the migrator, and what is dumped. A schema on another server than the live one needs
/// no live database.
fn source(cli: &Cli, arguments: &DumpArguments) -> Result<(DatabaseUrl, DumpSource), Error> {
    if arguments.live {
        return Ok((cli.database.url()?, DumpSource::Database));
    }
    let live = match cli.database.url() {
        Err(Error::MissingDatabaseUrl) => None,
        url => Some(url?),
    };
    let (url, server, takes_after) = match (arguments.shadow.server()?, live) {
        (ShadowServer::Other(server), None) => (server, ShadowServer::Own, false),
        // Only to compare the servers.
        (server @ ShadowServer::Other(_), Some(live)) => (live, server, false),
        (ShadowServer::Local, None) => (NOWHERE.parse()?, ShadowServer::Local, false),
        (server, live) => (live.ok_or(Error::MissingDatabaseUrl)?, server, true),
    };
    Ok((url, DumpSource::Migrations { server, takes_after }))
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
