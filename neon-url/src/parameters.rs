//! The query parameters of connection strings: libpq's, and those which other drivers put there.

use crate::encoding::decode;
use crate::{ParseError, SslMode};

/// The parameters behind the `?`.
#[derive(Default)]
pub(crate) struct Parameters {
    pub(crate) user: Option<String>,
    pub(crate) password: Option<String>,
    pub(crate) host: Option<String>,
    pub(crate) port: Option<String>,
    pub(crate) database: Option<String>,
    pub(crate) ssl_mode: Option<RequestedSslMode>,
    pub(crate) connect_timeout_seconds: Option<u32>,
    pub(crate) passed_on: Vec<(&'static str, String)>,
    pub(crate) ignored: Vec<String>,
}

/// The TLS mode as it was asked for, before the host decides whether that is enough.
#[derive(Clone, Copy)]
pub(crate) struct RequestedSslMode {
    pub(crate) parameter: &'static str,
    pub(crate) written: &'static str,
    pub(crate) mode: SslMode,
}

/// Handling of a parameter.
enum Fate {
    User,
    Password,
    Host,
    Port,
    Database,
    SslMode(&'static str),
    ConnectTimeout,
    /// Given to the driver under this name, when the value is one that the driver takes.
    PassedOn(&'static str, Accepted),
    /// Harmless to leave out: it tunes another driver's pool or cache, or asks for what is the case
    /// anyway.
    Ignored,
    /// Harmless to leave out with one of these values (compared without case), unsupported with any
    /// other.
    IgnoredIf(&'static [&'static str], &'static str),
    Unsupported(&'static str),
}

/// The values which a driver takes.
enum Accepted {
    Anything,
    OneOf(&'static [&'static str], &'static str),
    WholeNumber,
}

const CLIENT_CERTIFICATE: &str =
    "sign in with a password; to trust a private certificate authority, use `database_ca`";
const PRIVATE_CA: &str =
    "use `database_ca` for a private certificate authority; certificates are always verified";
const SEARCH_PATH: &str = "use `options=-c%20search_path%3DNAME`";
const SESSION_SETTING: &str = "use `options=-c%20NAME%3DVALUE`";
const VERIFIED_TLS: &str = "TLS is always used and verified for a remote host";

/// The table. The names in the first groups are libpq's (PostgreSQL 18, section 34.1.2), then other
/// drivers'.
#[expect(clippy::match_same_arms, reason = "the arms are grouped by driver")]
fn fate(name: &str) -> Option<Fate> {
    use Accepted::{Anything, OneOf, WholeNumber};
    Some(match name {
        "user" => Fate::User,
        "password" => Fate::Password,
        "host" => Fate::Host,
        "port" => Fate::Port,
        "dbname" | "database" => Fate::Database,
        "sslmode" => Fate::SslMode("sslmode"),
        // asyncpg and node-postgres.
        "ssl" => Fate::SslMode("ssl"),
        "connect_timeout" => Fate::ConnectTimeout,

        "application_name" => Fate::PassedOn("application_name", Anything),
        // Carries session settings (`-c name=value`) and, for clients without SNI, Neon's
        // `endpoint=ep-…`.
        "options" => Fate::PassedOn("options", Anything),
        "target_session_attrs" => Fate::PassedOn(
            "target_session_attrs",
            OneOf(&["any", "read-write", "read-only"], "`any`, `read-write` or `read-only`"),
        ),
        "load_balance_hosts" => Fate::PassedOn(
            "load_balance_hosts",
            OneOf(&["disable", "random"], "`disable` or `random`"),
        ),
        "keepalives" => Fate::PassedOn("keepalives", WholeNumber),
        "keepalives_idle" => Fate::PassedOn("keepalives_idle", WholeNumber),
        "keepalives_interval" => Fate::PassedOn("keepalives_interval", WholeNumber),
        // libpq's name and tokio-postgres' for the same thing.
        "keepalives_count" | "keepalives_retries" => {
            Fate::PassedOn("keepalives_retries", WholeNumber)
        }

        // Drivers bind the login to the TLS channel by themselves wherever both sides can.
        // `require` would only make the login fail behind poolers that cannot, and certificate and
        // host name are verified in any case.
        "channel_binding" => Fate::IgnoredIf(
            &["disable", "prefer", "require"],
            "use `disable`, `prefer` or `require`",
        ),
        "sslnegotiation" => Fate::IgnoredIf(&["postgres", "direct"], "use `postgres` or `direct`"),
        "sslrootcert" => Fate::IgnoredIf(&["system"], PRIVATE_CA),
        "sslcrl" | "sslcrldir" => Fate::Unsupported(PRIVATE_CA),
        "sslcert" | "sslkey" | "sslpassword" => Fate::Unsupported(CLIENT_CERTIFICATE),
        "sslcertmode" => Fate::IgnoredIf(&["disable", "allow"], CLIENT_CERTIFICATE),
        "sslcompression" => Fate::IgnoredIf(&["0"], "TLS does not compress"),
        "sslsni" => Fate::IgnoredIf(&["1"], "the host name is always sent, Neon needs it"),
        "ssl_min_protocol_version" => Fate::IgnoredIf(
            &["TLSv1", "TLSv1.1", "TLSv1.2"],
            "TLS 1.2 is the oldest version that is used",
        ),
        "gssencmode" => Fate::IgnoredIf(&["disable", "prefer"], "Kerberos is not used here"),
        "krbsrvname" | "gsslib" | "gssdelegation" | "fallback_application_name" => Fate::Ignored,
        "client_encoding" => {
            Fate::IgnoredIf(&["utf8", "utf-8", "unicode", "auto"], "text is always UTF-8")
        }
        // tokio-postgres reads this one in seconds, libpq in milliseconds.
        "tcp_user_timeout" => Fate::Ignored,
        // The host would be verified and another address connected to: an allow-list of hosts could
        // not see that.
        "hostaddr" => Fate::Unsupported("name the address as the host"),
        "require_auth" => Fate::IgnoredIf(&["scram-sha-256"], VERIFIED_TLS),
        "replication" => Fate::IgnoredIf(
            &["false", "off", "no", "0"],
            "replication connections are not used here",
        ),
        "passfile" | "service" | "servicefile" => {
            Fate::Unsupported("write the values into the connection string")
        }

        // Prisma.
        "pgbouncer" | "connection_limit" | "pool_timeout" | "socket_timeout" => Fate::Ignored,
        "sslaccept" => Fate::IgnoredIf(&["strict"], VERIFIED_TLS),
        "sslidentity" => Fate::Unsupported(CLIENT_CERTIFICATE),
        // Left out, they would quietly select other tables.
        "schema" | "currentSchema" => Fate::IgnoredIf(&["public"], SEARCH_PATH),
        "search_path" => Fate::Unsupported(SEARCH_PATH),
        // SQLAlchemy and asyncpg.
        "prepared_statement_cache_size"
        | "statement_cache_size"
        | "max_cached_statement_lifetime"
        | "max_cacheable_statement_size"
        | "prepared_statement_name_func"
        | "async_fallback"
        | "prepare_threshold"
        | "command_timeout"
        | "timeout" => Fate::Ignored,
        // pgx, sqlx, node-postgres, JDBC.
        "pool_max_conns"
        | "pool_min_conns"
        | "pool_max_conn_lifetime"
        | "pool_max_conn_idle_time"
        | "pool_health_check_period"
        | "default_query_exec_mode"
        | "statement_cache_capacity"
        | "statement-cache-capacity"
        | "uselibpqcompat"
        | "prepareThreshold"
        | "preparedStatementCacheQueries"
        | "reWriteBatchedInserts" => Fate::Ignored,
        "statement_timeout"
        | "lock_timeout"
        | "idle_in_transaction_session_timeout"
        | "idle_session_timeout"
        | "timezone"
        | "TimeZone" => Fate::Unsupported(SESSION_SETTING),
        _ => return None,
    })
}

impl Parameters {
    pub(crate) fn read(query: &str) -> Result<Self, ParseError> {
        let mut parameters = Self::default();
        let mut seen: Vec<String> = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let encoding = ParseError::Encoding { part: "parameter list" };
            let name = decode(name).ok_or_else(|| encoding.clone())?;
            let value = decode(value).ok_or(encoding)?;
            let fate = fate(&name).ok_or_else(|| unknown(&name))?;
            let key = match &fate {
                Fate::SslMode(_) => "sslmode",
                Fate::PassedOn(name, _) => name,
                Fate::Database => "dbname",
                _ => &name,
            };
            if seen.iter().any(|earlier| earlier == key) {
                return Err(ParseError::Repeated { parameter: key.to_owned() });
            }
            seen.push(key.to_owned());
            parameters.add(&name, value, fate)?;
        }
        Ok(parameters)
    }

    fn add(&mut self, name: &str, value: String, fate: Fate) -> Result<(), ParseError> {
        match fate {
            Fate::User => self.user = Some(value),
            Fate::Password => self.password = Some(value),
            Fate::Host => self.host = Some(value),
            Fate::Port => self.port = Some(value),
            Fate::Database => self.database = Some(value),
            Fate::SslMode(parameter) => {
                self.ssl_mode = Some(requested_ssl_mode(parameter, &value)?);
            }
            Fate::ConnectTimeout => {
                let expected = "a whole number of seconds";
                let seconds = value
                    .parse()
                    .map_err(|_| ParseError::Value { parameter: "connect_timeout", expected })?;
                self.connect_timeout_seconds = Some(seconds);
            }
            Fate::PassedOn(parameter, accepted) => {
                let expected = match accepted {
                    Accepted::OneOf(values, expected) if !values.contains(&value.as_str()) => {
                        Some(expected)
                    }
                    Accepted::WholeNumber if value.parse::<u32>().is_err() => {
                        Some("a whole number")
                    }
                    _ => None,
                };
                if let Some(expected) = expected {
                    return Err(ParseError::Value { parameter, expected });
                }
                self.passed_on.push((parameter, value));
            }
            Fate::Ignored => self.ignored.push(name.to_owned()),
            Fate::IgnoredIf(harmless, instead) => {
                if !harmless.iter().any(|accepted| accepted.eq_ignore_ascii_case(&value)) {
                    return Err(ParseError::Unsupported { parameter: name.to_owned(), instead });
                }
                self.ignored.push(name.to_owned());
            }
            Fate::Unsupported(instead) => {
                return Err(ParseError::Unsupported { parameter: name.to_owned(), instead });
            }
        }
        Ok(())
    }
}

/// The mode before the host is known. Everything from `require` up is the same here: TLS
/// is always verified.
fn requested_ssl_mode(
    parameter: &'static str,
    value: &str,
) -> Result<RequestedSslMode, ParseError> {
    let (written, mode) = match value {
        "disable" => ("disable", SslMode::Disable),
        "false" | "0" if parameter == "ssl" => ("false", SslMode::Disable),
        "allow" => ("allow", SslMode::Prefer),
        "prefer" => ("prefer", SslMode::Prefer),
        // node-postgres: TLS without verification, which is not offered here, not even on this
        // machine.
        "no-verify" => return Err(ParseError::WeakTls { parameter, mode: "no-verify" }),
        "require" => ("require", SslMode::Require),
        "verify-ca" => ("verify-ca", SslMode::Require),
        "verify-full" => ("verify-full", SslMode::Require),
        "true" | "1" if parameter == "ssl" => ("true", SslMode::Require),
        _ => {
            let expected = "`disable`, `allow`, `prefer`, `require`, `verify-ca` or `verify-full`";
            return Err(ParseError::Value { parameter, expected });
        }
    };
    Ok(RequestedSslMode { parameter, written, mode })
}

/// Repeats an unknown name only if it looks like one: it could be the rest of a password with a raw `?`
/// or `&`.
fn unknown(name: &str) -> ParseError {
    let is_plain = name.len() <= 40
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte));
    let parameter = if is_plain { name } else { "(not a plain name)" };
    ParseError::UnknownParameter { parameter: parameter.to_owned() }
}
