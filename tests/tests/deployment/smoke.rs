//! `deploy/smoke`: a deployed service creates and deletes a task, or the script says how to go back.

use tests::{App, Token};

use crate::programs::Programs;

#[tokio::test]
async fn a_service_that_works_passes_and_keeps_no_task() {
    let app = App::start_with(|options| {
        options.set("jwt_issuer", "https://issuer.example.com").set("jwt_audience", "taskie");
    })
    .await;
    let output = Programs::new(&[])
        .run(
            "deploy/smoke",
            &[],
            &[
                ("TASKIE_URL", &app.url()),
                ("SPIN_VARIABLE_JWT_SECRET", app.jwt_secret()),
                ("SPIN_VARIABLE_JWT_ISSUER", "https://issuer.example.com"),
                ("SPIN_VARIABLE_JWT_AUDIENCE", "taskie"),
            ],
        )
        .await
        .exits(0)
        .does_not_print("eyJ")
        .does_not_print(app.jwt_secret());
    assert!(output.stdout.contains("POST /api/smoke-test/tasks: 201"), "{output:#?}");
    let rows = app.client().await.query("select from tasks", &[]).await.expect("read the tasks");
    assert!(rows.is_empty());
}

#[tokio::test]
async fn a_token_of_an_issuer_is_taken_with_its_user() {
    let app = App::start_with(|_| {}).await;
    let user = "user with a space/and a slash";
    let token = Token::new(user).claim("email", "smoke@example.com").signed(app.jwt_secret());
    Programs::new(&[])
        .run("deploy/smoke", &[], &[("TASKIE_URL", &app.url()), ("TASKIE_TOKEN", &token)])
        .await
        .exits(0)
        .does_not_print(&token);
}

#[tokio::test]
async fn a_service_that_does_not_work_tells_how_to_go_back() {
    let app = App::start_with(|_| {}).await;
    let programs = Programs::new(&[]);
    programs.write("previous-version", "0.9.3\n");
    // Another key: the task is refused.
    programs
        .run(
            "deploy/smoke",
            &[],
            &[
                ("TASKIE_URL", &app.url()),
                ("SPIN_VARIABLE_JWT_SECRET", "another key that is long enough for the API"),
                ("SMOKE_PATIENCE", "0"),
            ],
        )
        .await
        .exits(1)
        .says("POST /api/smoke-test/tasks: 401 instead of 201, request ")
        .says("gh workflow run deploy.yml --field version=0.9.3")
        .does_not_print("another key");
}

#[tokio::test]
async fn a_service_that_is_not_there_is_a_failure() {
    for (variables, message) in [
        (vec![("TASKIE_URL", "http://127.0.0.1:9")], "GET /health: no response"),
        (vec![], "TASKIE_URL is not set"),
    ] {
        let mut variables = variables;
        variables.extend([("SPIN_VARIABLE_JWT_SECRET", "secret"), ("SMOKE_PATIENCE", "0")]);
        Programs::new(&[])
            .run("deploy/smoke", &[], &variables)
            .await
            .exits(1)
            .says(message)
            .says("version=PREVIOUS");
    }
}
