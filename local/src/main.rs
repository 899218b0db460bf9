//! `cargo up`: builds the component, provides PostgreSQL, applies the schema and serves. Parse, run, exit.

mod cli;
mod failure;
mod project;
mod secret;
mod talk;
mod up;

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use tokio::runtime::Runtime;

use crate::cli::{Cli, Command, TokenOptions};
use crate::failure::Failure;
use crate::project::Project;
use crate::talk::Talk;

fn main() -> ExitCode {
    // `.env` comes before the options, which may be in it, and before there is a second thread, because it changes
    // the environment.
    let project = Project::find();
    let dot_env = project.load_dot_env();
    let cli = Cli::parse();
    let talk = Talk::new(cli.quiet());
    let result = dot_env.and_then(|()| match cli.command {
        Command::Up(options) => run(up::run(&options, &project, &talk)),
        Command::Token(options) => print_token(&options, &project),
    });
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            talk::failure(&failure);
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

fn print_token(options: &TokenOptions, project: &Project) -> Result<(), Failure> {
    let secret = secret::load_or_create(project)?;
    let token = secret::mint(&secret, &options.user, options.email.as_deref(), options.expires);
    talk::result(&token);
    Ok(())
}
