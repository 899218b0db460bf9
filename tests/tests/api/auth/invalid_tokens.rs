//! Invalid tokens, one row each: forged, malformed, expired, for another audience.

use serde_json::{Value, json};
use tests::{App, KeyServer, SigningKey, Token, key_set};

/// The challenge of a 401 (RFC 6750, section 3) to a request with a token.
const BAD_TOKEN: &str = "Bearer error=\"invalid_token\"";

/// A valid token and all keys: the starting point of every attack.
struct Valid {
    token: Token,
    secret: String,
    /// One of each type, in the configuration.
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
    let valid = Valid {
        token: Token::new(&alice.id),
        secret: app.jwt_secret().to_owned(),
        keys,
        published,
        theirs,
        their_server,
    };

    let attacks = [
        malformed(&valid),
        wrong_secrets(&valid),
        algorithms(&valid),
        keys_of_others(&valid),
        headers(&valid),
        claims(&valid),
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
    assert_eq!(valid.their_server.hits(), 0, "nobody asks where a token says");

    // The tokens that the attacks start from are valid.
    for key in valid.keys.iter().chain([&valid.published]) {
        alice.with_token(valid.token.issued_by(key)).get("/tasks").await.good(200);
    }
    alice.get("/tasks").await.good(200);
}

fn row(label: impl Into<String>, token: impl Into<String>) -> (String, String) {
    (label.into(), token.into())
}

/// Not three segments of base64 with JSON in them.
fn malformed(valid: &Valid) -> Attacks {
    let signed = valid.token.signed(&valid.secret);
    let [header, claims, signature] = signed.split('.').collect::<Vec<_>>()[..] else {
        unreachable!("a token has three parts")
    };
    let others = Token::new("somebody-else").signed(&valid.secret);
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

fn wrong_secrets(valid: &Valid) -> Attacks {
    vec![
        row("another secret", valid.token.signed("another secret, of more than 32 bytes")),
        row("an empty secret", valid.token.signed("")),
        row("the secret and more", valid.token.signed(&format!("{} ", valid.secret))),
        row("SHA-512 under HS256", valid.token.signed_with_sha512(&valid.secret)),
    ]
}

/// The header names another algorithm than the key's.
fn algorithms(valid: &Valid) -> Attacks {
    let named = |algorithm: &str| valid.token.clone().header("alg", algorithm);
    let mut rows = vec![
        row("none", named("none").unsigned()),
        row("None", named("None").unsigned()),
        row("nOnE", named("nOnE").unsigned()),
        row("none, signed", named("none").signed(&valid.secret)),
        row("no algorithm", valid.token.clone().header("alg", Value::Null).signed(&valid.secret)),
        row("a list", valid.token.clone().header("alg", json!(["HS256"])).signed(&valid.secret)),
        row("HS256 in lower case", named("hs256").signed(&valid.secret)),
        row("HS512", named("HS512").signed_with_sha512(&valid.secret)),
        row("HS512 in name only", named("HS512").signed(&valid.secret)),
        row("RS256 in name only", named("RS256").signed(&valid.secret)),
        row("EdDSA in name only", named("EdDSA").signed(&valid.secret)),
        row("unknown", named("XYZ").signed(&valid.secret)),
    ];
    for key in &valid.keys {
        let kid = |token: Token| token.header("kid", key.id.as_str());
        // The well-known attack: the public key as an HMAC secret.
        let confused = kid(named("HS256")).signed_with_bytes(&key.public_bytes());
        rows.push(row(format!("HS256 with the public bytes of {}", key.id), confused));
        let jwk = key.jwk().to_string();
        let confused = kid(named("HS256")).signed(&jwk);
        rows.push(row(format!("HS256 with the JWK of {}", key.id), confused));
        let unsigned = kid(named("none")).unsigned();
        rows.push(row(format!("none with the id of {}", key.id), unsigned));
        for algorithm in ["EdDSA", "Ed25519", "Ed448", "ES256", "RS256", "ES384", "RS512", "PS256"]
        {
            if !key.algorithms().contains(&algorithm) {
                let label = format!("{algorithm} with the key {}", key.id);
                rows.push(row(label, kid(named(algorithm)).signed_with(key)));
            }
        }
    }
    rows
}

/// Signed with an unknown key, or with a key id that does not match.
fn keys_of_others(valid: &Valid) -> Attacks {
    let [ed25519, p256, rsa] = &valid.keys;
    let mut rows = Vec::new();
    for (key, theirs) in valid.keys.iter().zip(&valid.theirs) {
        let label = key.algorithm();
        let mut unnamed = valid.token.clone().header("alg", label);
        rows.push(row(
            format!("{label} of another key, without a key id"),
            unnamed.signed_with(theirs),
        ));
        unnamed = unnamed.header("kid", "");
        rows.push(row(format!("{label} with an empty key id"), unnamed.signed_with(key)));
        unnamed = unnamed.header("kid", "unknown");
        rows.push(row(format!("{label} with an unknown key id"), unnamed.signed_with(key)));
        rows.push(row(format!("{label} of another key"), valid.token.issued_by(theirs)));
        let issued = valid.token.issued_by(key);
        let cut = &issued[..issued.len() - 4];
        rows.push(row(format!("{label}, signature too short"), cut));
        rows.push(row(format!("{label}, signature too long"), format!("{issued}AAAA")));
        let unsigned = issued.rsplit_once('.').expect("three parts").0;
        rows.push(row(format!("{label}, no signature"), format!("{unsigned}.")));
        let zeros = "A".repeat(issued.len() - unsigned.len() - 1);
        rows.push(row(format!("{label}, a signature of zeros"), format!("{unsigned}.{zeros}")));
        let expired = valid.token.clone().claim_in("exp", -3_600).issued_by(key);
        rows.push(row(format!("{label}, expired"), expired));
    }
    let swapped = valid.token.clone().header("alg", "ES256").header("kid", ed25519.id.as_str());
    rows.push(row("signed with the key of another id", swapped.signed_with(p256)));
    let small = SigningKey::small_rsa(&rsa.id);
    rows.push(row("a small RSA key", valid.token.issued_by(&small)));
    let published = SigningKey::ed25519(&valid.published.id);
    rows.push(row("another key under a published id", valid.token.issued_by(&published)));
    rows
}

/// The token contains a key, or a critical extension that is not supported.
fn headers(valid: &Valid) -> Attacks {
    let [theirs, ..] = &valid.theirs;
    let with = |name: &str, value: Value| valid.token.clone().header(name, value);
    let critical = with("crit", json!(["b64"])).header("b64", false);
    let mut rows = vec![
        row("an extension to understand", critical.signed(&valid.secret)),
        row("an empty list of extensions", with("crit", json!([])).signed(&valid.secret)),
        row("a key beside the secret", with("jwk", theirs.jwk()).signed(&valid.secret)),
        row(
            "a key set's URL beside the secret",
            with("jku", json!(valid.their_server.url())).signed(&valid.secret),
        ),
        row("a certificate", with("x5c", json!(["MIIB"])).signed(&valid.secret)),
    ];
    for typ in [
        "logout+jwt",
        "Logout+JWT",
        "application/logout+jwt",
        "secevent+jwt",
        "dpop+jwt",
        "token-introspection+jwt",
        "oauth-authz-req+jwt",
    ] {
        let typed = with("typ", json!(typ));
        rows.push(row(format!("the type {typ}"), typed.signed(&valid.secret)));
        rows.push(row(format!("the type {typ}, of a key"), typed.issued_by(&valid.keys[0])));
    }
    rows.push(row("a type that is a list", with("typ", json!(["JWT"])).signed(&valid.secret)));
    for (label, name, value) in [
        ("its own key", "jwk", theirs.jwk()),
        ("its own key set's URL", "jku", json!(valid.their_server.url())),
        ("its own certificate's URL", "x5u", json!(valid.their_server.url())),
        ("its own certificate", "x5c", json!(["MIIB"])),
    ] {
        rows.push(row(label, with(name, value.clone()).issued_by(theirs)));
        // Not even with a valid signature.
        rows.push(row(format!("{label}, needlessly"), with(name, value).issued_by(&valid.keys[0])));
    }
    for id in ["../../../dev/null", "' or 1=1 --", "EdDSA\0", "eddsa"] {
        let traversing = valid.token.clone().header("alg", "EdDSA").header("kid", id);
        rows.push(row(format!("the key id {id:?}"), traversing.signed_with(&valid.keys[0])));
    }
    rows
}

/// Correctly signed, but with invalid or expired claims.
fn claims(valid: &Valid) -> Attacks {
    let with = |name: &str, value: Value| valid.token.clone().claim(name, value);
    [
        ("no expiry", valid.token.clone().without("exp")),
        ("expiry null", with("exp", json!(null))),
        ("expiry a word", with("exp", json!("tomorrow"))),
        ("expiry a number in a text", with("exp", json!("99999999999"))),
        ("expiry a list", with("exp", json!([99_999_999_999_u64]))),
        ("expired", valid.token.clone().claim_in("exp", -3_600)),
        ("expired just beyond the leeway", valid.token.clone().claim_in("exp", -62)),
        ("expired since 1970", with("exp", json!(0))),
        ("expiry before 1970", with("exp", json!(-1))),
        ("not yet valid", valid.token.clone().claim_in("nbf", 3_600)),
        ("valid from a word on", with("nbf", json!("now"))),
        ("no subject", valid.token.clone().without("sub")),
        ("empty subject", with("sub", json!(""))),
        ("subject a number", with("sub", json!(7))),
        ("subject null", with("sub", json!(null))),
        ("subject a list", with("sub", json!(["alice"]))),
        ("subject of 256 bytes", with("sub", json!("x".repeat(256)))),
        ("subject with U+0000", with("sub", json!("alice\0"))),
    ]
    .into_iter()
    .map(|(label, token)| row(label, token.signed(&valid.secret)))
    .collect()
}
