//! Progress line of a running script: `Applying V1__initial_schema ... done (12 ms)`.
//!
//! On a terminal it is redrawn every second while the script runs. Elsewhere it is written once, from
//! left to right.

use std::io::{IsTerminal as _, Write as _};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use migrator::ServerProgress;

/// Clears the line. Not written through `anstream`, which would drop it together with colours.
const ERASE: &str = "\r\u{1b}[K";

/// Number of statements from which on a script is a long one.
const LONG: usize = 5000;

/// True if lines on standard error can be redrawn.
pub(crate) fn can_redraw() -> bool {
    std::io::stderr().is_terminal() && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// The last line of the messages, while it is not complete.
pub(crate) struct ProgressLine {
    enabled: bool,
    redraws: bool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The current action; empty if there is none.
    text: String,
    /// Number of the statement, and how many there are.
    statement: Option<(usize, usize)>,
    /// True if the cursor is behind the text.
    open: bool,
}

impl ProgressLine {
    pub(crate) fn new(enabled: bool, redraws: bool) -> Self {
        Self { enabled, redraws, state: Mutex::default() }
    }

    pub(crate) fn redraws(&self) -> bool {
        self.redraws
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts a line for an action.
    pub(crate) fn begin(&self, text: &str) {
        let mut state = self.state();
        *state = State { text: text.to_owned(), statement: None, open: true };
        self.write(&format!("{text} ... "));
    }

    /// A statement of the action starts. Where the line is not redrawn, a long script gets a line of
    /// its own for every tenth.
    pub(crate) fn statement(&self, number: usize, of: usize) {
        self.state().statement = Some((number, of));
        let tenth = of / 10;
        if !self.redraws && of >= LONG && number < of && number.is_multiple_of(tenth) {
            self.interrupt();
            self.write(&format!("  statement {number} of {of}\n"));
        }
    }

    /// Redraws the line with the current progress.
    pub(crate) fn redraw(&self, elapsed: Duration, server: Option<&ServerProgress>) {
        let mut state = self.state();
        if self.redraws && !state.text.is_empty() {
            erase();
            let line = describe(&state, elapsed, server);
            self.write(&shortened(&line, width()));
            state.open = true;
        }
    }

    /// Completes the line.
    pub(crate) fn finish(&self, end: &str) {
        let mut state = self.state();
        if self.redraws && state.open {
            erase();
            self.write(&format!("{} ... ", state.text));
        }
        self.write(&format!("{end}\n"));
        *state = State::default();
    }

    /// Completes the line, if there is one.
    pub(crate) fn fail(&self, end: &str) {
        let going_on = { self.state().open };
        if going_on {
            self.finish(end);
        }
        *self.state() = State::default();
    }

    /// Ends the line for another message.
    pub(crate) fn interrupt(&self) {
        let mut state = self.state();
        if state.open {
            if self.redraws {
                erase();
                self.write(&format!("{} ...", state.text));
            }
            self.write("\n");
            state.open = false;
        }
    }

    fn write(&self, text: &str) {
        if self.enabled {
            let mut stderr = anstream::stderr();
            let _ = write!(stderr, "{text}");
            let _ = stderr.flush();
        }
    }
}

fn erase() {
    let _ = write!(std::io::stderr(), "{ERASE}");
}

/// `Applying V5__x ... 12 s (statement 3 of 4; building index: scanning table, 42 %)`
fn describe(state: &State, elapsed: Duration, server: Option<&ServerProgress>) -> String {
    let statement = state.statement.filter(|(_, of)| *of > 1);
    let parts = [
        statement.map(|(number, of)| format!("statement {number} of {of}")),
        server.map(ToString::to_string),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    let more = match &parts[..] {
        [] => String::new(),
        parts => format!(" ({})", parts.join("; ")),
    };
    format!("{} ... {}{more}", state.text, clock(elapsed))
}

/// `12 s`, `1 min 5 s`, `2 h 3 min`.
fn clock(elapsed: Duration) -> String {
    let seconds = elapsed.as_secs();
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, seconds) => format!("{minutes} min {seconds} s"),
        (hours, minutes, _) => format!("{hours} h {minutes} min"),
    }
}

/// At most one line of the terminal: a wrapped line cannot be redrawn.
fn shortened(line: &str, width: usize) -> String {
    if line.chars().count() < width {
        return line.to_owned();
    }
    let kept: String = line.chars().take(width.saturating_sub(2)).collect();
    format!("{kept}…")
}

fn width() -> usize {
    let size = terminal_size::terminal_size_of(std::io::stderr());
    // A terminal of unknown size reports 0.
    size.map(|(width, _)| usize::from(width.0)).filter(|width| *width > 0).unwrap_or(80)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use migrator::ServerProgress;

    use super::{State, clock, describe, shortened};

    #[test]
    fn the_line_says_what_is_known() {
        let state = |statement| State { text: "Applying V5__x".to_owned(), statement, open: true };
        let server = ServerProgress {
            doing: "building index: scanning table".to_owned(),
            percent: Some(42),
            waits_for: None,
        };
        let elapsed = Duration::from_millis(12_900);
        for (state, server, text) in [
            (state(None), None, "Applying V5__x ... 12 s"),
            (state(Some((1, 1))), None, "Applying V5__x ... 12 s"),
            (state(Some((3, 4))), None, "Applying V5__x ... 12 s (statement 3 of 4)"),
            (
                state(Some((3, 4))),
                Some(&server),
                "Applying V5__x ... 12 s (statement 3 of 4; building index: scanning table, 42 %)",
            ),
        ] {
            assert_eq!(describe(&state, elapsed, server), text);
        }
    }

    #[test]
    fn times_are_short_to_read() {
        for (seconds, text) in [
            (0, "0 s"),
            (59, "59 s"),
            (65, "1 min 5 s"),
            (3600, "1 h 0 min"),
            (90_000, "25 h 0 min"),
        ] {
            assert_eq!(clock(Duration::from_secs(seconds)), text);
        }
    }

    #[test]
    fn a_line_fits_the_terminal() {
        assert_eq!(shortened("abc", 80), "abc");
        assert_eq!(shortened("abcdefgh", 6), "abcd…");
        assert_eq!(shortened("äöüß", 4), "äö…");
    }
}
