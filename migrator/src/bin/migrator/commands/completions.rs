//! `migrator completions`: the completion script for a shell.

use clap::CommandFactory as _;
use clap_complete::{Shell, generate};
use migrator::exit_code;
use serde_json::json;

use crate::args::Cli;
use crate::output::Printer;

pub(crate) fn run(printer: &Printer, shell: Shell) -> u8 {
    let mut script = Vec::new();
    generate(shell, &mut Cli::command(), "migrator", &mut script);
    let script = String::from_utf8_lossy(&script);
    printer.result(&json!({ "shell": shell.to_string(), "script": script }), || script.to_string());
    exit_code::DONE
}
