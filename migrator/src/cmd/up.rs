//! `migrator up`: apply pending migrations.

use migrator::{Error, exit_code};
use serde_json::json;

use crate::cli::{Cli, LockOptions};
use crate::output::{Printer, count, timed};

pub(crate) async fn run(
    cli: &Cli,
    printer: &Printer,
    to: Option<i32>,
    lock: LockOptions,
) -> Result<u8, Error> {
    let url = cli.database.url()?;
    let options = cli.database.connect_options()?;
    let migrations = cli.migrations.load()?;
    let mut applied = Vec::new();
    let mut on_event = |event| {
        printer.event(&event);
        if let migrator::Event::Applied { name, elapsed } = event {
            applied.push(timed(&name, elapsed));
        }
    };
    let names =
        migrator::up_waiting(&url, &options, lock.lock_timeout, &migrations, to, &mut on_event)
            .await?;
    match names.last() {
        None => printer.note("Nothing to do: no migration is pending"),
        Some(newest) => printer.note(&format!(
            "{} applied, the database is at {newest}",
            count(names.len(), "migration")
        )),
    }
    printer.result(&json!({ "applied": applied }), String::new);
    Ok(exit_code::DONE)
}
