//! Plans or grants the privileges of a role, in one transaction whose result is verified at its
//! end.

use std::time::Duration;

use tokio_postgres::GenericClient;

use super::plan::{self, GrantPlan};
use super::required_privileges::Target;
use super::statement::GrantOptions;
use super::{definer_functions, excess_privileges, verify};
use crate::connect::{Connection, Database, session};
use crate::error::Error;
use crate::model::Event;

/// Plan of [`grant`]. Reads only.
pub async fn plan_grant(
    database: &Database,
    request: &GrantOptions,
    on_event: &mut (dyn FnMut(Event) + Send),
) -> Result<GrantPlan, Error> {
    let mut connection = session::open(database, on_event).await?;
    let result = foresee(&mut connection, request).await;
    connection.close().await;
    result
}

async fn foresee(connection: &mut Connection, request: &GrantOptions) -> Result<GrantPlan, Error> {
    let transaction = session::begin_read_only(&mut connection.client)
        .await
        .map_err(|source| Error::Query { action: "begin a transaction", source })?;
    let target = Target::find(&transaction, request).await?;
    let mut plan = plan::plan(&transaction, &target).await?;
    let mut excess = excess_privileges::find(&transaction, &target).await?;
    excess.retain(|excess| !excess.removable);
    let mut others = verify::other_relations(&transaction, &target).await?;
    others.retain(|other| other.of_everybody);
    let mut functions = definer_functions::find(&transaction, &target).await?;
    functions.retain(|function| function.of_everybody);
    plan.warnings.extend(verify::warnings(&request.role, &excess, &[], &others, &functions));
    Ok(plan)
}

/// Gives the role what the API needs, takes the rest away, and changes its settings: all of it, or
/// nothing. Returns what was done.
pub async fn grant(
    database: &Database,
    lock_wait: Duration,
    request: &GrantOptions,
    on_event: &mut (dyn FnMut(Event) + Send),
) -> Result<GrantPlan, Error> {
    let mut connection = session::open_locked(database, lock_wait, on_event).await?;
    let result = carry_out(&mut connection, request).await;
    // PostgreSQL says in notices what it did not grant or revoke. Where all is well without it, as
    // with what every role has, that is of no interest; the rest is among the warnings.
    if result.is_err() {
        connection.notices().into_iter().for_each(|notice| on_event(Event::Notice(notice)));
    }
    session::close_locked(connection).await;
    result
}

async fn carry_out(
    connection: &mut Connection,
    request: &GrantOptions,
) -> Result<GrantPlan, Error> {
    let begin = |source| Error::Query { action: "begin a transaction", source };
    let transaction = connection.client.transaction().await.map_err(begin)?;
    let target = Target::find(&transaction, request).await?;
    let mut plan = plan::plan(&transaction, &target).await?;
    for statement in &plan.statements {
        transaction
            .batch_execute(&statement.sql)
            .await
            .map_err(|source| Error::Grant { statement: statement.sql.clone(), source })?;
    }
    plan.warnings.extend(require_rights(&transaction, &target).await?);
    // Statements that are still missing had no effect.
    let left = plan::statements(&transaction, &target).await?;
    for statement in &mut plan.statements {
        if left.iter().any(|left| left.sql == statement.sql && left.change == statement.change) {
            statement.change = None;
        }
    }
    transaction
        .commit()
        .await
        .map_err(|source| Error::Query { action: "commit the grants", source })?;
    Ok(plan)
}

/// Fails where the role cannot do what the API needs. Returns what it can do beyond that.
async fn require_rights(
    client: &impl GenericClient,
    target: &Target<'_>,
) -> Result<Vec<String>, Error> {
    let role = &target.request.role;
    let differences = verify::differences(client, target).await?;
    if !differences.missing.is_empty() {
        return Err(Error::GrantIncomplete { role: role.clone(), missing: differences.missing });
    }
    let remaining = excess_privileges::find(client, target).await?;
    let others = verify::other_relations(client, target).await?;
    let functions = definer_functions::find(client, target).await?;
    Ok(verify::warnings(role, &remaining, &differences.excess, &others, &functions))
}
