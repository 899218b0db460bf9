//! Everything that is printed. Standard output is data, standard error is for messages.

pub(crate) mod format;
mod progress_line;
pub(crate) mod summary;
pub(crate) mod table;
pub(crate) mod text_diff;

use std::io::Write as _;

use anstream::ColorChoice;
use anstyle::{AnsiColor, Style};
use migrator::{BeyondDatabase, Error, Event, MigrationName, ShadowError, exit_code};
use serde::Serialize;
use serde_json::{Value, json};

use crate::args::OutputOptions;
use crate::output::format::{count, elapsed};
use crate::output::progress_line::ProgressLine;
use crate::output::summary::Summary;

pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
pub(crate) const NEUTRAL: Style = AnsiColor::Yellow.on_default();
pub(crate) const BAD: Style = AnsiColor::Red.on_default();
pub(crate) const ERROR: Style = AnsiColor::Red.on_default().bold();
pub(crate) const WARNING: Style = AnsiColor::Yellow.on_default().bold();
pub(crate) const HINT: Style = AnsiColor::Cyan.on_default().bold();

/// Prints the results, messages and progress of a command.
///
/// A closed pipe (`| head`) is not an error: output that cannot be written is dropped.
pub(crate) struct Printer {
    command: &'static str,
    json: bool,
    quiet: bool,
    line: ProgressLine,
}

impl Printer {
    pub(crate) fn new(options: &OutputOptions, command: &'static str) -> Self {
        if options.no_color {
            ColorChoice::Never.write_global();
        }
        let enabled = !options.quiet;
        Self {
            command,
            json: options.json,
            quiet: options.quiet,
            line: ProgressLine::new(
                enabled,
                enabled && !options.json && progress_line::can_redraw(),
            ),
        }
    }

    /// True if the progress of a run is shown.
    pub(crate) fn watches(&self) -> bool {
        self.line.redraws()
    }

    /// A result: as JSON its document, with the command's name in it, else as text.
    pub(crate) fn result(&self, document: &impl Serialize, text: impl FnOnce() -> String) {
        if self.json {
            let mut members = json!({ "command": self.command });
            if let (Value::Object(all), Ok(Value::Object(more))) =
                (&mut members, serde_json::to_value(document))
            {
                all.extend(more);
            }
            write_document(&members);
        } else {
            let _ = write!(anstream::stdout(), "{}", text());
        }
    }

    /// A line of messages, unless `--quiet`.
    pub(crate) fn note(&self, text: &str) {
        if !self.quiet {
            let _ = writeln!(anstream::stderr(), "{text}");
        }
    }

    /// The next step for the user, as a message.
    pub(crate) fn hint(&self, text: &str) {
        self.note(&format!("{HINT}hint{HINT:#}: {text}"));
    }

    pub(crate) fn event(&self, event: &Event) {
        match event {
            Event::UsingDirectHost { host } => {
                self.note(&format!(
                    "Using the direct host `{host}`: a pooled one cannot keep the migration lock"
                ));
            }
            Event::Retrying { reason, wait } => {
                self.note(&format!(
                    "The database does not answer yet ({reason}); trying for up to {}",
                    elapsed(*wait)
                ));
            }
            Event::WaitingForLock { holder, wait } => {
                let holder =
                    holder.as_ref().map(|holder| format!(" ({holder})")).unwrap_or_default();
                self.note(&format!(
                    "Another migrator is at work{holder}; waiting for up to {}",
                    elapsed(*wait)
                ));
            }
            Event::Applying(name) => self.line.begin(&format!("Applying {name}")),
            Event::Undoing(name) => self.line.begin(&format!("Undoing {name}")),
            Event::Resuming { name, statement, statements, .. } => {
                self.line
                    .begin(&format!("Resuming {name} at statement {statement} of {statements}"));
            }
            Event::Statement { number, of } => self.line.statement(*number, *of),
            Event::Running { elapsed, server } => self.line.redraw(*elapsed, server.as_ref()),
            Event::Applied { elapsed: time, .. } | Event::Undone { elapsed: time, .. } => {
                self.line.finish(&format!("{GOOD}done{GOOD:#} ({})", elapsed(*time)));
            }
            Event::LockRetry { name, reason, pause, retry, of } => {
                self.line.interrupt();
                let seconds = pause.as_secs_f64();
                self.note(&format!(
                    "  {name} {reason}; retrying in {seconds:.1} s ({retry} of {of})"
                ));
            }
            Event::BuildingShadow { migrations } => {
                let number = count(*migrations, "migration");
                self.note(&format!("Building a shadow database from {number}"));
            }
            Event::TryingScript => self.note("Trying the script in a copy of the schema"),
            Event::OtherServerVersion { live, shadow } => {
                warning(&format!(
                    "the shadow database is on PostgreSQL {shadow} and the live one on {live}: the definitions of views may differ by that alone"
                ));
            }
            Event::LeavesServer { place, reason } => {
                warning(&format!("{place}: {reason}, and this runs in the shadow database, too"));
            }
            Event::RolesLeft { roles } => {
                warning(&format!(
                    "left on the shadow database's server: the roles {}",
                    roles.join(", ")
                ));
            }
            Event::NotWritten { what } => {
                warning(&format!("not in the script: {}", what.join(", ")));
            }
            Event::ShadowLeft { name } => {
                warning(&format!(
                    "the shadow database `{name}` could not be dropped; the next run retries"
                ));
            }
            Event::Notice(notice) if notice.severity == "warning" => {
                self.line.interrupt();
                warning(&notice.message);
            }
            Event::Notice(notice) => {
                self.line.interrupt();
                self.note(&format!("  {}: {}", notice.severity, notice.message));
            }
            _ => {}
        }
    }

    /// The outcome of each migration at the end of a run, above the error if there is one.
    pub(crate) fn summary(&self, summary: Summary, error: Option<&Error>) {
        if error.is_some() {
            self.line.fail(&format!("{BAD}failed{BAD:#}"));
        }
        if !self.json
            && let Some(table) = summary.table(error)
        {
            self.note(&format!("\n{table}"));
        }
    }

    /// Prints an error with its details and hint and, with `--json`, its document. Returns the exit
    /// code.
    pub(crate) fn error(&self, error: &Error) -> u8 {
        self.line.fail(&format!("{BAD}failed{BAD:#}"));
        let mut stderr = anstream::stderr();
        let _ = writeln!(stderr, "{ERROR}error{ERROR:#}: {error}");
        for line in error.details().iter().flat_map(|detail| detail.lines()) {
            let _ = writeln!(stderr, "  {line}");
        }
        if let Some(hint) = error.hint() {
            let _ = writeln!(stderr, "{HINT}hint{HINT:#}: {hint}");
        }
        if self.json {
            let document = error_document(error, error.exit_code());
            write_document(&json!({ "command": self.command, "error": document }));
        }
        error.exit_code()
    }
}

/// Prints a warning, even with `--quiet`.
pub(crate) fn warning(text: &str) {
    let _ = writeln!(anstream::stderr(), "{WARNING}warning{WARNING:#}: {text}");
}

/// Asks for confirmation. Any answer other than `y` or `yes` is no.
pub(crate) fn ask(question: &str) -> bool {
    let _ = write!(anstream::stderr(), "{question} [y/N] ");
    let mut answer = String::new();
    let read = std::io::stdin().read_line(&mut answer);
    read.is_ok() && matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes")
}

/// JSON document of an error with which the process exits with `exit_code`.
pub(crate) fn error_document(error: &Error, exit_code: u8) -> Value {
    let mut document = json!({
        "kind": error.kind(),
        "message": error.to_string(),
        "details": error.details(),
        "hint": error.hint(),
        "exit_code": exit_code,
    });
    if let (Error::Shadow(ShadowError::BeyondDatabase { found }), Value::Object(members)) =
        (error, &mut document)
    {
        let statement = |found: &BeyondDatabase| {
            json!({
                "file": found.file,
                "line": found.position.line,
                "column": found.position.column,
                "reason": found.reason,
            })
        };
        members.insert("statements".to_owned(), found.iter().map(statement).collect());
    }
    if let (Some(failed), Value::Object(members)) = (error.failed_script(), &mut document) {
        members.insert("migration".to_owned(), json!(failed.name.to_string()));
        members.insert("file".to_owned(), json!(failed.file));
        members.insert("line".to_owned(), json!(failed.position.map(|position| position.line)));
        members.insert("column".to_owned(), json!(failed.position.map(|position| position.column)));
        members.insert("sqlstate".to_owned(), json!(failed.sqlstate()));
        members.insert("done".to_owned(), json!(strings(&failed.progress.done)));
        members.insert("not_started".to_owned(), json!(strings(&failed.progress.not_started)));
    }
    document
}

fn strings(names: &[MigrationName]) -> Vec<String> {
    names.iter().map(ToString::to_string).collect()
}

/// Help and version go to standard output with 0; everything else is a mistake in the arguments.
pub(crate) fn usage_error(error: &clap::Error) -> u8 {
    if !error.use_stderr() {
        let _ = write!(anstream::stdout(), "{}", error.render().ansi());
        return exit_code::DONE;
    }
    // An argument in the wrong place is repeated by clap; if it is a connection string, that would
    // show a password.
    let mut text = error.render().ansi().to_string();
    let arguments: Vec<String> =
        std::env::args_os().skip(1).map(|arg| arg.to_string_lossy().into_owned()).collect();
    for secret in arguments
        .iter()
        .filter(|argument| argument.contains("://") || argument.contains("password"))
    {
        text = text.replace(secret.as_str(), "***");
        if let Some((_, value)) = secret.split_once('=') {
            text = text.replace(value, "***");
        }
    }
    let _ = write!(anstream::stderr(), "{text}");
    if arguments.iter().any(|argument| argument == "--json") {
        let plain = anstream::adapter::strip_str(&text).to_string();
        let message =
            plain.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned();
        let hint = "`migrator --help` lists commands and options";
        write_document(&json!({
            "command": null,
            "error": { "kind": "usage", "message": message, "details": [], "hint": hint, "exit_code": exit_code::USAGE },
        }));
    }
    exit_code::USAGE
}

fn write_document(document: &Value) {
    let _ = writeln!(anstream::stdout(), "{document:#}");
}
