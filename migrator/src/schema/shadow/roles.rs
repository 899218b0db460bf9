//! Roles that scripts create on a server that is there for shadow databases: the next run creates them
//! again, so they are dropped.

use std::collections::BTreeSet;

use tokio_postgres::Client;
use tokio_postgres::types::Type;

/// Which of the roles `$1` there are.
const PRESENT: &str =
    "select rolname::text from pg_catalog.pg_roles where rolname::text = any ($1)";

const DROP: &str = "select pg_catalog.format('drop role if exists %I', $1)";

/// Of these roles, those that the server has.
pub(super) async fn present(
    client: &Client,
    roles: &BTreeSet<String>,
) -> Result<BTreeSet<String>, tokio_postgres::Error> {
    if roles.is_empty() {
        return Ok(BTreeSet::new());
    }
    let roles: Vec<&String> = roles.iter().collect();
    let rows = client.query_typed(PRESENT, &[(&roles, Type::TEXT_ARRAY)]).await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// Drops the roles that were not there `before`. Returns those that could not be dropped.
pub(super) async fn drop_new(
    client: &Client,
    roles: &BTreeSet<String>,
    before: &BTreeSet<String>,
) -> Vec<String> {
    let mut left = Vec::new();
    for role in present(client, roles).await.unwrap_or_default().difference(before) {
        let drop = async {
            let statement: String =
                client.query_typed_one(DROP, &[(role, Type::TEXT)]).await?.get(0);
            client.batch_execute(&statement).await
        };
        if drop.await.is_err() {
            left.push(role.clone());
        }
    }
    left
}
