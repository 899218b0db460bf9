//! Tokens of other issuers: public keys from the configuration, or published by the issuer.

use std::time::{Duration, Instant};

use futures::future::join_all;
use futures::{StreamExt, stream};
use serde_json::{Value, json};
use tests::{
    Answer, App, InstanceReuse, KeyServer, Response, SigningKey, Token, User, key_set, until,
    until_within, workspace,
};

/// Pause before the next fetch after a failure, and after a fetch for an unknown key.
const INTERVAL: Duration = Duration::from_secs(30);

/// A service that fetches its keys from this server, and Alice, with a token of this key.
async fn alice_with(server: &KeyServer, key: &SigningKey) -> User {
    alice_on(InstanceReuse::default(), server, key).await
}

async fn alice_on(reuse: InstanceReuse, server: &KeyServer, key: &SigningKey) -> User {
    let app = App::start_with(|options| {
        options.reuse = reuse;
        options.key_server(server);
    })
    .await;
    let alice = app.user("alice").await;
    alice.with_token(Token::new(&alice.id).issued_by(key))
}

/// Sends this many requests with tokens of unpublished keys, and returns the largest number of fetches
/// that they may cause.
async fn send_forged_tokens(alice: &User, count: usize) -> usize {
    send_tokens_of_unknown_keys(alice, count, Token::issued_by).await
}

async fn send_tokens_of_unknown_keys(
    alice: &User,
    count: usize,
    issue: impl Fn(&Token, &SigningKey) -> String,
) -> usize {
    let started = Instant::now();
    let requests = (0..count).map(|number| {
        let forged = SigningKey::ed25519(&format!("forged-{number}"));
        let alice = alice.with_token(issue(&Token::new(&alice.id), &forged));
        async move { alice.get("/tasks").await.status }
    });
    let statuses: Vec<u16> = stream::iter(requests).buffer_unordered(16).collect().await;
    assert!(statuses.iter().all(|status| *status == 401), "{statuses:?}");
    // On a slow machine there may be one more for each interval.
    let intervals = started.elapsed().as_secs() / INTERVAL.as_secs();
    1 + usize::try_from(intervals).expect("a small number")
}

/// The response to Alice's token after its key was withdrawn: a token of the new key makes an instance
/// fetch the set, which replaces the old one. Every other instance takes it over without a fetch.
async fn until_refused(alice: &User, new: &SigningKey) -> Response {
    let with_new = alice.with_token(Token::new(&alice.id).issued_by(new));
    until("the withdrawn key is refused", async || {
        with_new.get("/tasks").await.good(200);
        let response = alice.get("/tasks").await;
        (response.status != 200).then_some(response)
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
        let token = Token::new(&alice.id).issued_by(key);
        let alice = alice.with_token(token);
        let label = key.algorithm();
        let response = alice.create(json!({ "title": label })).await;
        assert_eq!(response.status, 201, "{label}: {response}");
        // Once verified and once from the cache.
        for _ in 0..2 {
            let response = alice.get("/tasks").await;
            assert_eq!(response.status, 200, "{label}: {response}");
        }
    }
    // Without a secret, HS256 tokens are invalid.
    alice.get("/tasks").await.problem(401);
}

#[tokio::test]
async fn tokens_of_published_keys_count() {
    let keys = SigningKey::of_each_kind();
    let server = KeyServer::start(&keys.each_ref()).await;
    let app = App::start_with(|options| {
        options.unset("jwt_secret").key_server(&server);
    })
    .await;
    let alice = app.user("alice").await;
    for key in &keys {
        let token = Token::new(&alice.id).issued_by(key);
        let response = alice.with_token(token).get("/tasks").await;
        assert_eq!(response.status, 200, "{}: {response}", key.algorithm());
    }
    for _ in 0..20 {
        let token = Token::new(&alice.id).issued_by(&keys[0]);
        alice.with_token(token).get("/tasks").await.good(200);
    }
    assert_eq!(server.paths(), ["/.well-known/jwks.json"]);
}

#[tokio::test]
async fn several_sources_count_at_once() {
    let (configured, published) =
        (SigningKey::ed25519("configured"), SigningKey::p256("published"));
    let server = KeyServer::start(&[&published]).await;
    let app = App::start_with(|options| {
        options.set("jwt_jwks", &key_set([&configured]).to_string()).key_server(&server);
    })
    .await;
    let alice = app.user("alice").await;
    alice.get("/tasks").await.good(200);
    let token = Token::new(&alice.id).issued_by(&configured);
    alice.with_token(token).get("/tasks").await.good(200);
    assert_eq!(server.hits(), 0, "nothing is fetched before it is needed");
    let token = Token::new(&alice.id).issued_by(&published);
    alice.with_token(token).get("/tasks").await.good(200);
    assert_eq!(server.hits(), 1);
}

/// A service with these keys in its configuration, one that fetches them, and Alice, who has an
/// account on both.
async fn alice_with_either_source(keys: &Value) -> [(&'static str, User, Option<KeyServer>); 2] {
    let configured = App::start_with(|options| {
        options.unset("jwt_secret").set("jwt_jwks", &keys.to_string());
    })
    .await;
    let server = KeyServer::start(&[]).await;
    server.answer(Answer::Document(keys.to_string().into_bytes()));
    let published = App::start_with(|options| {
        options.unset("jwt_secret").key_server(&server);
    })
    .await;
    [
        ("configured", configured.user("alice").await, None),
        ("published", published.user("alice").await, Some(server)),
    ]
}

#[tokio::test]
async fn tokens_with_each_name_of_an_algorithm_count() {
    let keys = SigningKey::of_each_kind();
    for (source, alice, _server) in alice_with_either_source(&key_set(&keys)).await {
        for key in &keys {
            for name in key.algorithms() {
                let token = Token::new(&alice.id).header("alg", *name);
                let token = token.header("kid", key.id.as_str()).signed_with(key);
                let response = alice.with_token(token).get("/tasks").await;
                assert_eq!(response.status, 200, "{source}, {name}: {response}");
            }
        }
    }
}

#[tokio::test]
async fn a_token_without_a_key_id_is_for_the_only_key_of_its_algorithm() {
    let [ed25519, p256, rsa] = SigningKey::of_each_kind();
    let another = SigningKey::p256("another");
    let unknown = SigningKey::ed25519("unknown");
    let keys = key_set([&ed25519, &p256, &another, &rsa]);
    for (source, alice, server) in alice_with_either_source(&keys).await {
        for (label, key, status) in [
            ("the only one", &ed25519, 200),
            ("the only one of another algorithm", &rsa, 200),
            ("one of two", &p256, 401),
            ("the other of two", &another, 401),
            ("one that is not in the set", &unknown, 401),
        ] {
            let token = Token::new(&alice.id).issued_without_key_id(key);
            // Once checked and once from memory.
            for _ in 0..2 {
                let response = alice.with_token(token.clone()).get("/tasks").await;
                assert_eq!(response.status, status, "{source}, {label}: {response}");
            }
        }
        let new_name = Token::new(&alice.id).header("alg", "Ed25519").signed_with(&ed25519);
        alice.with_token(new_name).get("/tasks").await.good(200);
        assert_eq!(server.map_or(1, |server| server.hits()), 1, "{source}");
    }
}

#[tokio::test]
async fn a_key_without_an_id_is_for_tokens_without_one() {
    let key = SigningKey::ed25519("a");
    let mut keys = key_set([&key]);
    keys["keys"][0].as_object_mut().expect("a key").remove("kid");
    for (source, alice, _server) in alice_with_either_source(&keys).await {
        let without = Token::new(&alice.id).issued_without_key_id(&key);
        let response = alice.with_token(without).get("/tasks").await;
        assert_eq!(response.status, 200, "{source}: {response}");
        alice.with_token(Token::new(&alice.id).issued_by(&key)).get("/tasks").await.problem(401);
    }
}

#[tokio::test]
async fn a_token_without_a_key_id_may_be_of_each_source() {
    let [configured, published, unknown] =
        ["configured", "published", "unknown"].map(SigningKey::p256);
    let server = KeyServer::start(&[&published]).await;
    let app = App::start_with(|options| {
        options.set("jwt_jwks", &key_set([&configured]).to_string()).key_server(&server);
    })
    .await;
    let alice = app.user("alice").await;
    let with = |key| alice.with_token(Token::new(&alice.id).issued_without_key_id(key));
    with(&configured).get("/tasks").await.good(200);
    assert_eq!(server.hits(), 0, "nothing is fetched before it is needed");
    with(&published).get("/tasks").await.good(200);
    with(&unknown).get("/tasks").await.problem(401);
    assert_eq!(server.hits(), 1);
}

/// Who publishes a set for many applications signs tokens for them as well.
#[tokio::test]
async fn the_log_says_when_an_issuers_tokens_for_others_count() {
    const WARNING: &str = "for other applications are accepted";
    for (set, missing) in [
        (&[][..], Some("`jwt_issuer` and `jwt_audience` are not set")),
        (&["jwt_issuer"], Some("`jwt_audience` is not set")),
        (&["jwt_audience"], Some("`jwt_issuer` is not set")),
        (&["jwt_issuer", "jwt_audience"], None),
    ] {
        let key = SigningKey::ed25519("a");
        let server = KeyServer::start(&[&key]).await;
        let app = App::start_with(|options| {
            options.key_server(&server);
            for name in set {
                options.set(name, "taskie");
            }
        })
        .await;
        let alice = app.user("alice").await;
        let token = Token::new(&alice.id).claim("iss", "taskie").claim("aud", "taskie");
        let alice = alice.with_token(token.issued_by(&key));
        for _ in 0..20 {
            alice.get("/tasks").await.good(200);
        }
        let last = alice.get("/tasks").header("X-Request-Id", "the-last-one");
        last.await.good(200);
        app.log_line("the-last-one").await;
        let log = app.log();
        assert_eq!(log.matches(WARNING).count(), usize::from(missing.is_some()), "{set:?}: {log}");
        assert!(missing.is_none_or(|missing| log.contains(missing)), "{set:?}: {log}");
    }
}

#[tokio::test]
async fn a_first_task_creates_the_account_with_a_token_of_any_issuer() {
    let key = SigningKey::ed25519("a");
    let server = KeyServer::start(&[&key]).await;
    let alice = alice_with(&server, &key).await;
    let newcomer = alice.app().unregistered_user("newcomer");
    let token = Token::new(&newcomer.id).claim("email", newcomer.email()).issued_by(&key);
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
        let good = Token::new(&alice.id).claim("iss", "https://id.example").claim("aud", "taskie");
        for (label, token, status) in [
            ("good", good.clone(), 200),
            ("another issuer", good.clone().claim("iss", "https://evil.example"), 401),
            ("issuers", good.clone().claim("iss", json!(["https://id.example"])), 401),
            ("no issuer", good.clone().without("iss"), 401),
            ("another audience", good.clone().claim("aud", "other"), 401),
            ("no audience", good.clone().without("aud"), 401),
        ] {
            let response = alice.with_token(token.issued_by(key)).get("/tasks").await;
            assert_eq!(response.status, status, "{}, {label}: {response}", key.algorithm());
        }
    }
}

#[tokio::test]
async fn the_keys_are_fetched_once_however_many_wait() {
    let key = SigningKey::ed25519("a");
    let server = KeyServer::start(&[&key]).await;
    let alice = alice_with(&server, &key).await;

    server.hold();
    let requests: Vec<_> =
        (0..60).map(|_| tokio::spawn(alice.get("/tasks").into_future())).collect();
    until("the key server is asked", async || (server.hits() > 0).then_some(())).await;
    server.release();

    for response in join_all(requests).await {
        response.expect("a request that was made").good(200);
    }
    assert_eq!(server.hits(), 1);
}

#[tokio::test]
async fn thousands_of_requests_cost_one_fetch_however_long_instances_live() {
    let default = InstanceReuse::default();
    for (label, reuse) in [
        ("a new instance for each request", InstanceReuse { max_reuse: 1, ..default }),
        ("128 requests", default),
        ("at random", InstanceReuse { at_random: true, ..default }),
    ] {
        let key = SigningKey::ed25519("a");
        let server = KeyServer::start(&[&key]).await;
        let alice = alice_on(reuse, &server, &key).await;
        // Each token is valid, and each request is rejected without the database.
        let requests = (0..2_048).map(|_| async { alice.get("/tasks/0").await.status });
        let statuses: Vec<u16> = stream::iter(requests).buffer_unordered(16).collect().await;
        assert!(statuses.iter().all(|status| *status == 400), "{label}: {statuses:?}");
        assert_eq!(server.hits(), 1, "{label}");
    }
}

#[tokio::test]
async fn a_new_key_counts_at_once_while_requests_are_in_flight() {
    let (old, new) = (SigningKey::ed25519("old"), SigningKey::rsa("new"));
    let server = KeyServer::start(&[&old]).await;
    let alice = alice_with(&server, &old).await;
    let with_new = alice.with_token(Token::new(&alice.id).issued_by(&new));
    alice.get("/tasks").await.good(200);

    let before = join_all((0..40).map(|_| async { alice.get("/tasks").await.status }));
    let rotate = async {
        server.publish(&[&old, &new]);
        join_all((0..40).map(|_| async { with_new.get("/tasks").await.status })).await
    };
    let (with_old, with_new) = futures::join!(before, rotate);
    assert_eq!(with_old, [200; 40]);
    assert_eq!(with_new, [200; 40]);
    assert_eq!(server.hits(), 2, "one at first and one for the rotation");
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
    assert_eq!(server.hits(), 2);
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
    assert_eq!(server.hits(), 2);
    let token = Token::new(&alice.id).issued_by(&replaced);
    alice.with_token(token).get("/tasks").await.good(200);
}

#[tokio::test]
async fn a_remembered_token_does_not_outlive_its_expiry() {
    let key = SigningKey::p256("a");
    let server = KeyServer::start(&[&key]).await;
    let alice = alice_with(&server, &key).await;
    // Still within the leeway of 60 s, for a moment.
    let token = Token::new(&alice.id).claim_in("exp", -55).issued_by(&key);
    let alice = alice.with_token(token);
    alice.get("/tasks").await.good(200);
    let response = until("the token runs out", async || {
        let response = alice.get("/tasks").await;
        (response.status != 200).then_some(response)
    })
    .await;
    response.problem(401).says("The token has expired");
}

#[tokio::test]
async fn a_rotation_costs_one_fetch_however_long_instances_live() {
    let (old, new) = (SigningKey::ed25519("old"), SigningKey::ed25519("new"));
    for max_reuse in [1, 128] {
        let server = KeyServer::start(&[&old]).await;
        let reuse = InstanceReuse { max_reuse, ..InstanceReuse::default() };
        let alice = alice_on(reuse, &server, &old).await;
        alice.get("/tasks").await.good(200);
        server.publish(&[&old, &new]);
        let with_new = alice.with_token(Token::new(&alice.id).issued_by(&new));
        let requests = (0..128).map(|number| if number % 2 == 0 { &alice } else { &with_new });
        let requests = requests.map(|user| async { user.get("/tasks/0").await.status });
        let statuses: Vec<u16> = stream::iter(requests).buffer_unordered(16).collect().await;
        assert_eq!(statuses, [400; 128], "{max_reuse}");
        assert_eq!(server.hits(), 2, "{max_reuse}");
    }
}

#[tokio::test]
async fn forged_key_ids_do_not_send_the_service_looking_again_and_again() {
    let key = SigningKey::ed25519("a");
    let server = KeyServer::start(&[&key]).await;
    let alice = alice_with(&server, &key).await;
    alice.get("/tasks").await.good(200);
    let searches = send_forged_tokens(&alice, 300).await;
    assert!((2..=1 + searches).contains(&server.hits()), "{} hits", server.hits());
    alice.get("/tasks").await.good(200);
}

#[tokio::test]
async fn forged_tokens_before_any_other_cost_the_first_fetch_and_no_more() {
    let key = SigningKey::ed25519("a");
    let server = KeyServer::start(&[&key]).await;
    let alice = alice_with(&server, &key).await;
    let searches = send_forged_tokens(&alice, 300).await;
    assert!((1..=searches).contains(&server.hits()), "{} hits", server.hits());
    alice.get("/tasks").await.good(200);
}

#[tokio::test]
async fn forged_tokens_without_a_key_id_cost_no_more_fetches_than_others() {
    let key = SigningKey::ed25519("a");
    let server = KeyServer::start(&[&key]).await;
    let alice = alice_with(&server, &key).await;
    let forge = Token::issued_without_key_id;
    let searches = send_tokens_of_unknown_keys(&alice, 300, forge).await;
    assert!((1..=searches).contains(&server.hits()), "{} hits", server.hits());
    alice.get("/tasks").await.good(200);
}

#[tokio::test]
async fn a_failing_key_server_is_a_503_and_is_not_asked_again_at_once() {
    let (key, configured) = (SigningKey::ed25519("a"), SigningKey::ed25519("configured"));
    let elsewhere = KeyServer::start(&[&key]).await;
    let private = {
        let mut set = key_set([&key]);
        set["keys"][0]["d"] = json!("AAAA");
        set.to_string()
    };
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
        let server = KeyServer::start(&[&key]).await;
        let app = App::start_with(|options| {
            options.set("jwt_jwks", &key_set([&configured]).to_string()).key_server(&server);
        })
        .await;
        let alice = app.user("alice").await;
        let with_key = alice.with_token(Token::new(&alice.id).issued_by(&key));
        let with_configured = alice.with_token(Token::new(&alice.id).issued_by(&configured));
        server.answer(answer);

        let response = with_key.get("/tasks").await;

        assert_eq!(response.status, 503, "{label}: {response}");
        assert_eq!(response.header("retry-after"), "2", "{label}");
        response.problem(503).kind("keys-unavailable");
        assert!(!format!("{response:#}").contains(&server.origin()), "{label}: {response:#}");
        // Other tokens are not affected.
        alice.get("/tasks").await.good(200);
        with_configured.get("/tasks").await.good(200);
        // A library may retry once after a broken connection; afterwards there is no fetch for a while.
        let hits = server.hits();
        assert!(hits >= 1, "{label}");
        server.publish(&[&key]);
        with_key.get("/tasks").await.problem(503).kind("keys-unavailable");
        assert_eq!(server.hits(), hits, "{label}");
        until("the reason is in the log", async || {
            app.log().contains("no key set: ").then_some(())
        })
        .await;
    }
    assert_eq!(elsewhere.hits(), 0, "redirects are not followed");
}

/// The one test that waits for the whole interval.
#[tokio::test]
async fn an_issuer_that_failed_is_asked_again_after_half_a_minute() {
    let key = SigningKey::ed25519("a");
    let server = KeyServer::start(&[&key]).await;
    server.answer(Answer::Status(500));
    let alice = alice_with(&server, &key).await;
    let failed = Instant::now();
    alice.get("/tasks").await.problem(503).kind("keys-unavailable");
    let log = alice.app().log();
    assert!(log.contains("no key set: status 500"), "{log}");
    server.publish(&[&key]);

    let patience = INTERVAL + Duration::from_secs(15);
    until_within(patience, "the issuer is asked again", async || {
        let response = alice.get("/tasks").await;
        assert!([200, 503].contains(&response.status), "{response}");
        (response.status == 200).then_some(())
    })
    .await;

    assert!(failed.elapsed() >= INTERVAL, "{:?}", failed.elapsed());
    assert_eq!(server.hits(), 2);
}

#[tokio::test]
async fn known_keys_stay_valid_while_the_issuer_fails() {
    let key = SigningKey::ed25519("a");
    let server = KeyServer::start(&[&key]).await;
    let reuse = InstanceReuse { max_reuse: 1, ..InstanceReuse::default() };
    let alice = alice_on(reuse, &server, &key).await;
    alice.get("/tasks").await.good(200);
    server.answer(Answer::Status(500));
    let unknown = Token::new(&alice.id).issued_by(&SigningKey::ed25519("unknown"));
    let unknown = alice.with_token(unknown);
    for _ in 0..5 {
        unknown.get("/tasks").await.problem(401);
        alice.get("/tasks").await.good(200);
    }
    assert_eq!(server.hits(), 2, "one search, which failed");
    let app = alice.app();
    until("the failure is in the log", async || {
        app.log().contains("the issuer's keys cannot be fetched (status 500)").then_some(())
    })
    .await;
}

/// This application's manifest in another folder: without its build commands and lines that begin with one of
/// these, and with more at its end.
fn manifest_without(unwanted: &[&str], more: &str) -> tempfile::TempDir {
    let text = std::fs::read_to_string(workspace().join("spin.toml")).expect("read the manifest");
    let target = format!("source = \"{}/target/", workspace().display());
    // The build commands do not work in another folder.
    let build = ["command =", "watch =", "[component.api.build]", "[component.docs-page.build]"];
    let is_wanted =
        |line: &&str| !build.iter().chain(unwanted).any(|begin| line.starts_with(begin));
    let lines: Vec<&str> = text.lines().filter(is_wanted).chain([more]).collect();
    let text = lines.join("\n").replace("source = \"target/", &target);
    let folder = tempfile::tempdir().expect("create a folder");
    std::fs::write(folder.path().join("spin.toml"), text).expect("write a manifest");
    folder
}

async fn build_components() {
    let built =
        tokio::task::spawn_blocking(|| local::build_component(&workspace().join("spin.toml")));
    built.await.expect("build").expect("build the components");
}

/// A second component with the keys of another issuer, for the paths of one user. All components of an application
/// share a store, as applications may.
fn component_of_another_issuer(user: &str, server: &KeyServer) -> String {
    format!(
        r#"
[[trigger.http]]
route = "/api/{user}/..."
component = "other"

[component.other]
source = "target/wasm32-wasip2/release/api.wasm"
key_value_stores = ["default"]
allowed_outbound_hosts = ["postgres://{{{{ database_host }}}}:{{{{ database_port }}}}", "{origin}"]

[component.other.variables]
database_url = "{{{{ database_url }}}}"
database_ca = "{{{{ database_ca }}}}"
jwt_jwks_url = "{url}"
jwt_jwks_origin = "{origin}"
"#,
        origin = server.origin(),
        url = server.url(),
    )
}

#[tokio::test]
async fn issuers_in_one_store_do_not_replace_each_others_keys() {
    build_components().await;
    let keys = [SigningKey::ed25519("a"), SigningKey::ed25519("b")];
    let servers = [KeyServer::start(&[&keys[0]]).await, KeyServer::start(&[&keys[1]]).await];
    let folder = manifest_without(&[], &component_of_another_issuer("bob", &servers[1]));
    let app = App::start_with(|options| {
        options.manifest = folder.path().join("spin.toml");
        options.reuse.max_reuse = 1;
        options.key_server(&servers[0]);
    })
    .await;
    let users = [app.user("alice").await, app.unregistered_user_with_id("bob")];
    for _ in 0..5 {
        for (user, key) in users.iter().zip(&keys) {
            let token = Token::new(&user.id).issued_by(key);
            user.with_token(token).get("/tasks/0").await.problem(400);
        }
    }
    assert_eq!(servers.each_ref().map(KeyServer::hits), [1, 1]);
}

#[tokio::test]
async fn without_a_store_each_instance_fetches_the_keys_and_logs_that() {
    build_components().await;
    let folder = manifest_without(&["key_value_stores"], "");
    let key = SigningKey::ed25519("a");
    let server = KeyServer::start(&[&key]).await;
    let app = App::start_with(|options| {
        options.manifest = folder.path().join("spin.toml");
        options.reuse.max_reuse = 1;
        options.key_server(&server);
    })
    .await;
    let alice = app.user("alice").await;
    let alice = alice.with_token(Token::new(&alice.id).issued_by(&key));
    for hits in 1..=3 {
        alice.get("/tasks").await.good(200);
        assert_eq!(server.hits(), hits);
    }
    until("the log says so", async || {
        app.log().contains("the key-value store cannot be used").then_some(())
    })
    .await;
}

#[tokio::test]
async fn an_unreachable_key_server_is_a_503() {
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
    assert_eq!(server.hits(), 1, "they share the failure");
    server.release();
}

#[tokio::test]
async fn the_component_connects_to_the_origin_of_its_keys_and_nowhere_else() {
    let key = SigningKey::ed25519("a");
    let (server, other) = (KeyServer::start(&[&key]).await, KeyServer::start(&[&key]).await);
    let app = App::start_with(|options| {
        options.key_server(&server).set("jwt_jwks_origin", &other.origin());
    })
    .await;
    let alice = app.unregistered_user("alice");
    let response = alice.with_token(Token::new(&alice.id).issued_by(&key)).get("/tasks").await;
    response.problem(500).kind("misconfigured").mentions("jwt_jwks_origin");
    app.get("/health/db").await.problem(503).mentions("jwt_jwks_origin");
    assert_eq!((server.hits(), other.hits()), (0, 0));
}
