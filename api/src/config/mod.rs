//! The configuration of an instance: Spin variables, each read when a request first needs it.
//!
//! | Variable | Meaning | Default | Read by |
//! |---|---|---|---|
//! | `database_url` | PostgreSQL connection string; a Neon host is used through its pooled endpoint. `connect_timeout` in it is the longest wait for a connection, 10 s by default, 30 s at most | required | all that query the database |
//! | `database_ca` | PEM certificate of a private certificate authority for the database | the system's | the same |
//! | `database_timeout_ms` | longest wait for the answer to a statement, 1–30000 | 5000 | the same |
//! | `auth` | `jwt`, or `insecure-none`: trust the path, with a loopback database only | `jwt` | task routes |
//! | `jwt_secret` | key of HS256 tokens, at least 32 bytes | none | task routes |
//! | `jwt_jwks` | public keys of EdDSA, ES256 and RS256 tokens: a JSON Web Key Set | none | task routes |
//! | `jwt_jwks_url` | URL of the key set | none | task routes |
//! | `jwt_jwks_origin` | the beginning of that URL, up to the path: the component may connect there | none | task routes |
//! | `jwt_issuer` | the `iss` that a token must have | not checked; a warning with `jwt_jwks_url` | task routes |
//! | `jwt_audience` | an `aud` that a token must have | not checked; a warning with `jwt_jwks_url` | task routes |
//! | `provision_users` | create the row in `users` at a user's first task, from the token, and keep its address up to date | `true` | creating a task |
//! | `request_timeout_ms` | longest wait for a request's body, 1000–60000 | 10000 | requests whose body is not there at once |
//! | `cors_origins` | the origins whose pages may use the API from a browser, with commas or spaces between them | none | requests with `Origin` |
//! | `pool_size` | the budget of connections that `GET /health/pool` compares with, 1–10000 | 10 | `GET /health/pool` |
//! | `log_level` | `off`, `error` (5xx), `warn` (4xx too) or `info` (every request) | `info` | all, after the response |
//!
//! With `auth = jwt`, one of `jwt_secret`, `jwt_jwks` and `jwt_jwks_url` is required.
//!
//! Reading a variable takes time, and a new instance has read none: so a request reads only those that
//! it uses. The health checks read all. Problems are reported together, by name and
//! without the values.

mod auth;
mod database;
mod origin;
mod problems;
mod settings;
mod variables;

use std::sync::OnceLock;

pub(crate) use self::auth::{Auth, PublicKeys, RequiredClaims, Secret};
pub(crate) use self::database::DatabaseConfig;
pub(crate) use self::problems::Misconfiguration;
use self::problems::Problems;
pub(crate) use self::settings::{CorsOrigins, LogLevel, PoolSize, ProvisionUsers, RequestTimeout};
use self::variables::{Host, Reader, Source};

static AUTH: Part<Auth> = Part::new();
static CORS_ORIGINS: Part<CorsOrigins> = Part::new();
static DATABASE: Part<DatabaseConfig> = Part::new();
static LOG_LEVEL: Part<LogLevel> = Part::new();
static POOL_SIZE: Part<PoolSize> = Part::new();
static PUBLIC_KEYS: Part<PublicKeys> = Part::new();
static PROVISION_USERS: Part<ProvisionUsers> = Part::new();
static REQUIRED_CLAIMS: Part<RequiredClaims> = Part::new();
static REQUEST_TIMEOUT: Part<RequestTimeout> = Part::new();
static SECRET: Part<Secret> = Part::new();

/// Authentication mode.
pub(crate) async fn auth() -> Result<&'static Auth, Misconfiguration> {
    AUTH.get().await
}

/// Claims that a token must have.
pub(crate) async fn required_claims() -> Result<&'static RequiredClaims, Misconfiguration> {
    REQUIRED_CLAIMS.get().await
}

/// The key of HS256 tokens.
pub(crate) async fn secret() -> Result<&'static Secret, Misconfiguration> {
    SECRET.get().await
}

/// The keys of all other tokens.
pub(crate) async fn public_keys() -> Result<&'static PublicKeys, Misconfiguration> {
    PUBLIC_KEYS.get().await
}

/// Checks that there is a key for tokens.
pub(crate) async fn check_keys() -> Result<(), Misconfiguration> {
    let mut problems = Problems::default();
    auth::check_any(secret().await?, public_keys().await?, &mut problems);
    if problems.0.is_empty() { Ok(()) } else { Err(Misconfiguration(problems.0)) }
}

/// The pages that may use the API.
pub(crate) async fn cors_origins() -> Result<&'static CorsOrigins, Misconfiguration> {
    CORS_ORIGINS.get().await
}

/// The database and how long to wait for it.
pub(crate) async fn database() -> Result<&'static DatabaseConfig, Misconfiguration> {
    DATABASE.get().await
}

/// Log level; `info` if the variable is invalid.
pub(crate) async fn log_level() -> LogLevel {
    LOG_LEVEL.get().await.copied().unwrap_or(LogLevel::Info)
}

/// The budget of connections.
pub(crate) async fn pool_size() -> Result<&'static PoolSize, Misconfiguration> {
    POOL_SIZE.get().await
}

/// Account creation by a first task.
pub(crate) async fn provision_users() -> Result<&'static ProvisionUsers, Misconfiguration> {
    PROVISION_USERS.get().await
}

/// Time limit of a request's body.
pub(crate) async fn request_timeout() -> Result<&'static RequestTimeout, Misconfiguration> {
    REQUEST_TIMEOUT.get().await
}

/// Reads and checks all variables, and reports all that is wrong.
pub(crate) async fn check() -> Result<(), Misconfiguration> {
    check_from(Host).await
}

async fn check_from(source: impl Source) -> Result<(), Misconfiguration> {
    let problems = all_problems(source).await;
    if problems.is_empty() { Ok(()) } else { Err(Misconfiguration(problems)) }
}

async fn all_problems<S: Source>(source: S) -> Vec<String> {
    let mut reader = Reader::new(source);
    DatabaseConfig::load(&mut reader).await;
    if Auth::load(&mut reader).await == Some(Auth::Jwt) {
        let (secret, keys) = (Secret::load(&mut reader).await, PublicKeys::load(&mut reader).await);
        if let (Some(secret), Some(keys)) = (secret, keys) {
            auth::check_any(&secret, &keys, &mut reader.problems);
        }
        RequiredClaims::load(&mut reader).await;
    }
    ProvisionUsers::load(&mut reader).await;
    RequestTimeout::load(&mut reader).await;
    CorsOrigins::load(&mut reader).await;
    PoolSize::load(&mut reader).await;
    LogLevel::load(&mut reader).await;
    reader.problems.0
}

/// Read from variables.
trait Load: Sized {
    /// `None` when a problem was noted.
    async fn load<S: Source>(reader: &mut Reader<S>) -> Option<Self>;
}

/// A part of the configuration: read when it is first needed, kept while the instance lives. Nothing
/// is kept of one that could not be read or is wrong: the next request reads it again.
struct Part<T: 'static>(OnceLock<T>);

impl<T: Load> Part<T> {
    const fn new() -> Self {
        Self(OnceLock::new())
    }

    async fn get(&'static self) -> Result<&'static T, Misconfiguration> {
        self.get_from(Host).await
    }

    /// Two first requests may both read the variables; they read the same, and one result is kept.
    async fn get_from(&self, source: impl Source + Copy) -> Result<&T, Misconfiguration> {
        if let Some(known) = self.0.get() {
            return Ok(known);
        }
        let mut reader = Reader::new(source);
        let loaded = T::load(&mut reader).await;
        match loaded {
            Some(value) if reader.problems.0.is_empty() => Ok(self.0.get_or_init(|| value)),
            _ => {
                check_from(source).await?;
                Err(Misconfiguration(reader.problems.0))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use futures::executor::block_on;

    use super::variables::{Reader, Source};
    use super::{
        CorsOrigins, DatabaseConfig, Load, LogLevel, Misconfiguration, Part, PoolSize,
        ProvisionUsers, RequestTimeout, all_problems,
    };
    use crate::host::Unreadable;

    const KEY: &str = "0123456789abcdef0123456789abcdef";
    const LOOPBACK: &str = "postgres://taskie:pw@127.0.0.1:5432/taskie";
    const NEON: &str = "postgres://u:pw@ep-cool-rain-123456.eu-central-1.aws.neon.tech/db";
    const GOOD: [(&str, &str); 2] = [("database_url", LOOPBACK), ("jwt_secret", KEY)];

    /// Variables in the hands of a test; the last value of a name counts.
    struct Given(BTreeMap<&'static str, String>);

    impl Source for &Given {
        async fn get(&self, name: &'static str) -> Result<Option<String>, Unreadable> {
            match self.0.get(name).map(String::as_str) {
                Some("unreadable") => Err(Unreadable),
                value => Ok(value.map(str::to_owned)),
            }
        }
    }

    fn given(values: &[(&'static str, &str)]) -> Given {
        Given(values.iter().map(|(name, value)| (*name, (*value).to_owned())).collect())
    }

    /// All that is wrong with these variables.
    pub(super) fn problems_of(values: &[(&'static str, &str)]) -> Vec<String> {
        block_on(all_problems(&given(values)))
    }

    /// A part of the configuration that these variables make.
    fn load<T: Load>(values: &[(&'static str, &str)]) -> Option<T> {
        let given = given(values);
        let mut reader = Reader::new(&given);
        let loaded = block_on(T::load(&mut reader));
        loaded.filter(|_| reader.problems.0.is_empty())
    }

    #[test]
    fn what_is_not_set_has_its_default() {
        assert_eq!(problems_of(&GOOD), Vec::<String>::new());
        let database: DatabaseConfig = load(&GOOD).expect("good values");
        assert_eq!(database.timeout.as_millis(), 5_000);
        assert_eq!(load(&GOOD).map(|PoolSize(size)| size), Some(10));
        assert_eq!(load(&GOOD), Some(LogLevel::Info));
        assert_eq!(load(&GOOD).map(|ProvisionUsers(yes)| yes), Some(true));
        assert_eq!(load(&GOOD).map(|RequestTimeout(limit)| limit.as_secs()), Some(10));
    }

    #[test]
    fn a_neon_host_is_used_through_its_pooled_endpoint() {
        let database: DatabaseConfig = load(&[("database_url", NEON)]).expect("good values");
        assert!(database.url.host().contains("-pooler."));
    }

    #[test]
    fn all_problems_are_reported_together_by_name() {
        let wrong = [
            ("database_url", ""),
            ("database_ca", "nonsense"),
            ("database_timeout_ms", "0"),
            ("auth", "none"),
            ("provision_users", "maybe"),
            ("request_timeout_ms", "999"),
            ("cors_origins", "*"),
            ("pool_size", "many"),
            ("log_level", "loud"),
        ];
        let problems = problems_of(&wrong);
        assert_eq!(problems.len(), wrong.len(), "{problems:?}");
        for (name, _) in wrong {
            assert!(problems.iter().any(|text| text.contains(&format!("`{name}`"))), "{name}");
        }
    }

    #[test]
    fn a_variable_that_cannot_be_read_is_a_problem() {
        let problems = problems_of(&[&GOOD[..], &[("jwt_issuer", "unreadable")]].concat());
        assert_eq!(problems, ["`jwt_issuer` is not set or cannot be read"]);
    }

    #[test]
    fn only_what_could_be_read_and_is_right_is_kept() {
        let part = Part::<PoolSize>::new();
        let get = |value| {
            let given = given(&[&GOOD[..], &[("pool_size", value)]].concat());
            let size = block_on(part.get_from(&given));
            size.map(|PoolSize(size)| *size).map_err(|Misconfiguration(problems)| problems)
        };
        let unreadable = Err(vec!["`pool_size` is not set or cannot be read".to_owned()]);
        assert_eq!(get("unreadable"), unreadable);
        assert!(get("many").is_err());
        assert_eq!(get("unreadable"), unreadable);
        assert_eq!(get("3"), Ok(3));
        for later in ["unreadable", "many", "4"] {
            assert_eq!(get(later), Ok(3), "{later}");
        }
    }

    #[test]
    fn white_space_belongs_to_the_secret_and_to_nothing_else() {
        let short = format!(" {} ", &KEY[2..]);
        assert_eq!(problems_of(&[GOOD[0], ("jwt_secret", &short)]), Vec::<String>::new());
        assert_eq!(load(&[("log_level", " off\n")]), Some(LogLevel::Off));
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
            let origins = load(&[("cors_origins", list)]).map(|CorsOrigins(origins)| origins);
            let expected =
                expected.map(|list| list.iter().map(ToString::to_string).collect::<Vec<_>>());
            assert_eq!(origins, expected, "{label}");
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
            let wrong = problems_of(&[GOOD[0], GOOD[1], ("database_ca", &text)]);
            assert_eq!(wrong.is_empty(), good, "{label}");
        }
    }

    #[test]
    fn insecure_none_needs_a_loopback_database() {
        let auth = ("auth", "insecure-none");
        assert!(problems_of(&[GOOD[0], auth]).is_empty());
        assert_eq!(problems_of(&[("database_url", NEON), auth]).len(), 1);
    }

    #[test]
    fn a_bad_connection_string_is_reported_without_its_password() {
        let url = "postgres://u:hunter2@db.example.com:5432/db?sslmode=disable";
        let wrong = problems_of(&[("database_url", url), GOOD[1]]);
        assert_eq!(wrong.len(), 1);
        assert!(!wrong[0].contains("hunter2") && !wrong[0].contains("example"), "{wrong:?}");
    }
}
