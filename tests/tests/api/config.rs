//! A bad variable is reported by its name, and only where it matters.

use tests::{App, Options};

/// What must not come back in any answer.
const SECRET: &str = "s3cretpart";

#[tokio::test]
async fn a_bad_variable_is_reported_by_name() {
    type Change = fn(&mut Options) -> &mut Options;
    let table: [(&str, &str, Change); 21] = [
        ("empty", "database_url", |o| o.set("database_url", "")),
        ("no connection string", "database_url", |o| o.set("database_url", "s3cretpart and more")),
        ("another scheme", "database_url", |o| {
            o.set("database_url", "mysql://u:s3cretpart@127.0.0.1/x")
        }),
        ("weaker than TLS elsewhere", "database_url", |o| {
            o.set("database_url", "postgresql://u:s3cretpart@db.example.com/x?sslmode=disable")
        }),
        ("no certificate", "database_ca", |o| o.set("database_ca", "s3cretpart")),
        ("unknown", "auth", |o| o.set("auth", "s3cretpart")),
        ("not set", "jwt_secret", |o| o.unset("jwt_secret")),
        ("31 bytes", "jwt_secret", |o| o.set("jwt_secret", "s3cretpart.....................")),
        ("no key set", "jwt_jwks", |o| o.set("jwt_jwks", r#"{"s3cretpart": []}"#)),
        ("no key that can be used", "jwt_jwks", |o| o.set("jwt_jwks", r#"{"keys": []}"#)),
        ("a private key", "jwt_jwks", |o| o.set("jwt_jwks", r#"{"keys": [{"d": "s3cretpart"}]}"#)),
        ("http elsewhere", "jwt_jwks_url", |o| {
            o.set("jwt_jwks_url", "http://id.example/s3cretpart")
                .set("jwt_jwks_origin", "http://id.example")
        }),
        ("without origin", "jwt_jwks_origin", |o| {
            o.set("jwt_jwks_url", "https://id.example/s3cretpart")
        }),
        ("with a path", "jwt_jwks_origin", |o| {
            o.set("jwt_jwks_url", "https://id.example/s3cretpart")
                .set("jwt_jwks_origin", "https://id.example/s3cretpart")
        }),
        ("without URL", "jwt_jwks_origin", |o| o.set("jwt_jwks_origin", "https://id.example")),
        ("zero", "pool_size", |o| o.set("pool_size", "0")),
        ("a word", "pool_size", |o| o.set("pool_size", "s3cretpart")),
        ("zero", "database_timeout_ms", |o| o.set("database_timeout_ms", "0")),
        ("with a unit", "database_timeout_ms", |o| o.set("database_timeout_ms", "5s")),
        ("unknown", "log_level", |o| o.set("log_level", "s3cretpart")),
        ("unknown", "provision_users", |o| o.set("provision_users", "s3cretpart")),
    ];
    for (label, name, change) in table {
        let app = App::start_with(|options| {
            change(options);
        })
        .await;
        let alice = app.stranger("alice");

        let task_route = alice.get("/tasks").await;
        assert_eq!(task_route.status, 500, "{name}, {label}: {task_route}");
        task_route.problem(500).mentions(name);
        let health = app.get("/health/db").await;
        assert_eq!(health.status, 503, "{name}, {label}: {health}");
        health.problem(503).mentions(name);
        app.get("/health/pool").await.problem(503).mentions(name);
        app.get("/health").await.good(200);
        app.get("/").await.good(200);
        for reply in [task_route, health] {
            assert!(!format!("{reply:#}").contains(SECRET), "{name}, {label}: {reply:#}");
        }
        assert!(!app.log().contains(SECRET), "{name}, {label}: {}", app.log());
    }
}

#[tokio::test]
async fn all_bad_variables_are_reported_together() {
    let app = App::start_with(|options| {
        options.set("jwt_secret", "short").set("pool_size", "many").set("log_level", "loud");
    })
    .await;
    let reply = app.get("/health/db").await;
    reply.problem(503).mentions("jwt_secret").mentions("pool_size").mentions("log_level");
}

#[tokio::test]
async fn an_empty_variable_counts_as_not_set() {
    let app = App::start_with(|options| {
        for name in [
            "database_ca",
            "jwt_issuer",
            "jwt_audience",
            "pool_size",
            "database_timeout_ms",
            "log_level",
        ] {
            options.set(name, "");
        }
    })
    .await;
    app.user("alice").await.task("Buy milk").await;
}

#[tokio::test]
async fn a_secret_of_32_bytes_is_long_enough() {
    let secret = "0123456789abcdef0123456789abcdef";
    let app = App::start_with(|options| {
        options.set("jwt_secret", secret);
    })
    .await;
    let alice = app.user("alice").await;
    let token = tests::Token::of(&alice.id).signed(secret);
    alice.with_token(token).get("/tasks").await.good(200);
}
