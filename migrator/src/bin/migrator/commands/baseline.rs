//! `migrator baseline`: adopt a schema that is there already.

use migrator::{Baseline, BaselineTarget, Error, Migrator, RunOptions, exit_code};
use serde_json::{Value, json};

use crate::args::{Cli, ShadowOptions, WaitOptions};
use crate::commands::confirm::{self, Confirmation};
use crate::output::format::count;
use crate::output::{Printer, ask, warning};

pub(crate) async fn run(
    cli: &Cli,
    printer: &Printer,
    target: BaselineTarget,
    confirmation: Confirmation,
    wait: WaitOptions,
    shadow: &ShadowOptions,
) -> Result<u8, Error> {
    let database = cli.database.database()?;
    let migrations = cli.migrations.load()?;
    let server = &shadow.server()?;
    if confirmation == Confirmation::Ask && !confirm::can_ask() {
        return Err(Error::AdoptionUnconfirmed);
    }
    let options = RunOptions { wait: wait.wait, ..RunOptions::default() };
    let mut on_event = |event| printer.event(&event);
    let mut migrator = Migrator::new(database, &migrations, &mut on_event).with_options(options);
    let baseline = match confirmation {
        Confirmation::Given => migrator.baseline(target, server).await?,
        Confirmation::Ask | Confirmation::DryRun => migrator.plan_baseline(target, server).await?,
    };
    report_revision(printer, &baseline);
    let warn = || baseline.warnings.iter().for_each(|text| warning(text));
    match confirmation {
        Confirmation::DryRun => {
            let number = count(baseline.adopted.len(), "migration");
            printer.note(&format!("{number} would be adopted; nothing was changed"));
            let mut document = document(&baseline);
            document["dry_run"] = json!(true);
            let line = |name| format!("{name}\n");
            printer.result(&document, || baseline.adopted.iter().map(line).collect());
            warn();
        }
        Confirmation::Given => {
            report_adopted(printer, &baseline);
            warn();
        }
        Confirmation::Ask => {
            warn();
            let question = format!(
                "Note {} as applied on {}, and run nothing?",
                names(&baseline),
                migrator.database()
            );
            if !ask(&question) {
                printer.note("Nothing was adopted");
                let nothing = Baseline { adopted: Vec::new(), ..baseline };
                printer.result(&document(&nothing), String::new);
                return Ok(exit_code::NO);
            }
            report_adopted(printer, &migrator.baseline(target, server).await?);
        }
    }
    Ok(exit_code::DONE)
}

fn report_adopted(printer: &Printer, baseline: &Baseline) {
    printer.note(&format!("{} adopted; nothing was run", names(baseline)));
    printer.result(&document(baseline), String::new);
}

fn report_revision(printer: &Printer, baseline: &Baseline) {
    if let Some(revision) = &baseline.alembic_revision {
        printer.note(&format!("Alembic is at revision `{revision}`: that is {}", names(baseline)));
    }
}

fn names(baseline: &Baseline) -> String {
    baseline.adopted.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn document(baseline: &Baseline) -> Value {
    json!({
        "dry_run": false,
        "adopted": baseline.adopted,
        "alembic_revision": baseline.alembic_revision,
        "warnings": baseline.warnings,
    })
}
