//! `migrator up`: apply pending migrations.

use migrator::{Error, MigrationName, PlannedMigration, exit_code};
use serde_json::{Value, json};

use crate::cli::{Cli, LockOptions};
use crate::output::{Printer, count, elapsed, timed};

const NOTHING_TO_DO: &str = "Nothing to do: no migration is pending";

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
        None => printer.note(NOTHING_TO_DO),
        Some(newest) => printer.note(&format!(
            "{} applied, the database is at {newest}",
            count(names.len(), "migration")
        )),
    }
    printer.result(&json!({ "applied": applied }), String::new);
    Ok(exit_code::DONE)
}

/// `--dry-run`: what would run, in order.
pub(crate) async fn plan(cli: &Cli, printer: &Printer, to: Option<i32>) -> Result<u8, Error> {
    let url = cli.database.url()?;
    let options = cli.database.connect_options()?;
    let migrations = cli.migrations.load()?;
    let mut on_event = |event| printer.event(&event);
    let planned = migrator::plan_up(&url, &options, &migrations, to, &mut on_event).await?;
    let document = json!({
        "dry_run": true,
        "would_apply": planned.iter().map(planned_document).collect::<Vec<_>>(),
    });
    printer.result(&document, || table(&planned));
    if planned.is_empty() {
        printer.note(NOTHING_TO_DO);
    } else {
        let number = count(planned.len(), "migration");
        printer.note(&format!("{number} would be applied; nothing was changed"));
    }
    Ok(exit_code::DONE)
}

/// The checksum is a text: it has 64 bits, of which readers of JSON keep 53.
fn planned_document(planned: &PlannedMigration) -> Value {
    json!({
        "version": planned.name.version,
        "name": planned.name.name,
        "checksum": planned.checksum.to_string(),
        "lock_timeout_ms": planned.lock_limit.map(|limit| limit.as_millis()),
    })
}

fn table(planned: &[PlannedMigration]) -> String {
    if planned.is_empty() {
        return String::new();
    }
    let names = planned.iter().map(|planned| planned.name.name.len());
    let name = names.max().unwrap_or(0).max("NAME".len());
    let heading = format!("VERSION  {:<name$}  {:<20}  LOCK TIMEOUT\n", "NAME", "CHECKSUM");
    let line = |planned: &PlannedMigration| {
        let MigrationName { version, name: text } = &planned.name;
        let checksum = planned.checksum;
        let limit = planned.lock_limit.map_or_else(|| "its own".to_owned(), elapsed);
        format!("{version:<7}  {text:<name$}  {checksum:<20}  {limit}\n")
    };
    let lines: Vec<String> = planned.iter().map(line).collect();
    heading + &lines.concat()
}
