//! Everything that is printed: standard error is console, standard output is data.

use std::io::Write;

use anstyle::{AnsiColor, Style};

use crate::failure::Failure;

const BOLD: Style = Style::new().bold();
const STEP: Style = AnsiColor::Green.on_default();
const WARNING: Style = AnsiColor::Yellow.on_default().bold();
const ERROR: Style = AnsiColor::Red.on_default().bold();
const HINT: Style = AnsiColor::Cyan.on_default().bold();

/// Speaks to the user, in colour on a terminal. What cannot be written is dropped.
#[derive(Clone, Copy)]
pub(crate) struct Console {
    quiet: bool,
}

impl Console {
    pub(crate) fn new(quiet: bool) -> Console {
        Console { quiet }
    }

    /// A step that begins, or something on the way.
    pub(crate) fn report(self, text: &str) {
        if !self.quiet {
            line(&format!("{STEP}·{STEP:#} {text}"));
        }
    }

    /// Text as it is.
    pub(crate) fn print(self, text: &str) {
        if !self.quiet {
            line(text);
        }
    }

    /// The one line that is said in any case.
    pub(crate) fn serving(self, url: &str) {
        let gap = if self.quiet { "" } else { "\n" };
        line(&format!("{gap}Serving {BOLD}{url}{BOLD:#}"));
    }
}

/// Something that the user should know, however quiet.
pub(crate) fn warning(text: &str) {
    line(&format!("{WARNING}warning:{WARNING:#} {text}"));
}

/// Why nothing came of it, and what to do.
pub(crate) fn failure(failure: &Failure) {
    line(&format!("{ERROR}error:{ERROR:#} {failure}"));
    for detail in failure.details() {
        line(&format!("  {detail}"));
    }
    if let Some(hint) = failure.hint() {
        line(&format!("{HINT}hint:{HINT:#} {hint}"));
    }
}

/// Data, for whoever reads standard output.
pub(crate) fn result(text: &str) {
    let _ = writeln!(anstream::stdout(), "{text}");
}

fn line(text: &str) {
    let _ = writeln!(anstream::stderr(), "{text}");
}
