//! One file for each subcommand.

mod current;
mod down;
mod grant;
mod health;
mod new;
mod status;
mod up;

use migrator::Error;

use crate::cli::{Cli, Command};
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
            Command::Up { to, lock } => up::run(cli, printer, *to, *lock).await,
            Command::Down { to, steps, yes, lock } => {
                let target = down::target(*to, *steps);
                let consent = if *yes { down::Consent::Given } else { down::Consent::ToBeAsked };
                down::run(cli, printer, target, consent, *lock).await
            }
            Command::Status { check } => {
                let verdict =
                    if *check { status::Verdict::ExitCode } else { status::Verdict::None };
                status::run(cli, printer, verdict).await
            }
            Command::Current => current::run(cli, printer).await,
            Command::New { name } => new::run(cli, printer, name),
            Command::Grant { wish, lock } => grant::run(cli, printer, wish, *lock).await,
            Command::Health { role } => health::run(cli, printer, role.as_deref()).await,
        }
    });
    // Not waiting for a name lookup that the time limit has given up on.
    runtime.shutdown_background();
    result
}
