//! `migrator grant`: the rights of the API's role.

use migrator::{Error, GrantOptions, GrantPlan, Purpose, exit_code};
use serde_json::{Value, json};

use crate::args::{Cli, GrantArguments, WaitOptions};
use crate::output::{Printer, warning};

pub(crate) async fn run(
    cli: &Cli,
    printer: &Printer,
    arguments: &GrantArguments,
    wait: WaitOptions,
) -> Result<u8, Error> {
    let database = cli.database.database()?;
    let request = GrantOptions {
        role: arguments.role.clone(),
        provision_users: arguments.provision_users,
        statement_timeout: arguments.statement_timeout,
        idle_in_transaction_timeout: arguments.idle_in_transaction_timeout,
        random_page_cost: arguments.random_page_cost,
    };
    let mut on_event = |event| printer.event(&event);
    let plan = if arguments.dry_run {
        let plan = migrator::plan_grant(&database, &request, &mut on_event).await?;
        printer.result(&document(&plan, arguments), || plan.script());
        plan
    } else {
        let plan = migrator::grant(&database, wait.wait, &request, &mut on_event).await?;
        report(printer, &plan);
        printer.result(&document(&plan, arguments), String::new);
        plan
    };
    for text in &plan.warnings {
        warning(text);
    }
    Ok(exit_code::DONE)
}

fn report(printer: &Printer, plan: &GrantPlan) {
    let changes = [
        (Purpose::Revoke, "Revoked", ""),
        (Purpose::RevokeFromAll, "Revoked", " from every role"),
        (Purpose::Grant, "Granted", ""),
        (Purpose::Setting, "Set", ""),
    ];
    for (purpose, verb, from) in changes {
        for change in plan.changes(purpose) {
            printer.note(&format!("{verb} {change}{from}"));
        }
    }
    let done = plan.statements.iter().all(|statement| statement.change.is_none());
    let before = if done { "Nothing to do: " } else { "" };
    let rest = if plan.warnings.is_empty() { ", and nothing else" } else { "" };
    printer.note(&format!("{before}`{}` has what the API needs{rest}", plan.role));
}

fn document(plan: &GrantPlan, arguments: &GrantArguments) -> Value {
    let statements: Vec<&str> =
        plan.statements.iter().map(|statement| statement.sql.as_str()).collect();
    json!({
        "role": plan.role,
        "dry_run": arguments.dry_run,
        "statements": statements,
        "granted": plan.changes(Purpose::Grant),
        "revoked": plan.changes(Purpose::Revoke),
        "revoked_from_all": plan.changes(Purpose::RevokeFromAll),
        "set": plan.changes(Purpose::Setting),
        "warnings": plan.warnings,
    })
}
