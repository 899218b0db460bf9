//! Large objects: every role can create them, unless somebody takes that away.

use tokio_postgres::error::SqlState;

use super::{grant, owner_without_superuser, refusal, with_role};
use crate::support::program::run_with;

#[tokio::test]
async fn the_role_can_make_no_large_objects() {
    let (database, role, owner) = with_role("worker").await;
    grant(&database, &role, &[])
        .await
        .exits(0)
        .says("Revoked execute on the functions that create large objects from every role")
        .says("and nothing else");
    let client = database.client_as(&role).await;
    for statement in [
        "select lo_create(0)",
        "select lo_creat(-1)",
        "select lo_from_bytea(0, 'x')",
        "select lo_import('/etc/hostname')",
    ] {
        let refusal = refusal(&client, statement).await;
        assert_eq!(refusal, Some(SqlState::INSUFFICIENT_PRIVILEGE), "{statement}");
    }
    owner.batch_execute("select lo_create(0)").await.expect("the owner still can");
    grant(&database, &role, &[]).await.exits(0).says("Nothing to do: ");
}

/// As with a provider, whose superuser owns PostgreSQL's own functions.
#[tokio::test]
async fn what_only_a_superuser_can_revoke_is_a_warning() {
    let (database, owner, role) = owner_without_superuser().await;
    let url = database.url_as(&owner).to_connection_string();
    let variables = [("DATABASE_URL", url.as_str())];
    run_with(&variables, &["up"]).await.exits(0);
    run_with(&variables, &["grant", "--role", &role.name])
        .await
        .exits(0)
        .says(
            "can still do what every role can: execute on the functions that create large objects",
        )
        .says("can take it away: revoke execute on function pg_catalog.lo_creat(integer), ")
        .does_not_print("nothing else");
}
