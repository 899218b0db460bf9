//! Warnings about the API's role.

use serde_json::json;
use tests::TestDatabase;

use super::warning_kinds;
use crate::support::program::{run, run_with};

#[tokio::test]
async fn a_superuser_is_a_warning() {
    let database = TestDatabase::migrated().await;
    let role = database.role("worker").await;
    let superuser = format!("alter role {} superuser", role.quoted());
    database.client().await.batch_execute(&superuser).await.expect("create a superuser");
    let url = database.url_as(&role).to_connection_string();
    let warning = format!("warning: the role `{}` is a superuser", role.name);
    run_with(&[("DATABASE_URL", &url)], &["health"]).await.exits(0).says(&warning);
}

#[tokio::test]
async fn an_owner_of_tables_is_a_warning() {
    let database = TestDatabase::migrated().await;
    let role = database.role("worker").await;
    let own = format!(
        "alter table tasks owner to {role}; alter table users owner to {role};
         alter table idempotency_keys owner to {role}",
        role = role.quoted()
    );
    database.client().await.batch_execute(&own).await.expect("create an owner");
    let warning = format!(
        "warning: the role `{}` owns the tables idempotency_keys, tasks and users: an API",
        role.name
    );
    let arguments = ["health", "--role", &role.name];
    run(&database, &arguments).await.exits(0).says(&warning).says("`migrator grant --role NAME`");
}

#[tokio::test]
async fn a_member_of_an_owner_is_a_warning() {
    let database = TestDatabase::migrated().await;
    let (owner, member) = (database.role("owner").await, database.role("member").await);
    let own = format!(
        "alter table tasks owner to {owner}; grant {owner} to {}",
        member.quoted(),
        owner = owner.quoted()
    );
    database.client().await.batch_execute(&own).await.expect("create an owner");
    let warning = format!("warning: the role `{}` owns the table tasks: an API", member.name);
    run(&database, &["health", "--role", &member.name]).await.exits(0).says(&warning);
}

#[tokio::test]
async fn a_role_that_can_create_tables_is_a_warning() {
    let database = TestDatabase::migrated().await;
    let role = database.role("worker").await;
    let create = format!("grant create on schema public to {}", role.quoted());
    database.client().await.batch_execute(&create).await.expect("let it create");
    let warning = format!("warning: the role `{}` can create tables", role.name);
    run(&database, &["health", "--role", &role.name]).await.exits(0).says(&warning);
}

#[tokio::test]
async fn a_granted_role_is_no_warning() {
    let database = TestDatabase::migrated().await;
    let role = database.api_role();
    let url = database.url_as(role).to_connection_string();
    let as_itself = run_with(&[("DATABASE_URL", &url)], &["health", "--json"]).await;
    let by_name = run(&database, &["health", "--role", &role.name, "--json"]).await;
    for output in [as_itself, by_name] {
        let report = output.exits(0).does_not_print("warning: the role").json();
        assert_eq!(warning_kinds(&report), [""; 0]);
        assert_eq!(
            report["role"],
            json!({
                "name": role.name,
                "superuser": false,
                "bypasses_rls": false,
                "can_create": false,
                "owns_tables": [],
            })
        );
    }
}

/// The owner, as whom this is asked, is not subject to row security; the API's role is.
#[tokio::test]
async fn row_security_that_shuts_the_role_out_is_a_warning() {
    let database = TestDatabase::migrated().await;
    let owner = database.client().await;
    let role = &database.api_role().name;
    let warning = "warning: row security is enabled on the tables idempotency_keys and tasks, \
                   without a policy for the API's role";
    for statement in [
        "alter table tasks enable row level security",
        "alter table idempotency_keys enable row level security",
        "create policy others on tasks to pg_monitor using (true)",
        "create policy narrow on tasks as restrictive using (true)",
    ] {
        owner.batch_execute(statement).await.expect(statement);
    }
    run(&database, &["health", "--role", role]).await.exits(0).says(warning);
    let url = database.url_as(database.api_role()).to_connection_string();
    let as_itself = run_with(&[("DATABASE_URL", &url)], &["health", "--json"]).await;
    assert_eq!(warning_kinds(&as_itself.exits(0).json()), ["row_security"]);
    // Whose role the API's is was not said, and the tasks have a policy for somebody.
    let warning = "warning: row security is enabled on the table idempotency_keys, without";
    run(&database, &["health"]).await.exits(0).says(warning);
}

#[tokio::test]
async fn row_security_with_a_policy_for_the_role_is_no_warning() {
    let database = TestDatabase::migrated().await;
    let owner = database.client().await;
    let policy =
        format!("create policy api on tasks to {} using (true)", database.api_role().quoted());
    for statement in ["alter table tasks enable row level security", policy.as_str()] {
        owner.batch_execute(statement).await.expect(statement);
    }
    run(&database, &["health", "--role", &database.api_role().name])
        .await
        .exits(0)
        .does_not_print("row security");
    run(&database, &["health"]).await.exits(0).does_not_print("row security");
}

#[tokio::test]
async fn a_role_that_does_not_exist_is_a_usage_error() {
    let database = TestDatabase::migrated().await;
    run(&database, &["health", "--role", "nobody at all"])
        .await
        .exits(2)
        .says("error: there is no role `nobody at all`")
        .says("hint: create it first: create role \"nobody at all\" login password");
}
