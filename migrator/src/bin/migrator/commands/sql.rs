//! `migrator sql`: the script that applies or undoes migrations by hand.

use migrator::{Direction, Error, OfflineRange, exit_code, offline_script};
use serde_json::json;

use crate::args::{Cli, LimitOptions};
use crate::output::Printer;

/// `to` is there for undoing: the options say so.
pub(crate) fn range(direction: Direction, from: Option<i64>, to: Option<i64>) -> OfflineRange {
    match (direction, to) {
        (Direction::Undo, Some(to)) => OfflineRange::Down { from, to },
        (Direction::Apply | Direction::Undo, to) => {
            OfflineRange::Up { from: from.unwrap_or(0), to }
        }
    }
}

pub(crate) fn run(
    cli: &Cli,
    printer: &Printer,
    range: OfflineRange,
    limits: LimitOptions,
) -> Result<u8, Error> {
    let script = offline_script(&cli.migrations.load()?, range, &limits.options())?;
    let document = json!({
        "direction": script.direction.to_string(),
        "from": script.from,
        "to": script.to,
        "migrations": script.migrations,
        "sql": script.sql,
    });
    printer.result(&document, || script.sql.clone());
    Ok(exit_code::DONE)
}
