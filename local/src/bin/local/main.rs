//! `cargo up`: builds the component, provides PostgreSQL, applies the schema and serves. Parse, run, exit.

mod args;
mod console;
mod failure;
mod paths;
mod secret;
mod token;
mod up;

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use tokio::runtime::Runtime;

use crate::args::{Cli, Command, TokenOptions};
use crate::console::Console;
use crate::failure::Failure;
use crate::paths::ProjectPaths;

fn main() -> ExitCode {
    // `.env` comes before the options, which may be in it, and before there is a second thread, because it changes
    // the environment.
    let paths = ProjectPaths::find();
    let dot_env = paths.load_dot_env();
    let cli = Cli::parse();
    let console = Console::new(cli.quiet());
    let result = dot_env.and_then(|()| match cli.command {
        Command::Up(options) => run(up::run(&options, &paths, &console)),
        Command::Token(options) => print_token(&options, &paths),
    });
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            console::failure(&failure);
            ExitCode::from(failure.exit_code())
        }
    }
}

fn run(command: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    let runtime = Runtime::new().map_err(Failure::Runtime)?;
    let result = runtime.block_on(command);
    // A build that was interrupted may still be waiting for its compiler.
    runtime.shutdown_timeout(Duration::from_secs(1));
    result
}

fn print_token(options: &TokenOptions, paths: &ProjectPaths) -> Result<(), Failure> {
    let secret = secret::load_or_create(paths)?;
    let token = secret::mint(&secret, &options.user, options.email.as_deref(), options.expires);
    console::result(&token);
    Ok(())
}
