//! The service's role: it owns nothing, and has only the privileges that the migrator granted.

use tests::App;

#[tokio::test]
async fn the_service_works_as_the_role_that_was_granted_its_rights() {
    let app = App::start_with(|_| {}).await;
    let owner = app.client().await;
    let watch = "alter table tasks add column made_by name default session_user";
    owner.batch_execute(watch).await.expect("add a column");
    app.user("alice").await.task("Buy milk").await;
    let query = "
        select made_by::text, rolsuper, rolname = current_user
          from tasks join pg_roles on rolname = made_by";
    let row = owner.query_one(query, &[]).await.expect("query");
    assert_eq!(row.get::<_, String>(0), app.database().api_role().name);
    assert!(!row.get::<_, bool>(1), "a superuser");
    assert!(!row.get::<_, bool>(2), "the owner");
}
