//! `--watch`: repeated checks, until Ctrl-C or their number is reached.

use std::io::{self, IsTerminal as _, Write as _};
use std::pin::pin;
use std::time::Duration;

use chrono::Utc;
use migrator::{Error, exit_code};
use serde_json::{Value, json};
use tokio::signal::ctrl_c;
use tokio::time::MissedTickBehavior;

use crate::args::OutputOptions;
use crate::commands::health::{HealthCheck, Target, text};
use crate::output::format::elapsed;

/// Display of a check.
#[derive(Clone, Copy)]
enum Display {
    /// The report, in place of the previous one.
    Redrawn,
    /// A line of text.
    Line,
    /// Its document on one line.
    JsonLine,
}

/// Moves to the upper left corner. The screen is overwritten rather than cleared, so that it does not flicker.
const HOME: &str = "\x1b[H";
const CLEAR_SCREEN: &str = "\x1b[2J";
const CLEAR_TO_END_OF_LINE: &str = "\x1b[K";
const CLEAR_TO_END: &str = "\x1b[J";

/// Returns the exit code of the last check, or `NO` if there was none.
pub(super) async fn run(
    target: &Target,
    output: &OutputOptions,
    interval: Duration,
    count: Option<u64>,
) -> Result<u8, Error> {
    let display = Display::of(output);
    let mut exit_code = exit_code::NO;
    let mut interrupted = pin!(ctrl_c());
    let mut ticks = tokio::time::interval(interval);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    if let Display::Redrawn = display {
        control(CLEAR_SCREEN);
    }
    for _ in 0..count.unwrap_or(u64::MAX) {
        let check = async {
            ticks.tick().await;
            target.check().await
        };
        let check = tokio::select! {
            check = check => check?,
            _ = &mut interrupted => break,
        };
        exit_code = check.exit_code();
        display.show(&check, interval);
    }
    Ok(exit_code)
}

impl Display {
    fn of(output: &OutputOptions) -> Self {
        let can_redraw = io::stdout().is_terminal()
            && std::env::var_os("TERM").is_some_and(|terminal| terminal != "dumb");
        match (output.json, can_redraw) {
            (true, _) => Self::JsonLine,
            (false, true) => Self::Redrawn,
            (false, false) => Self::Line,
        }
    }

    fn show(self, check: &HealthCheck, interval: Duration) {
        let mut stdout = anstream::stdout();
        match self {
            Self::Redrawn => {
                let now = Utc::now().format("%H:%M:%S UTC");
                let frame = format!(
                    "every {}, Ctrl-C ends; {now}\n\n{}\n{}",
                    elapsed(interval),
                    text::report(check),
                    check.remarks()
                );
                control(HOME);
                for line in frame.lines() {
                    let _ = write!(stdout, "{line}");
                    control(CLEAR_TO_END_OF_LINE);
                    let _ = writeln!(stdout);
                }
                control(CLEAR_TO_END);
            }
            Self::Line => {
                let _ = writeln!(stdout, "{}", text::line(check));
            }
            Self::JsonLine => {
                let _ = writeln!(stdout, "{}", with_command(check.document()));
            }
        }
    }
}

fn with_command(mut document: Value) -> Value {
    document["command"] = json!("health");
    document
}

/// Not through `anstream`, which would drop it together with colours.
fn control(sequence: &str) {
    let mut stdout = io::stdout();
    let _ = stdout.write_all(sequence.as_bytes());
    let _ = stdout.flush();
}
