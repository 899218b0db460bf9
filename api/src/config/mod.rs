//! The configuration of an instance: Spin variables, read and checked once.
//!
//! | Variable | Meaning | Default |
//! |---|---|---|
//! | `database_url` | PostgreSQL connection string; a Neon host is used through its pooled endpoint | required |
//! | `database_ca` | PEM certificate of a private certificate authority for the database | the system's |
//! | `database_timeout_ms` | longest wait for a connection, and again for an answer, 1–30000 | 5000 |
//! | `auth` | `jwt`, or `insecure-none`: trust the path, with a loopback database only | `jwt` |
//! | `jwt_secret` | key of HS256 tokens, at least 32 bytes | none |
//! | `jwt_jwks` | public keys of EdDSA, ES256 and RS256 tokens: a JSON Web Key Set | none |
//! | `jwt_jwks_url` | where such a set is to be had | none |
//! | `jwt_jwks_origin` | the beginning of that URL, up to the path: the component may connect there | none |
//! | `jwt_issuer` | the `iss` that a token must have | not checked |
//! | `jwt_audience` | an `aud` that a token must have | not checked |
//! | `provision_users` | make the row in `users` at a user's first task, from the token | `true` |
//! | `cors_origins` | the origins whose pages may use the API from a browser, with commas or spaces between them | none |
//! | `pool_size` | the budget of connections that `GET /health/pool` compares with, 1–10000 | 10 |
//! | `log_level` | `off`, `error` (5xx), `warn` (4xx too) or `info` (every request) | `info` |
//!
//! With `auth = jwt`, one of `jwt_secret`, `jwt_jwks` and `jwt_jwks_url` is required.
//!
//! A variable that is empty counts as not set, because that is how a manifest gives an optional one.
//! All problems are reported together, by name and without the values.

mod auth;
mod origin;

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use neon_url::DatabaseUrl;
use spin_sdk::variables;

pub(crate) use self::auth::Auth;
use self::auth::AuthValues;
use self::origin::Origin;

/// The one variable that is taken as it is: white space around it is part of the key that tokens are
/// signed with.
const SECRET: &str = "jwt_secret";

/// Everything that the component takes from its surroundings.
pub(crate) struct Config {
    /// The database.
    pub(crate) database: DatabaseUrl,
    /// The same as the host takes it, password included.
    pub(crate) address: String,
    /// PEM text of a private certificate authority.
    pub(crate) database_ca: Option<String>,
    /// The longest wait for a connection, and again for an answer.
    pub(crate) database_timeout: Duration,
    /// How callers are recognised.
    pub(crate) auth: Auth,
    /// Whether a user's first task makes the user's row.
    pub(crate) provision_users: bool,
    /// Origins of other pages that may use the API, as browsers write them.
    pub(crate) cors_origins: Vec<String>,
    /// Connections that the operator means the API to use.
    pub(crate) pool_size: i64,
    /// Which responses are logged.
    pub(crate) log_level: LogLevel,
}

/// Which responses get a line in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LogLevel {
    /// None.
    Off,
    /// Server errors (5xx).
    Error,
    /// Client errors (4xx) too.
    Warn,
    /// All.
    Info,
}

/// What is wrong with the configuration, by variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Misconfiguration(Vec<String>);

impl Misconfiguration {
    /// Found out from the database: the accounts are another program's.
    pub(crate) fn accounts_are_not_ours() -> Self {
        let problem = "`database_url` has a role that lacks a right (`migrator grant` gives it what it needs), or `provision_users` must be `false`, because the table users has no email or may not be written to";
        Self(vec![problem.to_owned()])
    }
}

impl fmt::Display for Misconfiguration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "The service is misconfigured: {}", self.0.join("; "))
    }
}

/// The variables as they are given; an empty one is `None`.
#[derive(Default)]
struct Values {
    database_url: Option<String>,
    database_ca: Option<String>,
    database_timeout_ms: Option<String>,
    auth: AuthValues,
    provision_users: Option<String>,
    cors_origins: Option<String>,
    pool_size: Option<String>,
    log_level: Option<String>,
}

impl Values {
    fn by_name(&mut self) -> [(&'static str, &mut Option<String>); 14] {
        let auth = &mut self.auth;
        [
            ("database_url", &mut self.database_url),
            ("database_ca", &mut self.database_ca),
            ("database_timeout_ms", &mut self.database_timeout_ms),
            ("auth", &mut auth.auth),
            (SECRET, &mut auth.jwt_secret),
            ("jwt_jwks", &mut auth.jwt_jwks),
            ("jwt_jwks_url", &mut auth.jwt_jwks_url),
            ("jwt_jwks_origin", &mut auth.jwt_jwks_origin),
            ("jwt_issuer", &mut auth.jwt_issuer),
            ("jwt_audience", &mut auth.jwt_audience),
            ("provision_users", &mut self.provision_users),
            ("cors_origins", &mut self.cors_origins),
            ("pool_size", &mut self.pool_size),
            ("log_level", &mut self.log_level),
        ]
    }
}

impl Config {
    /// Reads and checks all variables.
    pub(crate) async fn load() -> Result<Self, Misconfiguration> {
        let mut problems = Problems::default();
        let mut values = Values::default();
        for (name, value) in values.by_name() {
            *value = read(name, &mut problems).await;
        }
        Self::check(values, problems)
    }

    fn check(values: Values, mut problems: Problems) -> Result<Self, Misconfiguration> {
        let database = match values.database_url.as_deref().map(DatabaseUrl::from_str) {
            None => problems.add("`database_url` is not set"),
            Some(Err(error)) => problems.add(format!("`database_url` is not usable: {error}")),
            Some(Ok(url)) if url.is_unix_socket() => {
                problems.add("`database_url` names a Unix socket; a component can only use TCP")
            }
            Some(Ok(url)) => Some(url.pooled()),
        };
        let database_ca = match values.database_ca {
            Some(pem) if !looks_like_pem(&pem) => {
                problems.add("`database_ca` must hold a PEM certificate")
            }
            other => other,
        };
        let is_local = database.as_ref().is_none_or(DatabaseUrl::is_loopback);
        let auth = Auth::check(values.auth, is_local, &mut problems);
        let database_timeout_ms =
            problems.number("database_timeout_ms", values.database_timeout_ms, 5_000, 30_000);
        let pool_size = problems.number("pool_size", values.pool_size, 10, 10_000);
        let provision_users = match values.provision_users.as_deref() {
            None | Some("true") => Some(true),
            Some("false") => Some(false),
            Some(_) => problems.add("`provision_users` must be `true` or `false`"),
        };
        let cors_origins = problems.origins(values.cors_origins.as_deref().unwrap_or_default());
        let log_level = match values.log_level.as_deref() {
            None | Some("info") => Some(LogLevel::Info),
            Some("warn") => Some(LogLevel::Warn),
            Some("error") => Some(LogLevel::Error),
            Some("off") => Some(LogLevel::Off),
            Some(_) => problems.add("`log_level` must be `off`, `error`, `warn` or `info`"),
        };
        match (database, auth, database_timeout_ms, pool_size, provision_users, log_level) {
            (
                Some(database),
                Some(auth),
                Some(database_timeout_ms),
                Some(pool_size),
                Some(provision_users),
                Some(log_level),
            ) if problems.0.is_empty() => Ok(Self {
                address: database.to_connection_string(),
                database,
                database_ca,
                database_timeout: Duration::from_millis(u64::from(database_timeout_ms)),
                auth,
                provision_users,
                cors_origins,
                pool_size: i64::from(pool_size),
                log_level,
            }),
            _ => Err(Misconfiguration(problems.0)),
        }
    }
}

/// Everything found wrong so far.
#[derive(Default)]
struct Problems(Vec<String>);

impl Problems {
    /// Notes a problem.
    fn note(&mut self, problem: impl Into<String>) {
        self.0.push(problem.into());
    }

    /// Notes a problem; there is no value then.
    fn add<T>(&mut self, problem: impl Into<String>) -> Option<T> {
        self.note(problem);
        None
    }

    /// A whole number from 1 to `max`.
    fn number(&mut self, name: &str, value: Option<String>, default: u16, max: u16) -> Option<u16> {
        let Some(value) = value else { return Some(default) };
        match value.parse() {
            Ok(number) if (1..=max).contains(&number) => Some(number),
            _ => self.add(format!("`{name}` must be a whole number from 1 to {max}")),
        }
    }
}

impl Problems {
    /// Exact origins. There is no pattern: an answer to a page says who it is for.
    fn origins(&mut self, list: &str) -> Vec<String> {
        let entries = list.split([',', ' ', '\t', '\n']).filter(|entry| !entry.is_empty());
        let parsed: Option<Vec<String>> =
            entries.map(|entry| Origin::parse(entry).map(|origin| origin.to_string())).collect();
        parsed.unwrap_or_else(|| {
            self.note(
                "`cors_origins` must be exact origins such as `https://app.example.com`, with commas between them",
            );
            Vec::new()
        })
    }
}

/// Whether this is a certificate's envelope with something like a certificate in it: base64 of a DER
/// sequence, which begins with `MI` whatever its length. The host reads the rest.
fn looks_like_pem(text: &str) -> bool {
    let body = text
        .split_once("-----BEGIN CERTIFICATE-----")
        .and_then(|(_, rest)| rest.split_once("-----END CERTIFICATE-----"))
        .map(|(body, _)| body.trim());
    body.is_some_and(|body| {
        body.starts_with("MI")
            && body.bytes().all(|byte| {
                byte.is_ascii_alphanumeric() || byte.is_ascii_whitespace() || b"+/=".contains(&byte)
            })
    })
}

/// One variable, without white space around it. A manifest that does not pass it on is the same as
/// one that leaves it empty.
async fn read(name: &str, problems: &mut Problems) -> Option<String> {
    let value = match variables::get(name).await {
        Ok(value) if name == SECRET => value,
        Ok(value) => value.trim().to_owned(),
        Err(variables::Error::Undefined(_)) => return None,
        Err(_) => return problems.add(format!("`{name}` is not set or cannot be read")),
    };
    Some(value).filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::{Auth, AuthValues, Config, LogLevel, Problems, Values};

    const KEY: &str = "0123456789abcdef0123456789abcdef";
    const LOOPBACK: &str = "postgres://taskie:pw@127.0.0.1:5432/taskie";
    const NEON: &str = "postgres://u:pw@ep-cool-rain-123456.eu-central-1.aws.neon.tech/db";

    fn good_values() -> Values {
        Values {
            database_url: Some(LOOPBACK.into()),
            auth: AuthValues { jwt_secret: Some(KEY.into()), ..AuthValues::default() },
            ..Values::default()
        }
    }

    fn problems(values: Values) -> Vec<String> {
        Config::check(values, Problems::default()).err().map(|wrong| wrong.0).unwrap_or_default()
    }

    #[test]
    fn what_is_not_set_has_its_default() {
        let config = Config::check(good_values(), Problems::default()).expect("good values");
        assert_eq!(config.database_timeout.as_millis(), 5_000);
        assert_eq!(config.pool_size, 10);
        assert_eq!(config.log_level, LogLevel::Info);
        assert!(config.provision_users);
        assert!(matches!(config.auth, Auth::Jwt(_)));
    }

    #[test]
    fn a_neon_host_is_used_through_its_pooled_endpoint() {
        let values = Values { database_url: Some(NEON.into()), ..good_values() };
        let config = Config::check(values, Problems::default()).expect("good values");
        assert!(config.database.host().contains("-pooler."));
    }

    #[test]
    fn all_problems_are_reported_together_by_name() {
        let wrong = problems(Values {
            database_url: None,
            database_ca: Some("nonsense".into()),
            database_timeout_ms: Some("0".into()),
            auth: AuthValues { auth: Some("none".into()), ..AuthValues::default() },
            provision_users: Some("maybe".into()),
            cors_origins: Some("*".into()),
            pool_size: Some("many".into()),
            log_level: Some("loud".into()),
        });
        let names = ["database_url", "database_ca", "database_timeout_ms", "auth"];
        let more = ["provision_users", "cors_origins", "pool_size", "log_level"];
        assert_eq!(wrong.len(), names.len() + more.len(), "{wrong:?}");
        for name in names.iter().chain(&more) {
            assert!(wrong.iter().any(|problem| problem.contains(&format!("`{name}`"))), "{name}");
        }
    }

    #[test]
    fn origins_are_exact_and_written_as_browsers_do() {
        for (label, list, expected) in [
            ("one", "https://app.example", Some(&["https://app.example"][..])),
            ("a port", "http://localhost:5173", Some(&["http://localhost:5173"])),
            ("its own port", "https://app.example:443/", Some(&["https://app.example"])),
            ("upper case", "HTTPS://App.Example", Some(&["https://app.example"])),
            (
                "many",
                "https://a.b, http://c.d https://e.f,",
                Some(&["https://a.b", "http://c.d", "https://e.f"]),
            ),
            ("any", "*", None),
            ("a pattern", "https://*.example", None),
            ("null", "null", None),
            ("a path", "https://app.example/a", None),
            ("no scheme", "app.example", None),
            ("another scheme", "ftp://app.example", None),
        ] {
            let values = Values { cors_origins: Some(list.into()), ..good_values() };
            let config = Config::check(values, Problems::default());
            let origins = config.as_ref().ok().map(|config| config.cors_origins.as_slice());
            let expected =
                expected.map(|list| list.iter().map(ToString::to_string).collect::<Vec<_>>());
            assert_eq!(origins, expected.as_deref(), "{label}");
        }
    }

    #[test]
    fn only_a_certificate_is_a_certificate() {
        let pem = |body: &str| {
            format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n")
        };
        for (label, text, good) in [
            ("certificate", pem("MIIBszCCAVmgAwIBAgIU\nabc+/w=="), true),
            ("not base64", pem("MI!?"), false),
            ("base64 of something else", pem("zzzz"), false),
            ("no end", "-----BEGIN CERTIFICATE-----\nMIIB".to_owned(), false),
            ("a path", "certificates/ca.pem".to_owned(), false),
        ] {
            let wrong = problems(Values { database_ca: Some(text), ..good_values() });
            assert_eq!(wrong.is_empty(), good, "{label}");
        }
    }

    #[test]
    fn insecure_none_needs_a_loopback_database() {
        let auth =
            || AuthValues { auth: Some("insecure-none".to_owned()), ..AuthValues::default() };
        assert!(problems(Values { auth: auth(), ..good_values() }).is_empty());
        let remote = Values { auth: auth(), database_url: Some(NEON.into()), ..good_values() };
        assert_eq!(problems(remote).len(), 1);
    }

    #[test]
    fn a_bad_connection_string_is_reported_without_its_password() {
        let url = "postgres://u:hunter2@db.example.com:5432/db?sslmode=disable";
        let wrong = problems(Values { database_url: Some(url.into()), ..good_values() });
        assert_eq!(wrong.len(), 1);
        assert!(!wrong[0].contains("hunter2") && !wrong[0].contains("example"), "{wrong:?}");
    }
}
