//! `migrator man`: manual pages, generated from the help texts.

use clap::CommandFactory as _;
use clap_mangen::Man;
use migrator::exit_code;
use serde_json::json;

use crate::args::Cli;
use crate::output::Printer;

/// Page of a command, whose name was checked, or of the program.
pub(crate) fn run(printer: &Printer, command: Option<&str>) -> u8 {
    let mut program = Cli::command();
    // Gives commands their full names, and the options that they share with the program.
    program.build();
    let found = command.and_then(|name| program.find_subcommand(name)).unwrap_or(&program).clone();
    let mut page = Vec::new();
    Man::new(found).render(&mut page).expect("writing to memory does not fail");
    let page = String::from_utf8_lossy(&page);
    printer.result(&json!({ "page": page }), || page.to_string());
    exit_code::DONE
}
