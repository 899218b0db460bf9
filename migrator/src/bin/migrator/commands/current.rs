//! `migrator current`: the newest applied migration.

use migrator::{AppliedMigration, Error, Migrations, Migrator, exit_code};
use serde_json::json;

use crate::args::Cli;
use crate::output::Printer;

pub(crate) async fn run(cli: &Cli, printer: &Printer) -> Result<u8, Error> {
    let database = cli.database.database()?;
    let migrations = Migrations::embedded();
    let mut on_event = |event| printer.event(&event);
    let current = Migrator::new(database, &migrations, &mut on_event).current().await?;
    let document = json!({
        "version": current.as_ref().map(|current| current.name.version),
        "name": current.as_ref().map(|current| &current.name.name),
        "applied_on": current.as_ref().map(AppliedMigration::applied_on_rfc3339),
    });
    printer.result(&document, || match &current {
        Some(current) => format!("{}\n", current.name),
        None => "none\n".to_owned(),
    });
    Ok(exit_code::DONE)
}
