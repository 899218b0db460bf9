//! `migrator drift --script`: writes what takes the database to its migrations.

use std::path::Path;

use migrator::{
    DriftOptions, DriftScript, DriftScriptOptions, DumpError, Error, FoundRows, Migrator,
    describe_rows, exit_code,
};
use serde_json::{Value, json};

use crate::args::ScriptOptions;
use crate::output::{Printer, warning};

pub(super) async fn run(
    printer: &Printer,
    migrator: &mut Migrator<'_>,
    request: &DriftOptions,
    options: &ScriptOptions,
) -> Result<u8, Error> {
    let wanted = DriftScriptOptions {
        drop_extra: options.drop_extra,
        assume_timezone: options.assume_timezone.clone(),
    };
    let script = migrator::drift_script(migrator, request, &wanted).await?;
    let path = Some(options.output.as_path()).filter(|path| *path != Path::new("-"));
    if let Some(path) = path {
        std::fs::write(path, &script.sql)
            .map_err(|source| DumpError::Write { path: path.to_owned(), source })?;
    }
    printer.result(&document(&script, path), || match path {
        Some(_) => String::new(),
        None => script.sql.clone(),
    });
    report(printer, &script);
    if script.is_complete() { Ok(exit_code::DONE) } else { Ok(exit_code::NO) }
}

/// The same as at the top of the script, as messages.
fn report(printer: &Printer, script: &DriftScript) {
    for rows in &script.rows {
        warning(&format!("{}\n  {}", describe_rows(rows), rows.query));
    }
    for change in &script.undecided {
        warning(&format!("not done: {}", change.reason));
    }
    for id in &script.optional {
        printer.note(&format!("Made optional: {id}, which the migrations do not have"));
    }
    for remark in script.lossy.iter().flat_map(|statement| &statement.remarks) {
        warning(remark);
    }
    for note in &script.notes {
        printer.note(note);
    }
    let kept = script.kept();
    if !kept.is_empty() {
        printer.note(&format!("Kept: {}", kept.join(", ")));
    }
    if !script.is_complete() {
        printer.hint("do by hand what is listed, and run the command again");
        return;
    }
    let Some(newest) = &script.leads_to else { return };
    if script.without_history {
        printer.hint(&format!(
            "read the script and run it with `psql`, then mark the migrations as applied: `migrator baseline {}`",
            newest.version
        ));
    } else {
        printer.hint("read the script and run it with `psql`");
    }
}

fn document(script: &DriftScript, path: Option<&Path>) -> Value {
    let rows = |rows: &FoundRows| {
        json!({
            "object": rows.id.to_string(),
            "problem": rows.problem,
            "count": rows.count,
            "query": rows.query,
            "blocks": rows.blocks,
        })
    };
    json!({
        "output": path,
        "leads_to": script.leads_to.as_ref().map(|name| name.version),
        "complete": script.is_complete(),
        "rows": script.rows.iter().map(rows).collect::<Vec<_>>(),
        "undecided": script.undecided.iter().map(|change| json!({
            "object": change.id.as_ref().map(ToString::to_string),
            "reason": change.reason,
            "sql": change.sql,
        })).collect::<Vec<_>>(),
        "made_optional": script.optional.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "lossy": script.lossy.iter().map(|statement| json!({
            "reason": statement.remarks.join(" "),
            "sql": statement.sql,
        })).collect::<Vec<_>>(),
        "kept": script.kept(),
        "notes": script.notes,
        "sql": script.sql,
    })
}
