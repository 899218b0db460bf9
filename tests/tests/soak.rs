//! `cargo soak`: mixed load for minutes, with a verdict.

use std::process::ExitCode;

use clap::Parser;
use tests::soak::{self, Options};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match soak::run(&Options::parse()).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(err) => fail(&err),
    }
}

#[expect(clippy::print_stderr, reason = "the end of the program")]
fn fail(err: &anyhow::Error) -> ExitCode {
    eprintln!("error: {err:#}");
    ExitCode::FAILURE
}
