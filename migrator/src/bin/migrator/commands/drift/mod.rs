//! `migrator drift`: compare the database with what its migrations create.

mod script;
pub(crate) mod text;

use migrator::{Change, Difference, Drift, DriftOptions, Error, Migrator, Property, exit_code};
use serde_json::{Value, json};

use crate::args::{Cli, DriftArguments};
use crate::output::Printer;
use crate::output::format::count;

pub(crate) async fn run(
    cli: &Cli,
    printer: &Printer,
    arguments: &DriftArguments,
) -> Result<u8, Error> {
    let database = cli.database.database()?;
    let migrations = cli.migrations.load()?;
    let request = DriftOptions {
        to: arguments.to,
        shadow_server: arguments.shadow.server()?,
        grants: arguments.grants,
        ignored: arguments.ignore.clone(),
    };
    let mut on_event = |event| printer.event(&event);
    let mut migrator = Migrator::new(database, &migrations, &mut on_event);
    if arguments.script.script {
        return script::run(printer, &mut migrator, &request, &arguments.script).await;
    }
    let drift = migrator::drift(&mut migrator, &request).await?;

    if !drift.pending.is_empty() {
        let number = count(drift.pending.len(), "migration");
        printer.note(&format!("{number} pending, and not compared"));
    }
    if !drift.not_compared.is_empty() {
        printer.note(&format!("Not compared: {}", drift.not_compared.join(", ")));
    }
    printer.result(&document(&drift), || text::render(&drift));
    if drift.differences.is_empty() {
        let newest =
            drift.compared_to.as_ref().map_or("no migration".to_owned(), ToString::to_string);
        printer.note(&format!("No drift: the database is what {newest} leaves"));
        return Ok(exit_code::DONE);
    }
    let number = count(drift.differences.len(), "difference");
    printer.note(&format!(
        "{number} between the database and its migrations (`+` only in the database, `-` only in the migrations)"
    ));
    printer.hint(
        "`migrator new NAME --from-drift` writes the differences as a migration; `migrator drift --script` writes what undoes them",
    );
    Ok(exit_code::NO)
}

fn document(drift: &Drift) -> Value {
    json!({
        "drift": !drift.differences.is_empty(),
        "compared_to": drift.compared_to.as_ref().map(|name| name.version),
        "pending": drift.pending.len(),
        "differences": drift.differences.iter().map(|difference| difference_document(drift, difference)).collect::<Vec<_>>(),
        "not_compared": drift.not_compared,
    })
}

fn difference_document(drift: &Drift, difference: &Difference) -> Value {
    let id = &difference.id;
    let property = |property: Property, live: Option<&String>, made: Option<&String>| json!({ "property": property, "live": live, "migrations": made });
    let (change, properties): (_, Vec<Value>) = match &difference.change {
        Change::OnlyInFirst => {
            let object = drift.live.objects.get(id).into_iter();
            let all = object.flat_map(|object| &object.properties);
            ("added", all.map(|(name, value)| property(*name, Some(value), None)).collect())
        }
        Change::OnlyInSecond => {
            let object = drift.expected.objects.get(id).into_iter();
            let all = object.flat_map(|object| &object.properties);
            ("missing", all.map(|(name, value)| property(*name, None, Some(value))).collect())
        }
        Change::Changed(changes) => {
            let all = changes.iter();
            let all = all.map(|(name, live, made)| property(*name, live.as_ref(), made.as_ref()));
            ("changed", all.collect())
        }
    };
    json!({
        "change": change,
        "kind": id.kind,
        "schema": id.schema,
        "table": id.table,
        "name": id.name,
        "object": id.to_string(),
        "properties": properties,
    })
}
