//! Console output: messages on standard error, data on standard output.

use std::io::Write;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use anstyle::{AnsiColor, Style};
use local::Error;

const BOLD: Style = Style::new().bold();
const STEP: Style = AnsiColor::Green.on_default();
const WARNING: Style = AnsiColor::Yellow.on_default().bold();
const HINT: Style = AnsiColor::Cyan.on_default().bold();

/// Prints messages, in colour on a terminal. Errors in writing are ignored.
#[derive(Clone, Copy)]
pub(crate) struct Console {
    quiet: bool,
}

impl Console {
    pub(crate) fn new(quiet: bool) -> Console {
        Console { quiet }
    }

    /// Reports a step.
    pub(crate) fn report(self, text: &str) {
        self.print(&format!("{STEP}·{STEP:#} {text}"));
    }

    pub(crate) fn print(self, text: &str) {
        if !self.quiet {
            line(text);
        }
    }

    /// The only line with `--quiet`.
    pub(crate) fn serving(self, url: &str) {
        let gap = if self.quiet { "" } else { "\n" };
        line(&format!("{gap}Serving {BOLD}{url}{BOLD:#}"));
    }
}

/// Lines of another program, as they are.
pub(crate) fn lines(text: &str) {
    line(text);
}

/// A warning, also with `--quiet`.
pub(crate) fn warning(text: &str) {
    line(&format!("{WARNING}warning:{WARNING:#} {text}"));
}

/// An error, with the line of the file and the hint.
pub(crate) fn error(error: &Error) {
    let title = Level::ERROR.primary_title(error.message());
    let report = match error.place() {
        None => Group::with_title(title),
        Some(place) => title.element(
            Snippet::source(&place.text)
                .path(place.path.display().to_string())
                .annotation(AnnotationKind::Primary.span(place.span.clone())),
        ),
    };
    line(&Renderer::styled().render(&[report]));
    if !error.details().is_empty() {
        line(error.details());
    }
    if let Some(hint) = error.hint() {
        line(&format!("{HINT}hint:{HINT:#} {hint}"));
    }
}

/// Data, on standard output.
pub(crate) fn result(text: &str) {
    let _ = writeln!(anstream::stdout(), "{text}");
}

fn line(text: &str) {
    let _ = writeln!(anstream::stderr(), "{text}");
}
