//! `cargo bench-api`: the cost of the API, in tables.

use std::process::ExitCode;

use tests::bench::{self, Options};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match bench::run(&Options::from_arguments()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(err) => fail(&err),
    }
}

#[expect(clippy::print_stderr, reason = "the end of the program")]
fn fail(err: &anyhow::Error) -> ExitCode {
    eprintln!("error: {err:#}");
    ExitCode::FAILURE
}
