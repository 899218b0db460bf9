//! The command `migrator`: parse, run, exit. The work is done in the library beside it.

mod args;
mod commands;
mod output;

use std::process::ExitCode;

use clap::Parser as _;

use crate::args::{Cli, DotEnv};
use crate::output::Printer;

fn main() -> ExitCode {
    // Before anything else runs, because it writes to the environment, and before the options are
    // read from there. What is set already wins.
    let dot_env = DotEnv::load();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return ExitCode::from(output::usage_error(&error)),
    };
    let printer = Printer::new(&cli.output, cli.command.name());
    if cli.output.verbose {
        dot_env.describe().iter().for_each(|line| printer.note(line));
    }
    let result = dot_env.check().and_then(|()| commands::run(&cli, &printer));
    ExitCode::from(result.unwrap_or_else(|error| printer.error(&error)))
}
