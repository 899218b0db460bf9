//! The reason for which a request is refused: in its line of the log, and nowhere in the answer.

use reqwest::Method;
use serde_json::{Value, json};
use tests::{App, Request, SigningKey, Token, key_set};

/// Sends the request. Its line in the log has a cause with this beginning; the answer does not have it,
/// and the log has nothing of the token.
async fn assert_logged(app: &App, label: &str, request: Request, status: u16, beginning: &str) {
    let id = format!("find-{label}").replace(' ', "-");
    let response = request.header("X-Request-Id", &id).await;
    assert_eq!(response.status, status, "{label}: {response}");
    let line = app.log_line(&id).await;
    assert_eq!(line["status"], status, "{label}: {line}");
    let cause = line["cause"].as_str().unwrap_or_else(|| panic!("{label}: no cause in {line}"));
    assert!(cause.starts_with(beginning), "{label}: {cause}");
    assert!(!format!("{response:#}").contains(cause), "{label}: {response:#}");
}

#[tokio::test]
async fn the_reason_of_a_401_is_in_the_log_and_not_in_the_answer() {
    let keys = [SigningKey::ed25519("a"), SigningKey::p256("b"), SigningKey::p256("c")];
    let app = App::start_with(|options| {
        options.set("jwt_jwks", &key_set(&keys).to_string());
        options.set("jwt_issuer", "https://id.example").set("jwt_audience", "taskie");
    })
    .await;
    let alice = app.user("alice").await;
    let good = Token::new(&alice.id).claim("iss", "https://id.example").claim("aud", "taskie");
    let secret = app.jwt_secret();
    alice.with_token(good.signed(secret)).get("/tasks").await.good(200);

    let with_header = |name, value: Value| good.clone().header(name, value).signed(secret);
    let with_claim = |name, value: Value| good.clone().claim(name, value).signed(secret);
    let unknown = SigningKey::ed25519("a-key-that-nobody-has");
    let rows = [
        ("no token at all", "secretive".to_owned(), "malformed token"),
        ("a cut token", good.signed(secret)[..20].to_owned(), "malformed token"),
        ("an algorithm", with_header("alg", json!("HS512")), "unknown algorithm"),
        ("an extension", with_header("crit", json!(["exp"])), "unknown extension"),
        ("a key of its own", with_header("jwk", unknown.jwk()), "the token brings or points to"),
        ("a type", with_header("typ", json!("logout+jwt")), "wrong type"),
        ("a secret", good.signed("another secret, of more than 32 bytes"), "wrong signature"),
        ("an unknown key", good.issued_by(&unknown), "unknown key"),
        ("one of two keys", good.issued_without_key_id(&keys[1]), "unknown key: no `kid`"),
        (
            "a signature",
            good.clone().header("kid", "a").header("alg", "EdDSA").signed_with(&unknown),
            "wrong signature",
        ),
        ("an expiry", good.clone().claim_in("exp", -3_600).signed(secret), "expired token"),
        ("no expiry", good.clone().without("exp").signed(secret), "missing claim: `exp`"),
        ("a beginning", good.clone().claim_in("nbf", 3_600).signed(secret), "token not yet valid"),
        ("a subject", with_claim("sub", json!(7)), "missing claim: `sub`"),
        ("an issuer", with_claim("iss", json!("https://evil.example")), "wrong issuer"),
        ("an audience", with_claim("aud", json!("other-service")), "wrong audience"),
    ];
    for (label, token, beginning) in &rows {
        let request = alice.with_token(token.clone()).get("/tasks");
        assert_logged(&app, label, request, 401, beginning).await;
    }
    let path = alice.path("/tasks");
    let no_token = |label, value: Option<&str>| {
        let request = app.request(Method::GET, &path);
        let request = match value {
            Some(value) => request.header("Authorization", value),
            None => request,
        };
        assert_logged(&app, label, request, 401, "no token")
    };
    no_token("nothing", None).await;
    no_token("a scheme", Some("Basic c2VjcmV0aXZl")).await;

    let log = app.log();
    let parts = rows.iter().flat_map(|(_, token, _)| token.split('.'));
    for private in parts.chain(["evil.example", "other-service", "nobody-has", "c2VjcmV0aXZl"]) {
        assert!(!log.contains(private), "{private}: {log}");
    }
}

#[tokio::test]
async fn the_reason_of_a_403_is_in_the_log() {
    let provisioning = App::start_with(|_| {}).await;
    let other = App::start_with(|options| {
        options.set("provision_users", "false");
    })
    .await;
    for (label, app, verified, beginning) in [
        ("unverified", &provisioning, false, "no account: the token has no `email`"),
        ("elsewhere", &other, true, "no account: `provision_users` is `false`"),
    ] {
        let newcomer = app.unregistered_user("newcomer");
        let token = Token::new(&newcomer.id).claim("email", newcomer.email());
        let token = token.claim("email_verified", verified).signed(app.jwt_secret());
        let request = newcomer.with_token(token).create(json!({ "title": "x" }));
        assert_logged(app, label, request, 403, beginning).await;
        assert!(!app.log().contains(&newcomer.id), "{}", app.log());
    }
}
