//! Configuration: an invalid variable is reported by its name, and only where it is used.

use serde_json::json;
use tests::{App, Difference, Options, Response, SigningKey, Token, raw_request, until};

/// Must not appear in any response.
const SECRET: &str = "s3cretpart";

/// The request that uses a variable.
#[derive(Clone, Copy)]
enum Use {
    /// Any request for tasks, with a token of the secret.
    Tasks,
    /// A token signed with a public key, not with the secret.
    KeyToken,
    /// A new task.
    Create,
    /// A body that does not arrive at once.
    SlowBody,
    /// The connections of the database.
    Pool,
    /// Only the check of all variables: requests work without it.
    Nothing,
}

impl Use {
    /// The response of the service.
    async fn response(self, app: &App) -> Option<Response> {
        let alice = app.unregistered_user("alice");
        match self {
            Self::Tasks => Some(alice.get("/tasks").await),
            Self::KeyToken => {
                let token = Token::new(&alice.id).issued_by(&SigningKey::ed25519("a"));
                Some(alice.with_token(token).get("/tasks").await)
            }
            Self::Create => Some(alice.create(json!({ "title": "Buy milk" })).await),
            Self::SlowBody => {
                let headers = [
                    &alice.authorization(),
                    "Content-Type: application/json",
                    "Content-Length: 100",
                ];
                let head = raw_request("POST", &alice.path("/tasks"), &headers, "");
                Some(app.send_raw(head).await.to_response())
            }
            Self::Pool => None,
            Self::Nothing => {
                alice.get("/tasks").await.good(200);
                None
            }
        }
    }
}

#[tokio::test]
async fn a_bad_variable_is_reported_by_name_where_it_is_used() {
    type Change = fn(&mut Options) -> &mut Options;
    let table: [(&str, &str, Use, Change); 24] = [
        ("empty", "database_url", Use::Tasks, |o| o.set("database_url", "")),
        ("no connection string", "database_url", Use::Tasks, |o| {
            o.set("database_url", "s3cretpart and more")
        }),
        ("another scheme", "database_url", Use::Tasks, |o| {
            o.set("database_url", "mysql://u:s3cretpart@127.0.0.1/x")
        }),
        ("weaker than TLS elsewhere", "database_url", Use::Tasks, |o| {
            o.set("database_url", "postgresql://u:s3cretpart@db.example.com/x?sslmode=disable")
        }),
        ("no certificate", "database_ca", Use::Tasks, |o| o.set("database_ca", "s3cretpart")),
        ("zero", "database_timeout_ms", Use::Tasks, |o| o.set("database_timeout_ms", "0")),
        ("with a unit", "database_timeout_ms", Use::Tasks, |o| o.set("database_timeout_ms", "5s")),
        ("unknown", "auth", Use::Tasks, |o| o.set("auth", "s3cretpart")),
        ("not set", "jwt_secret", Use::Tasks, |o| o.unset("jwt_secret")),
        ("not set", "jwt_secret", Use::KeyToken, |o| o.unset("jwt_secret")),
        ("31 bytes", "jwt_secret", Use::Tasks, |o| {
            o.set("jwt_secret", "s3cretpart.....................")
        }),
        ("no key set", "jwt_jwks", Use::KeyToken, |o| o.set("jwt_jwks", r#"{"s3cretpart": []}"#)),
        ("no key that can be used", "jwt_jwks", Use::KeyToken, |o| {
            o.set("jwt_jwks", r#"{"keys": []}"#)
        }),
        ("a private key", "jwt_jwks", Use::KeyToken, |o| {
            o.set("jwt_jwks", r#"{"keys": [{"d": "s3cretpart"}]}"#)
        }),
        ("a private key and no secret", "jwt_jwks", Use::Tasks, |o| {
            o.unset("jwt_secret").set("jwt_jwks", r#"{"keys": [{"d": "s3cretpart"}]}"#)
        }),
        ("http elsewhere", "jwt_jwks_url", Use::KeyToken, |o| {
            o.set("jwt_jwks_url", "http://id.example/s3cretpart")
                .set("jwt_jwks_origin", "http://id.example")
        }),
        ("without origin", "jwt_jwks_origin", Use::KeyToken, |o| {
            o.set("jwt_jwks_url", "https://id.example/s3cretpart")
        }),
        ("with a path", "jwt_jwks_origin", Use::KeyToken, |o| {
            o.set("jwt_jwks_url", "https://id.example/s3cretpart")
                .set("jwt_jwks_origin", "https://id.example/s3cretpart")
        }),
        ("without URL", "jwt_jwks_origin", Use::KeyToken, |o| {
            o.set("jwt_jwks_origin", "https://id.example")
        }),
        ("unknown", "provision_users", Use::Create, |o| o.set("provision_users", "s3cretpart")),
        ("too short", "request_timeout_ms", Use::SlowBody, |o| o.set("request_timeout_ms", "999")),
        ("zero", "pool_size", Use::Pool, |o| o.set("pool_size", "0")),
        ("a word", "pool_size", Use::Pool, |o| o.set("pool_size", "s3cretpart")),
        ("unknown", "log_level", Use::Nothing, |o| o.set("log_level", "s3cretpart")),
    ];
    for (label, name, used_by, change) in table {
        let app = App::start_with(|options| {
            change(options);
        })
        .await;

        let used = used_by.response(&app).await;
        let health = app.get("/health/db").await;
        let pool = app.get("/health/pool").await;

        if let Some(response) = &used {
            assert_eq!(response.status, 500, "{name}, {label}: {response}");
            response.problem(500).kind("misconfigured").mentions(name);
        }
        for response in [&health, &pool] {
            assert_eq!(response.status, 503, "{name}, {label}: {response}");
            response.problem(503).mentions(name);
        }
        app.get("/health").await.good(200);
        app.get("/").await.good(200);
        for response in used.iter().chain([&health, &pool]) {
            assert!(!format!("{response:#}").contains(SECRET), "{name}, {label}: {response:#}");
        }
        assert!(!app.log().contains(SECRET), "{name}, {label}: {}", app.log());
    }
}

#[tokio::test]
async fn a_bad_variable_is_nothing_to_a_request_that_does_not_use_it() {
    let app = App::start_with(|options| {
        options.set("jwt_jwks", "no key set").set("request_timeout_ms", "0").set("pool_size", "0");
        options.set("provision_users", "maybe").set("cors_origins", "*");
    })
    .await;
    app.user("alice").await.get("/tasks").await.good(200);
}

/// What needs no statement reads nothing about the database.
#[tokio::test]
async fn a_bad_database_is_nothing_to_a_request_that_is_refused_before_its_statement() {
    let app = App::start_with(|options| {
        options.set("database_url", "no connection string");
    })
    .await;
    let alice = app.unregistered_user("alice");
    alice.get("/tasks?limit=0").await.problem(400);
    alice.get("/tasks/no-number").await.problem(400);
    alice.create(json!({})).await.problem(400);
    alice.post("/tasks").body("text/plain", "title").await.problem(415);
    let long = json!({ "title": "a".repeat(200_000) });
    alice.create(long).await.problem(413);
    alice.get("/tasks").await.problem(500).kind("misconfigured").mentions("database_url");
}

#[tokio::test]
async fn an_unknown_log_level_logs_every_request() {
    let app = App::start_with(|options| {
        options.set("log_level", "loud");
    })
    .await;
    app.get("/health").header("X-Request-Id", "find-me").await.good(200);
    until("the request is in the log", async || app.log().contains("find-me").then_some(())).await;
}

#[tokio::test]
async fn bad_origins_let_no_page_in_and_are_reported_by_health() {
    let app = App::start_with(|options| {
        options.set("cors_origins", "https://app.example, *");
    })
    .await;
    let response = app.get("/health").header("Origin", "https://app.example").await;
    response.good(200);
    assert!(!response.has_header("access-control-allow-origin"), "{response:#}");
    for path in ["/health/db", "/health/pool"] {
        app.get(path).await.problem(503).mentions("cors_origins");
    }
}

#[tokio::test]
async fn all_bad_variables_are_reported_together() {
    let app = App::start_with(|options| {
        options.set("jwt_secret", "short").set("pool_size", "many").set("log_level", "loud");
    })
    .await;
    for path in ["/health/db", "/health/pool"] {
        let response = app.get(path).await;
        response.problem(503).mentions("jwt_secret").mentions("pool_size").mentions("log_level");
    }
}

#[tokio::test]
async fn an_empty_variable_counts_as_not_set() {
    let app = App::start_with(|options| {
        options.directly();
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
    let token = tests::Token::new(&alice.id).signed(secret);
    alice.with_token(token).get("/tasks").await.good(200);
}

/// A certificate that is none, although it looks like one: no connection is needed to find out where it goes.
#[tokio::test]
async fn a_private_authority_is_refused_by_name_where_it_cannot_be_passed_on() {
    let pem = "-----BEGIN CERTIFICATE-----\nMIIBszCCAVmgAwIBAgIU\n-----END CERTIFICATE-----\n";
    let app = App::start_with(|options| {
        options.set("database_ca", pem);
    })
    .await;
    let response = app.get("/health/db").await;
    if Difference::NoPrivateCa.applies() {
        let problem = response.problem(503).kind("misconfigured");
        problem.mentions("`database_ca` must be empty").mentions("WASI 0.2");
    } else {
        assert!(!response.text().contains("database_ca"), "{response}");
    }
}
