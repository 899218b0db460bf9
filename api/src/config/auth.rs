//! Authentication: the variables `auth` and `jwt_…`.

use http::Uri;
use http::uri::Scheme;

use super::Load;
use super::database::load_url;
use super::origin::Origin;
use super::problems::Problems;
use super::variables::{Reader, Source};
use crate::auth::algorithms::SecretKey;
use crate::auth::key_set::KeySet;

/// HS256 keys shorter than the hash's output weaken it (RFC 7518, section 3.2).
const MIN_SECRET_BYTES: usize = 32;

/// Authentication mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Auth {
    /// By a bearer token.
    Jwt,
    /// The user in the path is believed: for development on one machine.
    InsecureNone,
}

/// The key of HS256 tokens, and of no others.
pub(crate) struct Secret(pub(crate) Option<SecretKey>);

/// The public keys of tokens. Both sources may be there at once.
pub(crate) struct PublicKeys {
    /// Keys in `jwt_jwks`.
    pub(crate) configured: KeySet,
    /// URL of the issuer's published keys.
    pub(crate) url: Option<Uri>,
}

/// Claims that a token must have with these values, where they are configured.
pub(crate) struct RequiredClaims {
    /// `iss`.
    pub(crate) issuer: Option<String>,
    /// `aud`, or one of the values of `aud`.
    pub(crate) audience: Option<String>,
}

impl Load for Auth {
    async fn load<S: Source>(reader: &mut Reader<S>) -> Option<Self> {
        match reader.text("auth").await.as_deref().unwrap_or("jwt") {
            "jwt" => Some(Self::Jwt),
            "insecure-none" => {
                // One that is not usable is reported where the database is used.
                let problems = std::mem::take(&mut reader.problems);
                let database = load_url(reader).await;
                reader.problems = problems;
                if database.is_some_and(|database| !database.is_loopback()) {
                    return reader.problems.add(
                        "`auth` may be `insecure-none` only when the database's host is loopback",
                    );
                }
                Some(Self::InsecureNone)
            }
            _ => reader.problems.add("`auth` must be `jwt` or `insecure-none`"),
        }
    }
}

impl Load for Secret {
    async fn load<S: Source>(reader: &mut Reader<S>) -> Option<Self> {
        let secret = reader.text("jwt_secret").await;
        if secret.as_ref().is_some_and(|secret| secret.len() < MIN_SECRET_BYTES) {
            let problem = format!("`jwt_secret` must be at least {MIN_SECRET_BYTES} bytes long");
            return reader.problems.add(problem);
        }
        Some(Self(secret.map(|secret| SecretKey::new(secret.as_bytes()))))
    }
}

impl Load for PublicKeys {
    async fn load<S: Source>(reader: &mut Reader<S>) -> Option<Self> {
        let jwks = reader.text("jwt_jwks").await;
        let url = reader.text("jwt_jwks_url").await;
        let origin = reader.text("jwt_jwks_origin").await;
        let problems = &mut reader.problems;
        let problems_before = problems.0.len();
        let configured = jwks.and_then(|document| match KeySet::parse(document.as_bytes()) {
            Ok(keys) if keys.is_empty() => problems.add(
                "`jwt_jwks` has no key that can be used: Ed25519, P-256 or RSA of at least 2048 bits",
            ),
            Ok(keys) => Some(keys),
            Err(error) => problems.add(format!("`jwt_jwks` {error}")),
        });
        let url = match (url, origin) {
            (None, None) => None,
            (None, Some(_)) => problems.add("`jwt_jwks_origin` is set, but `jwt_jwks_url` is not"),
            (Some(url), origin) => key_set_url(&url, origin.as_deref(), problems),
        };
        (problems.0.len() == problems_before)
            .then(|| Self { configured: configured.unwrap_or_default(), url })
    }
}

impl Load for RequiredClaims {
    async fn load<S: Source>(reader: &mut Reader<S>) -> Option<Self> {
        let issuer = reader.text("jwt_issuer").await;
        let audience = reader.text("jwt_audience").await;
        Some(Self { issuer, audience })
    }
}

/// Checks that there is a key at all; `None` with a problem noted otherwise.
pub(super) fn check_any(secret: &Secret, keys: &PublicKeys, problems: &mut Problems) -> Option<()> {
    if secret.0.is_none() && keys.configured.is_empty() && keys.url.is_none() {
        return problems.add("none of `jwt_secret`, `jwt_jwks` and `jwt_jwks_url` is set");
    }
    Some(())
}

/// The URL, if keys may be fetched from there, and if the host lets the component connect there.
fn key_set_url(url: &str, origin: Option<&str>, problems: &mut Problems) -> Option<Uri> {
    let parsed = url.parse::<Uri>().ok().filter(|uri| Origin::of(uri).is_some());
    let Some(uri) = parsed else {
        return problems.add("`jwt_jwks_url` must be an `https` URL, without user or password");
    };
    let its_origin = Origin::of(&uri)?;
    if its_origin.scheme == Scheme::HTTP && !its_origin.is_loopback() {
        return problems.add("`jwt_jwks_url` may be `http` on loopback only: it must be `https`");
    }
    // A manifest cannot extract the origin of a URL, so it has a variable of its own.
    // The host compares the scheme as it is written.
    let is_lower_case = origin.is_some_and(|origin| origin.starts_with("http"));
    if !is_lower_case || origin.and_then(Origin::parse) != Some(its_origin) {
        return problems.add(
            "`jwt_jwks_origin` must be the beginning of `jwt_jwks_url`, such as `https://example.com`: the component may connect there and nowhere else",
        );
    }
    Some(uri)
}

#[cfg(test)]
mod tests {
    use crate::config::tests::problems_of;

    const SECRET: &str = "0123456789abcdef0123456789abcdef";
    const KEYS: &str = r#"{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"a",
        "x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;

    /// The problems with these variables, beside a database that is good.
    fn problems(values: &[(&'static str, &str)]) -> Vec<String> {
        let database = ("database_url", "postgres://taskie:pw@127.0.0.1:5432/taskie");
        problems_of(&[&[database], values].concat())
    }

    #[test]
    fn one_source_is_enough_and_all_may_be_there() {
        let url = ("jwt_jwks_url", "https://id.example/jwks");
        let origin = ("jwt_jwks_origin", "https://id.example");
        let (secret, keys) = (("jwt_secret", SECRET), ("jwt_jwks", KEYS));
        for (label, values) in [
            ("secret", &[secret][..]),
            ("keys", &[keys]),
            ("url", &[url, origin]),
            ("all", &[secret, keys, url, origin]),
        ] {
            assert_eq!(problems(values), Vec::<String>::new(), "{label}");
        }
        let none = problems(&[]);
        assert_eq!(none, ["none of `jwt_secret`, `jwt_jwks` and `jwt_jwks_url` is set"]);
    }

    #[test]
    fn a_short_secret_is_refused_and_not_repeated() {
        let wrong = problems(&[("jwt_secret", "hunter2")]);
        assert_eq!(wrong, ["`jwt_secret` must be at least 32 bytes long"]);
    }

    #[test]
    fn a_key_set_without_a_usable_key_is_refused() {
        for (label, keys, expected) in [
            ("not JSON", "hello", "is not a JSON Web Key Set"),
            ("empty", r#"{"keys":[]}"#, "has no key that can be used"),
            ("a secret", r#"{"keys":[{"kty":"oct","kid":"a","k":"AAAA"}]}"#, "has no key"),
            ("private", r#"{"keys":[{"kty":"RSA","kid":"a","d":"AAAA"}]}"#, "a private key"),
        ] {
            let wrong = problems(&[("jwt_jwks", keys)]);
            assert_eq!(wrong.len(), 1, "{label}");
            assert!(wrong[0].contains("`jwt_jwks`") && wrong[0].contains(expected), "{wrong:?}");
        }
    }

    #[test]
    fn a_key_sets_url_is_https_and_its_origin_is_said_apart() {
        for (label, url, origin, expected) in [
            ("https", "https://id.example/a?b=c", "https://id.example", None),
            ("a port", "https://id.example:8443/a", "https://id.example:8443", None),
            ("the default port", "https://id.example/a", "https://id.example:443/", None),
            ("upper case", "https://ID.example/a", "https://id.EXAMPLE", None),
            ("http on loopback", "http://127.0.0.1:1/a", "http://127.0.0.1:1", None),
            ("http on IPv6 loopback", "http://[::1]:1/a", "http://[::1]:1", None),
            ("http", "http://id.example/a", "http://id.example", Some("https")),
            (
                "http that looks like loopback",
                "http://127.0.0.1.evil.example/a",
                "http://127.0.0.1.evil.example",
                Some("https"),
            ),
            ("another scheme", "ftp://id.example/a", "ftp://id.example", Some("`https` URL")),
            ("no URL", "id.example/a", "https://id.example", Some("`https` URL")),
            ("a password", "https://u:p@id.example/a", "https://id.example", Some("password")),
            (
                "a scheme in upper case",
                "https://id.example/a",
                "HTTPS://id.example",
                Some("`jwt_jwks_origin`"),
            ),
            ("no origin", "https://id.example/a", "", Some("`jwt_jwks_origin`")),
            (
                "another origin",
                "https://id.example/a",
                "https://id2.example",
                Some("`jwt_jwks_origin`"),
            ),
            (
                "another port",
                "https://id.example/a",
                "https://id.example:8443",
                Some("`jwt_jwks_origin`"),
            ),
            (
                "another scheme's origin",
                "https://id.example/a",
                "http://id.example",
                Some("`jwt_jwks_origin`"),
            ),
            ("all origins", "https://id.example/a", "https://*", Some("`jwt_jwks_origin`")),
            (
                "an origin with a path",
                "https://id.example/a",
                "https://id.example/a",
                Some("`jwt_jwks_origin`"),
            ),
        ] {
            let wrong = problems(&[("jwt_jwks_url", url), ("jwt_jwks_origin", origin)]);
            match expected {
                None => assert_eq!(wrong, Vec::<String>::new(), "{label}"),
                Some(text) => {
                    assert_eq!(wrong.len(), 1, "{label}: {wrong:?}");
                    assert!(wrong[0].contains(text), "{label}: {wrong:?}");
                    assert!(!wrong[0].contains("id.example"), "{label}: {wrong:?}");
                }
            }
        }
    }

    #[test]
    fn an_origin_alone_is_a_mistake() {
        let wrong = problems(&[("jwt_secret", SECRET), ("jwt_jwks_origin", "https://id.example")]);
        assert_eq!(wrong, ["`jwt_jwks_origin` is set, but `jwt_jwks_url` is not"]);
    }
}
