//! Tokens of other issuers: public keys that are configured, or that the issuer publishes.

use std::time::Duration;

use futures::future::join_all;
use serde_json::json;
use tests::{
    Answer, App, InstanceReuse, KeyServer, Options, Reply, SigningKey, Token, User, key_set, until,
};

/// Lets an instance serve as much as it can. The host still starts another one whenever none of them
/// can take a request at that very moment, and each fetches the keys for itself.
fn few_instances(options: &mut Options) -> &mut Options {
    options.reuse = InstanceReuse {
        max_reuse: 100_000,
        max_concurrent: 1_000,
        idle_timeout: Duration::from_mins(5),
        ..InstanceReuse::default()
    };
    options
}

/// So many requests were made, and each of the few instances has asked for the keys once or twice.
#[track_caller]
fn assert_few_hits(server: &KeyServer, requests: usize) {
    let hits = server.hits();
    assert!((1..=requests / 4).contains(&hits), "{hits} hits for {requests} requests");
}

/// A service that takes its keys from this server, and Alice, who has a token of this key.
async fn alice_with(server: &KeyServer, key: &SigningKey) -> User {
    let app = App::start_with(|options| {
        few_instances(options).key_server(server);
    })
    .await;
    let alice = app.user("alice").await;
    alice.with_token(Token::of(&alice.id).issued_by(key))
}

/// Alice's token after its key was withdrawn: a token of the new key makes an instance look for it,
/// and then the old one is gone. Every instance has to come to that.
async fn until_refused(alice: &User, new: &SigningKey) -> Reply {
    let with_new = alice.with_token(Token::of(&alice.id).issued_by(new));
    until("the withdrawn key is refused", async || {
        with_new.get("/tasks").await.good(200);
        let reply = alice.get("/tasks").await;
        (reply.status != 200).then_some(reply)
    })
    .await
}

#[tokio::test]
async fn tokens_of_configured_keys_count() {
    let keys = SigningKey::of_each_kind();
    let app = App::start_with(|options| {
        options.unset("jwt_secret").set("jwt_jwks", &key_set(&keys).to_string());
    })
    .await;
    let alice = app.user("alice").await;
    for key in &keys {
        let token = Token::of(&alice.id).issued_by(key);
        let alice = alice.with_token(token);
        let label = key.algorithm();
        let reply = alice.create(json!({ "title": label })).await;
        assert_eq!(reply.status, 201, "{label}: {reply}");
        // Once checked and once remembered.
        for _ in 0..2 {
            let reply = alice.get("/tasks").await;
            assert_eq!(reply.status, 200, "{label}: {reply}");
        }
    }
    // Without a secret nothing is signed with one.
    alice.get("/tasks").await.problem(401);
}

#[tokio::test]
async fn tokens_of_published_keys_count() {
    let keys = SigningKey::of_each_kind();
    let server = KeyServer::start(&keys.each_ref()).await;
    let app = App::start_with(|options| {
        few_instances(options).unset("jwt_secret").key_server(&server);
    })
    .await;
    let alice = app.user("alice").await;
    for key in &keys {
        let token = Token::of(&alice.id).issued_by(key);
        let reply = alice.with_token(token).get("/tasks").await;
        assert_eq!(reply.status, 200, "{}: {reply}", key.algorithm());
    }
    for _ in 0..20 {
        let token = Token::of(&alice.id).issued_by(&keys[0]);
        alice.with_token(token).get("/tasks").await.good(200);
    }
    assert_few_hits(&server, 23);
    assert!(server.paths().iter().all(|path| path == "/.well-known/jwks.json"));
}

#[tokio::test]
async fn several_sources_count_at_once() {
    let (configured, published) =
        (SigningKey::ed25519("configured"), SigningKey::p256("published"));
    let server = KeyServer::start(&[&published]).await;
    let app = App::start_with(|options| {
        few_instances(options).set("jwt_jwks", &key_set([&configured]).to_string());
        options.key_server(&server);
    })
    .await;
    let alice = app.user("alice").await;
    alice.get("/tasks").await.good(200);
    let token = Token::of(&alice.id).issued_by(&configured);
    alice.with_token(token).get("/tasks").await.good(200);
    assert_eq!(server.hits(), 0, "nothing is fetched before it is needed");
    let token = Token::of(&alice.id).issued_by(&published);
    alice.with_token(token).get("/tasks").await.good(200);
    assert!(server.hits() > 0);
}

#[tokio::test]
async fn a_first_task_makes_the_account_whoever_issued_the_token() {
    let key = SigningKey::ed25519("a");
    let server = KeyServer::start(&[&key]).await;
    let alice = alice_with(&server, &key).await;
    let newcomer = alice.app().stranger("newcomer");
    let token = Token::of(&newcomer.id).claim("email", newcomer.email()).issued_by(&key);
    newcomer.with_token(token).task("first").await;
}

#[tokio::test]
async fn issuer_and_audience_are_checked_whatever_the_key() {
    let keys = SigningKey::of_each_kind();
    let app = App::start_with(|options| {
        options.set("jwt_jwks", &key_set(&keys).to_string());
        options.set("jwt_issuer", "https://id.example").set("jwt_audience", "taskie");
    })
    .await;
    let alice = app.user("alice").await;
    for key in &keys {
        let good = Token::of(&alice.id).claim("iss", "https://id.example").claim("aud", "taskie");
        for (label, token, status) in [
            ("good", good.clone(), 200),
            ("another issuer", good.clone().claim("iss", "https://evil.example"), 401),
            ("issuers", good.clone().claim("iss", json!(["https://id.example"])), 401),
            ("no issuer", good.clone().without("iss"), 401),
            ("another audience", good.clone().claim("aud", "other"), 401),
            ("no audience", good.clone().without("aud"), 401),
        ] {
            let reply = alice.with_token(token.issued_by(key)).get("/tasks").await;
            assert_eq!(reply.status, status, "{}, {label}: {reply}", key.algorithm());
        }
    }
}

#[tokio::test]
async fn the_keys_are_fetched_once_at_a_time_however_many_wait() {
    let key = SigningKey::ed25519("a");
    let server = KeyServer::start(&[&key]).await;
    let alice = alice_with(&server, &key).await;
    // The instance is there, and has asked for nothing.
    alice.app().get("/health").await.good(200);
    assert_eq!(server.hits(), 0);

    server.hold();
    let in_flight = (0..60).map(|_| {
        let alice = alice.clone();
        tokio::spawn(async move { alice.get("/tasks").await.status })
    });
    let mut requests = Vec::new();
    for request in in_flight {
        requests.push(request);
        // One after the other, so that the instance that waits for the keys takes them all.
        alice.app().get("/health").await.good(200);
    }
    until("the key server is asked", async || (server.hits() > 0).then_some(())).await;
    server.release();
    for status in join_all(requests).await {
        assert_eq!(status.expect("a request that was made"), 200);
    }
    assert_few_hits(&server, 60);
}

#[tokio::test]
async fn a_new_key_counts_at_once_while_requests_are_in_flight() {
    let (old, new) = (SigningKey::ed25519("old"), SigningKey::rsa("new"));
    let server = KeyServer::start(&[&old]).await;
    let alice = alice_with(&server, &old).await;
    let with_new = alice.with_token(Token::of(&alice.id).issued_by(&new));
    alice.get("/tasks").await.good(200);

    let before = join_all((0..40).map(|_| async { alice.get("/tasks").await.status }));
    let rotate = async {
        server.publish(&[&old, &new]);
        join_all((0..40).map(|_| async { with_new.get("/tasks").await.status })).await
    };
    let (with_old, with_new) = futures::join!(before, rotate);
    assert_eq!(with_old, [200; 40]);
    assert_eq!(with_new, [200; 40]);
}

#[tokio::test]
async fn a_remembered_token_does_not_outlive_its_key() {
    let (old, new) = (SigningKey::ed25519("old"), SigningKey::ed25519("new"));
    let server = KeyServer::start(&[&old]).await;
    let alice = alice_with(&server, &old).await;
    for _ in 0..3 {
        alice.get("/tasks").await.good(200);
    }
    server.publish(&[&new]);
    until_refused(&alice, &new).await.problem(401);
}

#[tokio::test]
async fn a_remembered_token_does_not_outlive_a_key_that_was_replaced_under_its_id() {
    let (old, replaced, new) =
        (SigningKey::p256("a"), SigningKey::p256("a"), SigningKey::ed25519("b"));
    let server = KeyServer::start(&[&old]).await;
    let alice = alice_with(&server, &old).await;
    alice.get("/tasks").await.good(200);
    server.publish(&[&replaced, &new]);
    until_refused(&alice, &new).await.problem(401);
    let token = Token::of(&alice.id).issued_by(&replaced);
    alice.with_token(token).get("/tasks").await.good(200);
}

#[tokio::test]
async fn a_remembered_token_does_not_outlive_its_expiry() {
    let key = SigningKey::p256("a");
    let server = KeyServer::start(&[&key]).await;
    let alice = alice_with(&server, &key).await;
    // Within the leeway of 60 s for a moment yet.
    let token = Token::of(&alice.id).claim_in("exp", -55).issued_by(&key);
    let alice = alice.with_token(token);
    alice.get("/tasks").await.good(200);
    let reply = until("the token runs out", async || {
        let reply = alice.get("/tasks").await;
        (reply.status != 200).then_some(reply)
    })
    .await;
    reply.problem(401).says("The token has expired");
}

#[tokio::test]
async fn forged_key_ids_do_not_send_the_service_looking_again_and_again() {
    let key = SigningKey::ed25519("a");
    let server = KeyServer::start(&[&key]).await;
    let alice = alice_with(&server, &key).await;
    alice.get("/tasks").await.good(200);
    for number in 0..60 {
        let forged = SigningKey::ed25519(&format!("forged-{number}"));
        let token = Token::of(&alice.id).issued_by(&forged);
        alice.with_token(token).get("/tasks").await.problem(401);
    }
    assert_few_hits(&server, 60);
    alice.get("/tasks").await.good(200);
}

#[tokio::test]
async fn a_failing_key_server_is_not_the_clients_fault() {
    let (key, configured) = (SigningKey::ed25519("a"), SigningKey::ed25519("configured"));
    let elsewhere = KeyServer::start(&[&key]).await;
    let private = {
        let mut set = key_set([&key]);
        set["keys"][0]["d"] = json!("AAAA");
        set.to_string()
    };
    let server = KeyServer::start(&[&key]).await;
    let app = App::start_with(|options| {
        few_instances(options).set("jwt_jwks", &key_set([&configured]).to_string());
        options.key_server(&server);
    })
    .await;
    let alice = app.user("alice").await;
    let with_key = alice.with_token(Token::of(&alice.id).issued_by(&key));
    let with_configured = alice.with_token(Token::of(&alice.id).issued_by(&configured));

    let mut hits = 0;
    for (label, answer) in [
        ("an error", Answer::Status(500)),
        ("not found", Answer::Status(404)),
        ("no content", Answer::Status(204)),
        ("a redirect", Answer::Redirect(elsewhere.url())),
        ("no answer", Answer::HangUp),
        ("not JSON", Answer::Document(b"<html>".to_vec())),
        ("nothing", Answer::Document(Vec::new())),
        ("another document", Answer::Document(b"{}".to_vec())),
        ("too large", Answer::Document(vec![b' '; 200 * 1024])),
        ("a private key", Answer::Document(private.into_bytes())),
    ] {
        server.answer(answer);
        let reply = with_key.get("/tasks").await;
        assert_eq!(reply.status, 503, "{label}: {reply}");
        assert_eq!(reply.header("retry-after"), "2", "{label}");
        reply.problem(503).kind("keys-unavailable");
        assert!(!format!("{reply:#}").contains(&server.origin()), "{label}: {reply:#}");
        // The others are not concerned.
        alice.get("/tasks").await.good(200);
        with_configured.get("/tasks").await.good(200);
        hits += 1;
        // A library may try again where the connection broke.
        assert!(server.hits() >= hits, "{label}");
        hits = server.hits();
    }
    assert_eq!(elsewhere.hits(), 0, "redirects are not followed");
    assert!(app.log().contains("no key set: status 500"), "{}", app.log());

    server.publish(&[&key]);
    with_key.get("/tasks").await.good(200);
    // What an instance knows goes on to count when the server fails again, and it can tell what it
    // does not know. One that was just started knows nothing.
    server.answer(Answer::Status(500));
    until("a known key counts", async || {
        (with_key.get("/tasks").await.status == 200).then_some(())
    })
    .await;
    let unknown = Token::of(&alice.id).issued_by(&SigningKey::ed25519("unknown"));
    let unknown = alice.with_token(unknown);
    until("an unknown key is refused", async || {
        (unknown.get("/tasks").await.status == 401).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_key_server_that_is_gone_is_not_the_clients_fault() {
    let key = SigningKey::ed25519("a");
    let server = KeyServer::start(&[&key]).await;
    let alice = alice_with(&server, &key).await;
    drop(server);
    alice.get("/tasks").await.problem(503).kind("keys-unavailable");
}

#[tokio::test]
async fn a_key_server_that_hangs_is_not_waited_for_for_ever() {
    let key = SigningKey::ed25519("a");
    let server = KeyServer::start(&[&key]).await;
    let alice = alice_with(&server, &key).await;
    server.hold();
    let answers = join_all((0..20).map(|_| async { alice.get("/tasks").await.status })).await;
    assert_eq!(answers, [503; 20]);
    server.release();
    alice.get("/tasks").await.good(200);
}

#[tokio::test]
async fn the_component_connects_to_the_origin_of_its_keys_and_nowhere_else() {
    let key = SigningKey::ed25519("a");
    let (server, other) = (KeyServer::start(&[&key]).await, KeyServer::start(&[&key]).await);
    let app = App::start_with(|options| {
        options.key_server(&server).set("jwt_jwks_origin", &other.origin());
    })
    .await;
    let alice = app.stranger("alice");
    let reply = alice.with_token(Token::of(&alice.id).issued_by(&key)).get("/tasks").await;
    reply.problem(500).kind("misconfigured").mentions("jwt_jwks_origin");
    app.get("/health/db").await.problem(503).mentions("jwt_jwks_origin");
    assert_eq!((server.hits(), other.hits()), (0, 0));
}
