//! PostgreSQL connection strings, and what Neon's proxy says to a connection that it refuses.
//!
//! The component, the migrator and the local runner all take a string that was copied from Neon's
//! console, from a `.env` file or from another driver's documentation. [`DatabaseUrl`] is that string,
//! parsed once: which host, which role, whether TLS is used, and whether the host
//! is a Neon endpoint with a pooled or a direct twin.
//!
//! Two invariants hold everywhere. A connection to a remote host always uses TLS: a string that asks
//! for less is an error. And neither `Display`, `Debug` nor an error message ever contains the
//! password; only [`DatabaseUrl::to_connection_string`] does.
//!
//! Start reading at [`DatabaseUrl`]; `parse.rs` parses a string, `parameters.rs` is the table
//! of query parameters. [`NeonRefusal`] is a table of messages.

mod encoding;
mod error;
mod neon;
mod parameters;
mod parse;
mod refusal;

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;
use std::time::Duration;

pub use error::ParseError;
pub use neon::Endpoint;
pub use refusal::NeonRefusal;

use encoding::encode;

/// The time limit for opening a connection where the string sets none.
pub const DEFAULT_CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// PostgreSQL's port where the string names none.
pub const DEFAULT_PORT: u16 = 5432;

/// A PostgreSQL connection string, understood.
///
/// Two values are equal when they lead to the same connection: [`DatabaseUrl::ignored`] does not
/// count.
///
/// ```
/// let url = neon_url::DatabaseUrl::parse(
///     "postgresql://ann:s3cret@ep-cool-darkness-123456-pooler.us-east-2.aws.neon.tech/shop?sslmode=require&channel_binding=require",
/// )?;
/// assert!(url.is_pooled());
/// assert_eq!(url.direct().host(), "ep-cool-darkness-123456.us-east-2.aws.neon.tech");
/// assert!(!url.to_string().contains("s3cret"));
/// # Ok::<(), neon_url::ParseError>(())
/// ```
#[derive(Clone)]
pub struct DatabaseUrl {
    /// A host name in lower case, an IP address without brackets, or the absolute path of a socket
    /// folder.
    host: String,
    port: u16,
    user: String,
    password: Option<String>,
    database: String,
    ssl_mode: SslMode,
    connect_timeout: Duration,
    /// Parameters that drivers take as they are, in the order in which they were written, decoded.
    passed_on: Vec<(&'static str, String)>,
    ignored: Vec<String>,
}

/// TLS mode. With TLS, the certificate and the host name are always verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SslMode {
    /// No TLS: the default for a host on this machine.
    Disable,
    /// TLS when the server offers it. Only on this machine, and only when asked for.
    Prefer,
    /// TLS or no connection: the default, and the only mode, for a remote host.
    Require,
}

impl SslMode {
    /// The value of the `sslmode` parameter.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Disable => "disable",
            Self::Prefer => "prefer",
            Self::Require => "require",
        }
    }
}

impl fmt::Display for SslMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl DatabaseUrl {
    /// Reads a connection string: `postgresql://` or `postgres://`, also with a SQLAlchemy driver
    /// (`postgresql+asyncpg://`).
    ///
    /// White space and matching quotes around it, and a leading `psql`, are what copying leaves
    /// behind: they are removed.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        parse::parse(text)
    }

    /// The host name, the IP address (IPv6 without brackets), or the folder of a Unix socket.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port, 5432 unless the string says otherwise.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The role to sign in as.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// The password, decoded. An empty one counts as none, as in libpq.
    pub fn password(&self) -> Option<&str> {
        self.password.as_deref()
    }

    /// The database, decoded; named like the role where the string names none, as in libpq.
    pub fn database(&self) -> &str {
        &self.database
    }

    /// True if the host is this machine by name or address: `localhost`, `127.0.0.0/8` or `::1`.
    pub fn is_loopback(&self) -> bool {
        is_loopback(&self.host)
    }

    /// True if the connection uses a Unix socket.
    pub fn is_unix_socket(&self) -> bool {
        self.host.starts_with('/')
    }

    /// Kind of host: one of Neon's two kinds, or another.
    pub fn endpoint(&self) -> Endpoint {
        neon::endpoint(&self.host)
    }

    /// True for Neon's pooled endpoint, which keeps no session state: no advisory locks, no
    /// `SET`.
    pub fn is_pooled(&self) -> bool {
        self.endpoint() == Endpoint::NeonPooled
    }

    /// The pooled twin of a direct Neon endpoint; the same URL for every other host.
    #[must_use]
    pub fn pooled(&self) -> Self {
        match self.endpoint() {
            Endpoint::NeonDirect => self.with_endpoint(neon::pooled_label),
            Endpoint::NeonPooled | Endpoint::Other => self.clone(),
        }
    }

    /// The direct twin of a pooled Neon endpoint; the same URL for every other host.
    #[must_use]
    pub fn direct(&self) -> Self {
        match self.endpoint() {
            Endpoint::NeonPooled => self.with_endpoint(neon::direct_label),
            Endpoint::NeonDirect | Endpoint::Other => self.clone(),
        }
    }

    /// TLS mode. A remote host always has [`SslMode::Require`].
    pub fn ssl_mode(&self) -> SslMode {
        self.ssl_mode
    }

    /// The time limit for opening a connection: `connect_timeout`, or [`DEFAULT_CONNECT_TIMEOUT`]
    /// where that is absent or 0.
    pub fn connect_timeout(&self) -> Duration {
        self.connect_timeout
    }

    /// Names of the parameters that were left out because they mean nothing here, such as another
    /// driver's pool settings.
    pub fn ignored(&self) -> &[String] {
        &self.ignored
    }

    /// The same server and role, another database.
    #[must_use]
    pub fn with_database(&self, name: &str) -> Self {
        Self { database: name.to_owned(), ..self.clone() }
    }

    /// The same server and database, another role.
    #[must_use]
    pub fn with_role(&self, name: &str, password: &str) -> Self {
        let password = Some(password.to_owned()).filter(|password| !password.is_empty());
        Self { user: name.to_owned(), password, ..self.clone() }
    }

    /// The same server, which ends a statement of this connection after `limit`.
    ///
    /// Only where the setting can travel with the connection: Neon's pooled endpoint takes none, nor
    /// does a PgBouncer, which Prisma's `pgbouncer=true` announces; and one in `options` stays.
    #[must_use]
    pub fn with_statement_timeout(&self, limit: Duration) -> Self {
        let mut limited = self.clone();
        if self.is_pooled() || self.ignored.iter().any(|name| name == "pgbouncer") {
            return limited;
        }
        let setting = format!("-c statement_timeout={}", limit.as_millis().max(1));
        match limited.passed_on.iter_mut().find(|(name, _)| *name == "options") {
            Some((_, options)) if options.contains("statement_timeout") => {}
            Some((_, options)) => *options = format!("{options} {setting}"),
            None => limited.passed_on.push(("options", setting)),
        }
        limited
    }

    /// The same server, with no more time for opening a connection than `limit`, rounded up to a second.
    #[must_use]
    pub fn with_connect_timeout(&self, limit: Duration) -> Self {
        let seconds = limit.as_millis().div_ceil(1_000).max(1);
        let limit = Duration::from_secs(u64::try_from(seconds).unwrap_or(u64::MAX));
        Self { connect_timeout: self.connect_timeout.min(limit), ..self.clone() }
    }

    /// The same server and database with another search path, written as PostgreSQL shows it; also where
    /// `options` has one.
    #[must_use]
    pub fn with_search_path(&self, path: &str) -> Self {
        let mut moved = self.clone();
        // In `options`, a backslash makes a space or a backslash part of a value.
        let path = path.replace('\\', r"\\").replace(' ', r"\ ");
        let setting = format!("-c search_path={path}");
        match moved.passed_on.iter_mut().find(|(name, _)| *name == "options") {
            Some((_, options)) => *options = format!("{options} {setting}"),
            None => moved.passed_on.push(("options", setting)),
        }
        moved
    }

    /// The connection string **with the password**, as tokio-postgres, and so Spin, reads it.
    ///
    /// Always explicit: scheme `postgresql`, port, database, `sslmode`, `connect_timeout`, then the
    /// parameters that were passed on, each percent-encoded. Parsing it again gives an equal value.
    pub fn to_connection_string(&self) -> String {
        self.render(self.password.as_deref().map(encode))
    }

    fn render(&self, encoded_password: Option<String>) -> String {
        let host = if self.host.contains(':') && !self.is_unix_socket() {
            format!("[{}]", self.host)
        } else {
            encode(&self.host)
        };
        let password = encoded_password.map_or_else(String::new, |password| format!(":{password}"));
        let mut text = format!(
            "postgresql://{user}{password}@{host}:{port}/{database}?sslmode={ssl_mode}&connect_timeout={timeout}",
            user = encode(&self.user),
            port = self.port,
            database = encode(&self.database),
            ssl_mode = self.ssl_mode,
            timeout = self.connect_timeout.as_secs(),
        );
        for (name, value) in &self.passed_on {
            text.push('&');
            text.push_str(name);
            text.push('=');
            text.push_str(&encode(value));
        }
        text
    }

    /// Moves to the endpoint whose first host label is `relabel(old label)`, also where `options`
    /// names the endpoint.
    fn with_endpoint(&self, relabel: fn(&str) -> String) -> Self {
        let mut moved = self.clone();
        let (label, domain) = self.host.split_once('.').unwrap_or((&self.host, ""));
        let twin = relabel(label);
        moved.host = format!("{twin}.{domain}");
        for (name, value) in &mut moved.passed_on {
            if *name == "options" {
                *value = neon::rename_endpoint_option(value, label, &twin);
            }
        }
        moved
    }
}

impl FromStr for DatabaseUrl {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        Self::parse(text)
    }
}

impl PartialEq for DatabaseUrl {
    fn eq(&self, other: &Self) -> bool {
        self.to_connection_string() == other.to_connection_string()
    }
}

impl Eq for DatabaseUrl {}

/// The connection string with `***` for the password.
impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(self.password.as_ref().map(|_| "***".to_owned())))
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DatabaseUrl({self})")
    }
}

pub(crate) fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}
