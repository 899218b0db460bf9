//! Tokens that do not count, one row each: forged, malformed, too old, for somebody else.

use serde_json::{Value, json};
use tests::{App, KeyServer, SigningKey, Token, key_set};

/// The challenge of a 401 (RFC 6750, section 3) to a request that brought a token.
const BAD_TOKEN: &str = "Bearer error=\"invalid_token\"";

/// A token of which everything counts: what an attack changes.
struct Good {
    token: Token,
    secret: String,
    /// One of each kind, in the configuration.
    keys: [SigningKey; 3],
    /// Published by the issuer.
    published: SigningKey,
    /// The attacker's own keys, under the issuer's ids.
    theirs: [SigningKey; 3],
    /// The attacker's own key server.
    their_server: KeyServer,
}

type Attacks = Vec<(String, String)>;

#[tokio::test]
async fn a_token_that_does_not_count_is_refused() {
    let published = SigningKey::ed25519("published");
    let server = KeyServer::start(&[&published]).await;
    let keys = SigningKey::of_each_kind();
    let app = App::start_with(|options| {
        options.set("jwt_jwks", &key_set(&keys).to_string()).key_server(&server);
    })
    .await;
    let alice = app.user("alice").await;
    let theirs =
        [SigningKey::ed25519("EdDSA"), SigningKey::p256("ES256"), SigningKey::another_rsa("RS256")];
    let their_server = KeyServer::start(&theirs.each_ref()).await;
    let good = Good {
        token: Token::new(&alice.id),
        secret: app.jwt_secret().to_owned(),
        keys,
        published,
        theirs,
        their_server,
    };

    let attacks = [
        malformed(&good),
        wrong_secrets(&good),
        algorithms(&good),
        keys_of_others(&good),
        headers(&good),
        claims(&good),
    ]
    .concat();
    assert!(attacks.len() >= 40, "{}", attacks.len());
    for (label, token) in attacks {
        let response = alice.with_token(token).get("/tasks").await;
        assert_eq!(response.status, 401, "{label}: {response}");
        response.problem(401);
        let challenge = response.header("www-authenticate");
        assert!(challenge.starts_with(BAD_TOKEN), "{label}: {challenge}");
    }
    assert_eq!(good.their_server.hits(), 0, "nobody asks where a token says");

    // What the attacks were made from does count.
    for key in good.keys.iter().chain([&good.published]) {
        alice.with_token(good.token.issued_by(key)).get("/tasks").await.good(200);
    }
    alice.get("/tasks").await.good(200);
}

fn row(label: impl Into<String>, token: impl Into<String>) -> (String, String) {
    (label.into(), token.into())
}

/// Not three parts of base64 with JSON in them.
fn malformed(good: &Good) -> Attacks {
    let signed = good.token.signed(&good.secret);
    let [header, claims, signature] = signed.split('.').collect::<Vec<_>>()[..] else {
        unreachable!("a token has three parts")
    };
    let others = Token::new("somebody-else").signed(&good.secret);
    let others_claims = others.split('.').nth(1).expect("claims");
    vec![
        row("not a token", "hello"),
        row("dots", ".."),
        row("two parts", format!("{header}.{claims}")),
        row("four parts", format!("{signed}.{signature}")),
        row("an encrypted token's five parts", format!("{signed}.{signature}.{signature}")),
        row("signature cut off", format!("{header}.{claims}.")),
        row("signature too short", format!("{header}.{claims}.{}", &signature[..20])),
        row("signature too long", format!("{signed}AAAA")),
        row("signature not base64", format!("{header}.{claims}.???")),
        row("padded", format!("{header}.{claims}.{signature}=")),
        row("no header", format!(".{claims}.{signature}")),
        row("no claims", format!("{header}..{signature}")),
        row("header not JSON", format!("AAAA.{claims}.{signature}")),
        row("another user's claims", format!("{header}.{others_claims}.{signature}")),
        row("header and claims swapped", format!("{claims}.{header}.{signature}")),
        row("the token twice", format!("{signed}{signed}")),
        row("very long", "A".repeat(8_000)),
    ]
}

fn wrong_secrets(good: &Good) -> Attacks {
    vec![
        row("another secret", good.token.signed("another secret, of more than 32 bytes")),
        row("an empty secret", good.token.signed("")),
        row("the secret and more", good.token.signed(&format!("{} ", good.secret))),
        row("SHA-512 under HS256", good.token.signed_with_sha512(&good.secret)),
    ]
}

/// The header names another algorithm than the key is for.
fn algorithms(good: &Good) -> Attacks {
    let named = |algorithm: &str| good.token.clone().header("alg", algorithm);
    let mut rows = vec![
        row("none", named("none").unsigned()),
        row("None", named("None").unsigned()),
        row("nOnE", named("nOnE").unsigned()),
        row("none, signed", named("none").signed(&good.secret)),
        row("no algorithm", good.token.clone().header("alg", Value::Null).signed(&good.secret)),
        row("a list", good.token.clone().header("alg", json!(["HS256"])).signed(&good.secret)),
        row("HS256 in lower case", named("hs256").signed(&good.secret)),
        row("HS512", named("HS512").signed_with_sha512(&good.secret)),
        row("HS512 in name only", named("HS512").signed(&good.secret)),
        row("RS256 in name only", named("RS256").signed(&good.secret)),
        row("EdDSA in name only", named("EdDSA").signed(&good.secret)),
        row("unknown", named("XYZ").signed(&good.secret)),
    ];
    for key in &good.keys {
        let kid = |token: Token| token.header("kid", key.id.as_str());
        // The classic: a public key is public, and so no secret.
        let confused = kid(named("HS256")).signed_with_bytes(&key.public_bytes());
        rows.push(row(format!("HS256 with the public bytes of {}", key.id), confused));
        let jwk = key.jwk().to_string();
        let confused = kid(named("HS256")).signed(&jwk);
        rows.push(row(format!("HS256 with the JWK of {}", key.id), confused));
        let unsigned = kid(named("none")).unsigned();
        rows.push(row(format!("none with the id of {}", key.id), unsigned));
        for algorithm in ["EdDSA", "ES256", "RS256", "ES384", "RS512", "PS256"] {
            if algorithm != key.algorithm() {
                let label = format!("{algorithm} with the key {}", key.id);
                rows.push(row(label, kid(named(algorithm)).signed_with(key)));
            }
        }
    }
    rows
}

/// Signed with a key that nobody trusts, or not named as it has to be.
fn keys_of_others(good: &Good) -> Attacks {
    let [ed25519, p256, rsa] = &good.keys;
    let mut rows = Vec::new();
    for (key, theirs) in good.keys.iter().zip(&good.theirs) {
        let label = key.algorithm();
        let mut unnamed = good.token.clone().header("alg", label);
        rows.push(row(format!("{label} without a key id"), unnamed.signed_with(key)));
        unnamed = unnamed.header("kid", "");
        rows.push(row(format!("{label} with an empty key id"), unnamed.signed_with(key)));
        unnamed = unnamed.header("kid", "unknown");
        rows.push(row(format!("{label} with an unknown key id"), unnamed.signed_with(key)));
        rows.push(row(format!("{label} of another key"), good.token.issued_by(theirs)));
        let issued = good.token.issued_by(key);
        let cut = &issued[..issued.len() - 4];
        rows.push(row(format!("{label}, signature too short"), cut));
        rows.push(row(format!("{label}, signature too long"), format!("{issued}AAAA")));
        let unsigned = issued.rsplit_once('.').expect("three parts").0;
        rows.push(row(format!("{label}, no signature"), format!("{unsigned}.")));
        let zeros = "A".repeat(issued.len() - unsigned.len() - 1);
        rows.push(row(format!("{label}, a signature of zeros"), format!("{unsigned}.{zeros}")));
        let expired = good.token.clone().claim_in("exp", -3_600).issued_by(key);
        rows.push(row(format!("{label}, expired"), expired));
    }
    let swapped = good.token.clone().header("alg", "ES256").header("kid", ed25519.id.as_str());
    rows.push(row("signed with the key of another id", swapped.signed_with(p256)));
    let small = SigningKey::small_rsa(&rsa.id);
    rows.push(row("a small RSA key", good.token.issued_by(&small)));
    let published = SigningKey::ed25519(&good.published.id);
    rows.push(row("another key under a published id", good.token.issued_by(&published)));
    rows
}

/// The token brings a key, or asks for what nobody understands.
fn headers(good: &Good) -> Attacks {
    let [theirs, ..] = &good.theirs;
    let with = |name: &str, value: Value| good.token.clone().header(name, value);
    let critical = with("crit", json!(["b64"])).header("b64", false);
    let mut rows = vec![
        row("an extension to understand", critical.signed(&good.secret)),
        row("an empty list of extensions", with("crit", json!([])).signed(&good.secret)),
        row("a key beside the secret", with("jwk", theirs.jwk()).signed(&good.secret)),
        row(
            "a key set's URL beside the secret",
            with("jku", json!(good.their_server.url())).signed(&good.secret),
        ),
        row("a certificate", with("x5c", json!(["MIIB"])).signed(&good.secret)),
    ];
    for (label, name, value) in [
        ("its own key", "jwk", theirs.jwk()),
        ("its own key set's URL", "jku", json!(good.their_server.url())),
        ("its own certificate's URL", "x5u", json!(good.their_server.url())),
        ("its own certificate", "x5c", json!(["MIIB"])),
    ] {
        rows.push(row(label, with(name, value.clone()).issued_by(theirs)));
        // Not even beside a good signature.
        rows.push(row(format!("{label}, needlessly"), with(name, value).issued_by(&good.keys[0])));
    }
    for id in ["../../../dev/null", "' or 1=1 --", "EdDSA\0", "eddsa"] {
        let traversing = good.token.clone().header("alg", "EdDSA").header("kid", id);
        rows.push(row(format!("the key id {id:?}"), traversing.signed_with(&good.keys[0])));
    }
    rows
}

/// Well signed, but not good, or not good now.
fn claims(good: &Good) -> Attacks {
    let with = |name: &str, value: Value| good.token.clone().claim(name, value);
    [
        ("no expiry", good.token.clone().without("exp")),
        ("expiry null", with("exp", json!(null))),
        ("expiry a word", with("exp", json!("tomorrow"))),
        ("expiry a number in a text", with("exp", json!("99999999999"))),
        ("expiry a list", with("exp", json!([99_999_999_999_u64]))),
        ("expired", good.token.clone().claim_in("exp", -3_600)),
        ("expired just beyond the leeway", good.token.clone().claim_in("exp", -62)),
        ("expired since 1970", with("exp", json!(0))),
        ("expiry before 1970", with("exp", json!(-1))),
        ("not yet good", good.token.clone().claim_in("nbf", 3_600)),
        ("good from a word on", with("nbf", json!("now"))),
        ("no subject", good.token.clone().without("sub")),
        ("empty subject", with("sub", json!(""))),
        ("subject a number", with("sub", json!(7))),
        ("subject null", with("sub", json!(null))),
        ("subject a list", with("sub", json!(["alice"]))),
        ("subject of 256 bytes", with("sub", json!("x".repeat(256)))),
        ("subject with U+0000", with("sub", json!("alice\0"))),
    ]
    .into_iter()
    .map(|(label, token)| row(label, token.signed(&good.secret)))
    .collect()
}
