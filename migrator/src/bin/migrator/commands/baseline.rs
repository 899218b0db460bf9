//! `migrator baseline`: adopt a schema that is there already.

use migrator::{Baseline, BaselineTarget, Error, exit_code};
use serde_json::{Value, json};

use crate::args::{Cli, ShadowOptions, WaitOptions};
use crate::commands::confirm::{self, Confirmation};
use crate::output::format::count;
use crate::output::{Printer, ask, warning};

/// `--dry-run`: what would be adopted.
pub(crate) async fn plan(
    cli: &Cli,
    printer: &Printer,
    target: BaselineTarget,
    shadow: &ShadowOptions,
) -> Result<u8, Error> {
    let url = cli.database.url()?;
    let options = cli.database.connect_options()?;
    let migrations = cli.migrations.load()?;
    let server = shadow.url()?;
    let server = server.as_ref();
    let mut on_event = |event| printer.event(&event);
    let plan =
        migrator::plan_baseline(&url, &options, &migrations, target, server, &mut on_event).await?;
    report_revision(printer, &plan);
    let number = count(plan.adopted.len(), "migration");
    printer.note(&format!("{number} would be adopted; nothing was changed"));
    let mut document = document(&plan);
    document["dry_run"] = json!(true);
    printer.result(&document, || {
        plan.adopted.iter().map(|name| format!("{name}\n")).collect::<Vec<_>>().concat()
    });
    plan.warnings.iter().for_each(|text| warning(text));
    Ok(exit_code::DONE)
}

pub(crate) async fn run(
    cli: &Cli,
    printer: &Printer,
    target: BaselineTarget,
    confirmation: Confirmation,
    wait: WaitOptions,
    shadow: &ShadowOptions,
) -> Result<u8, Error> {
    let url = cli.database.url()?;
    let options = cli.database.connect_options()?;
    let migrations = cli.migrations.load()?;
    let server = shadow.url()?;
    let server = server.as_ref();
    let mut on_event = |event| printer.event(&event);
    if confirmation == Confirmation::Ask {
        if !confirm::can_ask() {
            return Err(Error::AdoptionUnconfirmed);
        }
        let plan =
            migrator::plan_baseline(&url, &options, &migrations, target, server, &mut on_event)
                .await?;
        report_revision(printer, &plan);
        plan.warnings.iter().for_each(|text| warning(text));
        let question = format!(
            "Note {} as applied on database `{}` at `{}`, and run nothing?",
            names(&plan),
            url.database(),
            url.host()
        );
        if !ask(&question) {
            printer.note("Nothing was adopted");
            printer.result(&document(&Baseline { adopted: Vec::new(), ..plan }), String::new);
            return Ok(exit_code::NO);
        }
    }

    let wait = wait.wait;
    let done = migrator::baseline(&url, &options, wait, &migrations, target, server, &mut on_event)
        .await?;
    if confirmation == Confirmation::Given {
        report_revision(printer, &done);
    }
    printer.note(&format!("{} adopted; nothing was run", names(&done)));
    printer.result(&document(&done), String::new);
    if confirmation == Confirmation::Given {
        done.warnings.iter().for_each(|text| warning(text));
    }
    Ok(exit_code::DONE)
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
