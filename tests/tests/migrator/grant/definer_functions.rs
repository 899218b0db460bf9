//! Functions that run with their owner's privileges, and that the role can execute.

use super::{grant, prepare, with_role};
use crate::support::program::run;

const OPEN: &str = "
    create function open(int) returns text security definer language sql
      as 'select secret from secrets';
    create procedure wipe() security definer language sql as 'delete from secrets';
    create function of_a_trigger() returns trigger security definer language plpgsql
      as 'begin return new; end';
    create function harmless() returns int language sql as 'select 1';
    create schema closed;
    create function closed.away() returns int security definer language sql as 'select 1';";

#[tokio::test]
async fn each_function_that_runs_as_its_owner_is_a_warning() {
    let (database, role, owner) = with_role("worker").await;
    prepare(&owner, &role, OPEN).await;
    let warning = |function: &str| {
        format!(
            "`{}` can execute `{function}`, which runs with the privileges of its owner",
            role.name
        )
    };
    let dry_run = run(&database, &["grant", "--role", &role.name, "--dry-run"]).await.exits(0);
    let output = grant(&database, &role, &[]).await.exits(0).does_not_print("nothing else");
    for output in [dry_run, output] {
        let output = output
            .says(&warning("public.open(integer)"))
            .says("a superuser: if it is not meant for it, revoke execute on routine public.open(integer) from public")
            .says(&warning("public.wipe()"));
        assert_eq!(output.stderr.matches("warning").count(), 2, "{output:#?}");
    }
    prepare(&owner, &role, "revoke execute on routine open(int), wipe() from public").await;
    grant(&database, &role, &[]).await.exits(0).says("and nothing else").does_not_print("warning");
}

#[tokio::test]
async fn a_function_that_was_granted_to_the_role_itself_is_revoked() {
    let (database, role, owner) = with_role("worker").await;
    let own = "
        create function mine() returns int security definer language sql as 'select 1';
        revoke execute on function mine from public; grant execute on function mine to ROLE";
    prepare(&owner, &role, own).await;
    grant(&database, &role, &[])
        .await
        .exits(0)
        .says("Revoked execute on routine public.mine()")
        .does_not_print("warning");
}

#[tokio::test]
async fn health_warns_about_them_too() {
    let (database, role, owner) = with_role("worker").await;
    grant(&database, &role, &[]).await.exits(0);
    run(&database, &["health", "--role", &role.name]).await.exits(0).does_not_print("can execute");
    prepare(&owner, &role, OPEN).await;
    run(&database, &["health", "--role", &role.name]).await.exits(0).says(
        "can execute the functions open(integer) and wipe(), with the privileges of the owner",
    );
}
