//! One file for each subcommand.

mod baseline;
mod check;
mod completions;
mod confirm;
mod current;
mod down;
mod drift;
mod dump;
mod grant;
mod health;
mod lint;
mod man;
mod new;
mod repair;
mod scripts;
mod sql;
mod status;
mod up;

use migrator::{Direction, Error};

use crate::args::{Cli, Command};
use crate::commands::confirm::Confirmation;
use crate::output::Printer;

/// Runs the command and returns its exit code.
pub(crate) fn run(cli: &Cli, printer: &Printer) -> Result<u8, Error> {
    // One thread is enough for one connection, and leaves nothing behind when the process ends.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime needs nothing but memory and a few file descriptors");
    let result = runtime.block_on(async {
        match &cli.command {
            Command::Up { to, dry_run, run } => up::run(cli, printer, *to, *dry_run, *run).await,
            Command::Down { to, steps, dry_run, yes, run } => {
                let confirmation = Confirmation::of(*dry_run, *yes);
                down::run(cli, printer, down::target(*to, *steps), confirmation, *run).await
            }
            Command::Repair { arguments, dry_run, yes, run } => {
                let confirmation = Confirmation::of(*dry_run, *yes);
                repair::run(cli, printer, arguments.action(), confirmation, *run).await
            }
            Command::Status { check } => {
                let verdict =
                    if *check { status::Verdict::ExitCode } else { status::Verdict::None };
                status::run(cli, printer, verdict).await
            }
            Command::Sql { from, to, down, limits } => {
                let direction = if *down { Direction::Undo } else { Direction::Apply };
                sql::run(cli, printer, sql::range(direction, *from, *to), *limits)
            }
            Command::Baseline { arguments, dry_run, yes, wait, shadow } => {
                let (target, confirmation) = (arguments.target(), Confirmation::of(*dry_run, *yes));
                baseline::run(cli, printer, target, confirmation, *wait, shadow).await
            }
            Command::Current => current::run(cli, printer).await,
            Command::New(arguments) if arguments.from_drift => {
                Box::pin(new::from_drift::run(cli, printer, arguments)).await
            }
            Command::New(arguments) => new::run(cli, printer, &arguments.name),
            Command::Check(arguments) => check::run(cli, printer, arguments).await,
            Command::Lint { from } => lint::run(cli, printer, *from),
            Command::Grant { arguments, wait } => grant::run(cli, printer, arguments, *wait).await,
            Command::Completions { shell } => Ok(completions::run(printer, *shell)),
            Command::Man { command } => Ok(man::run(printer, command.as_deref())),
            Command::Health { arguments } => health::run(cli, printer, arguments).await,
            Command::Drift(arguments) => Box::pin(drift::run(cli, printer, arguments)).await,
            Command::Dump(arguments) => dump::run(cli, printer, arguments).await,
        }
    });
    // Not waiting for a name lookup that the time limit has given up on.
    runtime.shutdown_background();
    result
}
