//! `migrator grant`

mod definer_functions;
mod excess_privileges;
mod large_objects;
mod privileges;
mod refusals;
mod script;

use tests::{CliOutput, Role, TestDatabase};
use tokio_postgres::Client;
use tokio_postgres::error::SqlState;

use crate::support::program::run;

/// A migrated database with a user and a table that the API does not use, a new role, and a connection
/// as the owner.
async fn with_role(name: &str) -> (TestDatabase, Role, Client) {
    let database = TestDatabase::migrated().await;
    let role = database.role(name).await;
    let owner = database.client().await;
    let before = format!(
        "insert into users (id, email) values ('ann', 'ann@example.com');
         create table secrets (id int primary key, secret text);
         -- As it is in a new database; this one may have seen the API's role granted.
         grant temporary on database {} to public;
         grant execute on function lo_creat(int), lo_create(oid), lo_from_bytea(oid, bytea) to public",
        database.name()
    );
    owner.batch_execute(&before).await.expect("fill the database");
    (database, role, owner)
}

/// A database with the role of its owner, who is not a superuser, and a role that the owner may alter.
async fn owner_without_superuser() -> (TestDatabase, Role, Role) {
    let database = TestDatabase::create().await;
    let (owner, role) = (database.role("owner").await, database.role("worker").await);
    let before = format!(
        "alter role {owner} createrole; grant {role} to {owner} with admin option;
         alter database {} owner to {owner}; grant create on schema public to {owner}",
        database.name(),
        owner = owner.quoted(),
        role = role.quoted()
    );
    database.client().await.batch_execute(&before).await.expect("create an owner");
    (database, owner, role)
}

/// Runs `migrator grant` for the role, with more arguments.
async fn grant(database: &TestDatabase, role: &Role, more: &[&str]) -> CliOutput {
    run(database, &[&["grant", "--role", &role.name], more].concat()).await
}

/// Runs a script, with `ROLE` replaced by the role's name.
async fn prepare(owner: &Client, role: &Role, script: &str) {
    owner.batch_execute(&script.replace("ROLE", &role.quoted())).await.expect(script);
}

/// The SQLSTATE of the statement's error, if it fails.
async fn refusal(client: &Client, statement: &str) -> Option<SqlState> {
    client.batch_execute(statement).await.err().and_then(|error| error.code().cloned())
}
