//! `cargo up`: builds the component, provides PostgreSQL, applies the schema and serves. Parse, run, exit.

mod args;
mod console;
mod paths;
mod secret;
mod spin;
mod token;
mod up;

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use local::Error;
use tokio::runtime::Runtime;

use crate::args::{Args, Command};
use crate::console::Console;
use crate::paths::ProjectPaths;

fn main() -> ExitCode {
    // First, because it changes the environment: the options may be in it, and there is no other thread yet.
    let paths = ProjectPaths::find();
    let dot_env = paths.load_dot_env();
    let args = Args::parse();
    let console = Console::new(args.quiet());
    if args.verbose() {
        console.print(&paths.describe_dot_env());
    }
    let result = dot_env.and_then(|()| match args.command {
        Command::Up(options) => run(up::run(&options, &paths, console)),
        Command::Token(options) => secret::load_or_create(&paths).map(|secret| {
            let token =
                token::create(&secret, &options.user, options.email.as_deref(), options.expires);
            console::result(&token);
        }),
    });
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            console::error(&error);
            ExitCode::from(error.kind().exit_code())
        }
    }
}

fn run(command: impl Future<Output = Result<(), Error>>) -> Result<(), Error> {
    let runtime = Runtime::new().map_err(|error| up::cannot_start(&error))?;
    let result = runtime.block_on(command);
    // A build that was interrupted may still be waiting for its compiler.
    runtime.shutdown_timeout(Duration::from_secs(1));
    result
}
