//! Tables of connection strings: what is read, what is written, what is refused, and that no
//! password ever shows.

use std::time::Duration;

use neon_url::{DatabaseUrl, Endpoint, ParseError, SslMode};
use tokio_postgres::config::{Config, Host};

/// What a string must be read as.
struct Expected {
    host: &'static str,
    port: u16,
    user: &'static str,
    password: Option<&'static str>,
    database: &'static str,
    ssl_mode: SslMode,
}

/// The row that most others differ from in one point.
const SHOP: Expected = Expected {
    host: "db.example.com",
    port: 5432,
    user: "ann",
    password: Some("s3cret"),
    database: "shop",
    ssl_mode: SslMode::Require,
};

const LOCAL: Expected = Expected { host: "localhost", ssl_mode: SslMode::Disable, ..SHOP };

#[rustfmt::skip]
const READABLE: &[(&str, &str, Expected)] = &[
    ("plain", "postgresql://ann:s3cret@db.example.com/shop", SHOP),
    ("short scheme", "postgres://ann:s3cret@db.example.com/shop", SHOP),
    ("upper-case scheme", "POSTGRESQL://ann:s3cret@db.example.com/shop", SHOP),
    ("SQLAlchemy with asyncpg", "postgresql+asyncpg://ann:s3cret@db.example.com/shop", SHOP),
    ("SQLAlchemy with psycopg", "postgresql+psycopg://ann:s3cret@db.example.com/shop", SHOP),
    ("SQLAlchemy with psycopg2", "postgresql+psycopg2://ann:s3cret@db.example.com/shop", SHOP),
    ("white space around", "  postgresql://ann:s3cret@db.example.com/shop\n", SHOP),
    ("single quotes", "'postgresql://ann:s3cret@db.example.com/shop'", SHOP),
    ("double quotes", "\"postgresql://ann:s3cret@db.example.com/shop\"", SHOP),
    ("psql command", "psql 'postgresql://ann:s3cret@db.example.com/shop?sslmode=require'", SHOP),
    ("psql command without quotes", "psql postgresql://ann:s3cret@db.example.com/shop", SHOP),
    ("explicit default port", "postgresql://ann:s3cret@db.example.com:5432/shop", SHOP),
    ("empty port", "postgresql://ann:s3cret@db.example.com:/shop", SHOP),
    ("other port", "postgresql://ann:s3cret@db.example.com:6543/shop", Expected { port: 6543, ..SHOP }),
    ("upper-case host", "postgresql://ann:s3cret@DB.Example.COM/shop", SHOP),
    ("underscore in the host", "postgresql://ann:s3cret@my_db/shop", Expected { host: "my_db", ..SHOP }),
    ("international host in its ASCII form", "postgresql://ann:s3cret@xn--bcher-kva.example/shop", Expected { host: "xn--bcher-kva.example", ..SHOP }),
    ("IPv4 host", "postgresql://ann:s3cret@192.0.2.7/shop", Expected { host: "192.0.2.7", ..SHOP }),
    ("IPv6 host", "postgresql://ann:s3cret@[2001:db8::7]:5433/shop", Expected { host: "2001:db8::7", port: 5433, ..SHOP }),
    ("IPv6 host without a port", "postgresql://ann:s3cret@[2001:DB8::7]/shop", Expected { host: "2001:db8::7", ..SHOP }),
    ("no database", "postgresql://ann:s3cret@db.example.com", Expected { database: "ann", ..SHOP }),
    ("empty database", "postgresql://ann:s3cret@db.example.com/", Expected { database: "ann", ..SHOP }),
    ("no database, parameters", "postgresql://ann:s3cret@db.example.com?sslmode=require", Expected { database: "ann", ..SHOP }),
    ("encoded database", "postgresql://ann:s3cret@db.example.com/my%2Fshop%20%3F", Expected { database: "my/shop ?", ..SHOP }),
    ("no password", "postgresql://ann@db.example.com/shop", Expected { password: None, ..SHOP }),
    ("empty password", "postgresql://ann:@db.example.com/shop", Expected { password: None, ..SHOP }),
    ("encoded user", "postgresql://ann%40work:s3cret@db.example.com/shop", Expected { user: "ann@work", ..SHOP }),
    ("password with URL syntax", "postgresql://ann:%3A%2F%3F%23%5B%5D%40%25@db.example.com/shop", Expected { password: Some(":/?#[]@%"), ..SHOP }),
    ("password with sub-delimiters", "postgresql://ann:%21%24%26%27%28%29%2A%2B%2C%3B%3D@db.example.com/shop", Expected { password: Some("!$&'()*+,;="), ..SHOP }),
    ("password with raw sub-delimiters", "postgresql://ann:!$&'()*+,;=~-._@db.example.com/shop", Expected { password: Some("!$&'()*+,;=~-._"), ..SHOP }),
    ("password with a raw colon", "postgresql://ann:a:b@db.example.com/shop", Expected { password: Some("a:b"), ..SHOP }),
    ("password with a raw at sign", "postgresql://ann:a@b@db.example.com/shop", Expected { password: Some("a@b"), ..SHOP }),
    ("password with quotes and backslash", "postgresql://ann:%22%27%5C%60@db.example.com/shop", Expected { password: Some("\"'\\`"), ..SHOP }),
    ("password with raw brackets", "postgresql://ann:[x]{y}|^@db.example.com/shop", Expected { password: Some("[x]{y}|^"), ..SHOP }),
    ("password with spaces", "postgresql://ann:a%20b c@db.example.com/shop", Expected { password: Some("a b c"), ..SHOP }),
    ("password with a plus", "postgresql://ann:a+b@db.example.com/shop", Expected { password: Some("a+b"), ..SHOP }),
    ("password beyond ASCII", "postgresql://ann:p%C3%A4ss€@db.example.com/shop", Expected { password: Some("päss€"), ..SHOP }),
    ("password with control characters", "postgresql://ann:a%0Ab%09@db.example.com/shop", Expected { password: Some("a\nb\t"), ..SHOP }),
    ("everything as parameters", "postgresql://?host=db.example.com&port=5433&user=ann&password=s3cret&dbname=shop", Expected { port: 5433, ..SHOP }),
    ("host as parameter", "postgresql://ann:s3cret@/shop?host=db.example.com", SHOP),
    ("bare IPv6 address as parameter", "postgresql://ann:s3cret@/shop?host=2001:db8::7", Expected { host: "2001:db8::7", ..SHOP }),
    ("localhost", "postgresql://ann:s3cret@localhost/shop", LOCAL),
    ("localhost, disable", "postgresql://ann:s3cret@localhost/shop?sslmode=disable", LOCAL),
    ("localhost, allow", "postgresql://ann:s3cret@localhost/shop?sslmode=allow", Expected { ssl_mode: SslMode::Prefer, ..LOCAL }),
    ("localhost, prefer", "postgresql://ann:s3cret@localhost/shop?sslmode=prefer", Expected { ssl_mode: SslMode::Prefer, ..LOCAL }),
    ("localhost, require", "postgresql://ann:s3cret@localhost/shop?sslmode=require", Expected { ssl_mode: SslMode::Require, ..LOCAL }),
    ("localhost, verify-full", "postgresql://ann:s3cret@localhost/shop?sslmode=verify-full", Expected { ssl_mode: SslMode::Require, ..LOCAL }),
    ("localhost, ssl=false", "postgresql://ann:s3cret@localhost/shop?ssl=false", LOCAL),
    ("127.0.0.1", "postgresql://ann:s3cret@127.0.0.1/shop", Expected { host: "127.0.0.1", ..LOCAL }),
    ("127.8.8.8", "postgresql://ann:s3cret@127.8.8.8/shop", Expected { host: "127.8.8.8", ..LOCAL }),
    ("[::1]", "postgresql://ann:s3cret@[::1]/shop", Expected { host: "::1", ..LOCAL }),
    ("a host that only begins like localhost", "postgresql://ann:s3cret@localhost.example.com/shop", Expected { host: "localhost.example.com", ..SHOP }),
    ("socket folder as parameter", "postgresql://ann:s3cret@/shop?host=/var/run/postgresql", Expected { host: "/var/run/postgresql", ..LOCAL }),
    ("socket folder, encoded host", "postgresql://ann:s3cret@%2Fvar%2Frun%2Fpostgresql:5433/shop", Expected { host: "/var/run/postgresql", port: 5433, ..LOCAL }),
    ("socket folder, TLS asked for", "postgresql://ann:s3cret@/shop?host=/tmp/with:colon&sslmode=require", Expected { host: "/tmp/with:colon", ..LOCAL }),
    ("require", "postgresql://ann:s3cret@db.example.com/shop?sslmode=require", SHOP),
    ("verify-ca", "postgresql://ann:s3cret@db.example.com/shop?sslmode=verify-ca", SHOP),
    ("verify-full with the system's roots", "postgresql://ann:s3cret@db.example.com/shop?sslmode=verify-full&sslrootcert=system", SHOP),
    ("asyncpg's ssl", "postgresql+asyncpg://ann:s3cret@db.example.com/shop?ssl=require", SHOP),
    ("node-postgres' ssl", "postgresql://ann:s3cret@db.example.com/shop?ssl=true", SHOP),
    ("Prisma's parameters", "postgresql://ann:s3cret@db.example.com/shop?pgbouncer=true&connection_limit=1&pool_timeout=10&schema=public", SHOP),
    ("empty parameter list", "postgresql://ann:s3cret@db.example.com/shop?", SHOP),
    ("stray separators", "postgresql://ann:s3cret@db.example.com/shop?&sslmode=require&", SHOP),
    ("session settings", "postgresql://ann:s3cret@db.example.com/shop?options=-c%20search_path%3Da%26b&application_name=a%20b", SHOP),
    ("keep-alive settings", "postgresql://ann:s3cret@db.example.com/shop?keepalives=1&keepalives_idle=30&keepalives_interval=5&keepalives_count=3", SHOP),
    ("target session", "postgresql://ann:s3cret@db.example.com/shop?target_session_attrs=read-write&load_balance_hosts=disable", SHOP),
    ("Neon's console, pooled", "postgresql://ann:s3cret@ep-cool-darkness-a1b2c3d4-pooler.us-east-2.aws.neon.tech/shop?sslmode=require&channel_binding=require", Expected { host: "ep-cool-darkness-a1b2c3d4-pooler.us-east-2.aws.neon.tech", ..SHOP }),
    ("Neon's console, psql command", "psql 'postgresql://ann:s3cret@ep-cool-darkness-a1b2c3d4.us-east-2.aws.neon.tech/shop?sslmode=require&channel_binding=require'", Expected { host: "ep-cool-darkness-a1b2c3d4.us-east-2.aws.neon.tech", ..SHOP }),
    ("Neon, newer region host", "postgresql://ann:s3cret@ep-cool-darkness-a1b2c3d4-pooler.c-2.us-east-2.aws.neon.tech/shop", Expected { host: "ep-cool-darkness-a1b2c3d4-pooler.c-2.us-east-2.aws.neon.tech", ..SHOP }),
    ("Neon, endpoint option", "postgresql://ann:s3cret@ep-cool-darkness-a1b2c3d4.us-east-2.aws.neon.tech/shop?options=endpoint%3Dep-cool-darkness-a1b2c3d4", Expected { host: "ep-cool-darkness-a1b2c3d4.us-east-2.aws.neon.tech", ..SHOP }),
];

#[test]
fn strings_are_read_as_meant() {
    for (label, text, expected) in READABLE {
        let url = DatabaseUrl::parse(text).unwrap_or_else(|error| panic!("{label}: {error}"));
        assert_eq!(url.host(), expected.host, "{label}: host");
        assert_eq!(url.port(), expected.port, "{label}: port");
        assert_eq!(url.user(), expected.user, "{label}: user");
        assert_eq!(url.password(), expected.password, "{label}: password");
        assert_eq!(url.database(), expected.database, "{label}: database");
        assert_eq!(url.ssl_mode(), expected.ssl_mode, "{label}: TLS mode");
    }
}

#[test]
fn what_is_written_reads_as_the_same_connection() {
    for (label, text, _) in READABLE {
        let url = DatabaseUrl::parse(text).unwrap_or_else(|error| panic!("{label}: {error}"));
        let written = url.to_connection_string();
        let again = DatabaseUrl::parse(&written).unwrap_or_else(|error| panic!("{label}: {error}"));
        assert_eq!(again, url, "{label}");
        assert_eq!(again.to_connection_string(), written, "{label}");
        assert!(again.ignored().is_empty(), "{label}: {:?}", again.ignored());
    }
}

#[test]
fn the_driver_reads_the_same_connection() {
    for (label, text, expected) in READABLE {
        let url = DatabaseUrl::parse(text).unwrap_or_else(|error| panic!("{label}: {error}"));
        let config: Config =
            url.to_connection_string().parse().unwrap_or_else(|error| panic!("{label}: {error}"));
        let host = match expected.host {
            path if path.starts_with('/') => Host::Unix(path.into()),
            name => Host::Tcp(name.to_owned()),
        };
        let ssl_mode = match expected.ssl_mode {
            SslMode::Disable => tokio_postgres::config::SslMode::Disable,
            SslMode::Prefer => tokio_postgres::config::SslMode::Prefer,
            SslMode::Require => tokio_postgres::config::SslMode::Require,
        };
        assert_eq!(config.get_hosts(), [host], "{label}: host");
        assert_eq!(config.get_ports(), [expected.port], "{label}: port");
        assert_eq!(config.get_user(), Some(expected.user), "{label}: user");
        assert_eq!(
            config.get_password(),
            expected.password.map(str::as_bytes),
            "{label}: password"
        );
        assert_eq!(config.get_dbname(), Some(expected.database), "{label}: database");
        assert_eq!(config.get_ssl_mode(), ssl_mode, "{label}: TLS mode");
        assert_eq!(
            config.get_connect_timeout(),
            Some(&Duration::from_secs(10)),
            "{label}: time limit"
        );
    }
}

#[test]
fn unusable_strings_are_refused_with_a_reason() {
    let encoding = |part| ParseError::Encoding { part };
    let repeated = |parameter: &str| ParseError::Repeated { parameter: parameter.to_owned() };
    let unknown =
        |parameter: &str| ParseError::UnknownParameter { parameter: parameter.to_owned() };
    let weak = |mode| ParseError::WeakTls { parameter: "sslmode", mode };
    #[rustfmt::skip]
    let table = [
        ("empty", "", ParseError::Empty),
        ("white space", " \n\t", ParseError::Empty),
        ("quotes around nothing", "''", ParseError::Empty),
        ("psql alone", "psql", ParseError::Empty),
        ("one quote", "'postgresql://ann:s3cret@db.example.com/shop", ParseError::UnmatchedQuote),
        ("different quotes", "'postgresql://ann:s3cret@db.example.com/shop\"", ParseError::UnmatchedQuote),
        ("a single quote character", "'", ParseError::UnmatchedQuote),
        ("key=value form", "host=db.example.com user=ann password=s3cret", ParseError::KeyValueForm),
        ("no scheme", "ann:s3cret@db.example.com/shop", ParseError::Scheme),
        ("another scheme", "mysql://ann:s3cret@db.example.com/shop", ParseError::Scheme),
        ("JDBC", "jdbc:postgresql://db.example.com/shop", ParseError::Scheme),
        ("line break inside", "postgresql://ann:s3cret@db.example\n.com/shop", ParseError::ControlCharacter),
        ("fragment", "postgresql://ann:s3cret@db.example.com/shop#top", ParseError::Fragment),
        ("raw # in the password", "postgresql://ann:s3#cret@db.example.com/shop", ParseError::Fragment),
        ("raw / in the password", "postgresql://ann:s3/cret@db.example.com/shop", ParseError::StrayAt),
        ("raw ? in the password", "postgresql://ann:s3?cret@db.example.com/shop", ParseError::StrayAt),
        ("bad encoding in the user", "postgresql://a%nn:s3cret@db.example.com/shop", encoding("user name")),
        ("bad encoding in the password", "postgresql://ann:100%@db.example.com/shop", encoding("password")),
        ("NUL in the password", "postgresql://ann:s3%00cret@db.example.com/shop", encoding("password")),
        ("bad encoding in the host", "postgresql://ann:s3cret@db%/shop", encoding("host")),
        ("bad encoding in the database", "postgresql://ann:s3cret@db.example.com/sh%op", encoding("database name")),
        ("bad encoding in a parameter", "postgresql://ann:s3cret@db.example.com/shop?options=%", encoding("parameter list")),
        ("no user", "postgresql://db.example.com/shop", ParseError::MissingUser),
        ("empty user", "postgresql://:s3cret@db.example.com/shop", ParseError::MissingUser),
        ("no host", "postgresql://ann:s3cret@/shop", ParseError::MissingHost),
        ("nothing but a scheme", "postgresql://", ParseError::MissingUser),
        ("several hosts", "postgresql://ann:s3cret@one.example.com,two.example.com/shop", ParseError::SeveralHosts),
        ("several hosts with ports", "postgresql://ann:s3cret@one:5432,two:5433/shop", ParseError::SeveralHosts),
        ("several hosts as parameter", "postgresql://ann:s3cret@/shop?host=one,two", ParseError::SeveralHosts),
        ("space in the host", "postgresql://ann:s3cret@db example/shop", ParseError::Host),
        ("international host", "postgresql://ann:s3cret@bücher.example/shop", ParseError::Host),
        ("bad IPv6 address", "postgresql://ann:s3cret@[::g]/shop", ParseError::Host),
        ("text behind an IPv6 address", "postgresql://ann:s3cret@[::1]x/shop", ParseError::Host),
        ("bad IPv4 address", "postgresql://ann:s3cret@999.1.1.1/shop", ParseError::Host),
        ("port 0", "postgresql://ann:s3cret@db.example.com:0/shop", ParseError::Port),
        ("port too large", "postgresql://ann:s3cret@db.example.com:65536/shop", ParseError::Port),
        ("port with a sign", "postgresql://ann:s3cret@db.example.com:+5432/shop", ParseError::Port),
        ("port of letters", "postgresql://ann:s3cret@db.example.com:five/shop", ParseError::Port),
        ("path of two parts", "postgresql://ann:s3cret@db.example.com/shop/extra", ParseError::Database),
        ("user twice", "postgresql://ann:s3cret@db.example.com/shop?user=bob", repeated("user")),
        ("parameter twice", "postgresql://ann:s3cret@db.example.com/shop?sslmode=require&sslmode=disable", repeated("sslmode")),
        ("TLS mode in two spellings", "postgresql://ann:s3cret@db.example.com/shop?sslmode=require&ssl=true", repeated("sslmode")),
        ("unknown parameter", "postgresql://ann:s3cret@db.example.com/shop?sslmod=require", unknown("sslmod")),
        ("upper-case parameter", "postgresql://ann:s3cret@db.example.com/shop?SSLMODE=require", unknown("SSLMODE")),
        ("remote, disable", "postgresql://ann:s3cret@db.example.com/shop?sslmode=disable", weak("disable")),
        ("remote, allow", "postgresql://ann:s3cret@db.example.com/shop?sslmode=allow", weak("allow")),
        ("remote, prefer", "postgresql://ann:s3cret@db.example.com/shop?sslmode=prefer", weak("prefer")),
        ("remote address, disable", "postgresql://ann:s3cret@192.0.2.7/shop?sslmode=disable", weak("disable")),
        ("remote, asyncpg's ssl", "postgresql://ann:s3cret@db.example.com/shop?ssl=prefer", ParseError::WeakTls { parameter: "ssl", mode: "prefer" }),
        ("remote, ssl=false", "postgresql://ann:s3cret@db.example.com/shop?ssl=false", ParseError::WeakTls { parameter: "ssl", mode: "false" }),
        ("no verification", "postgresql://ann:s3cret@db.example.com/shop?sslmode=no-verify", weak("no-verify")),
    ];
    for (label, text, expected) in table {
        assert_eq!(DatabaseUrl::parse(text), Err(expected), "{label}");
    }
}

#[test]
fn parameters_that_cannot_be_honoured_are_errors_that_say_what_to_do() {
    #[rustfmt::skip]
    let table = [
        ("sslrootcert", "sslrootcert=/etc/ca.pem", "the connection parameter `sslrootcert` is not supported: use `database_ca` for a private certificate authority; certificates are always verified"),
        ("sslcert", "sslcert=/etc/client.pem", "the connection parameter `sslcert` is not supported: sign in with a password; to trust a private certificate authority, use `database_ca`"),
        ("sslkey", "sslkey=/etc/client.key", "the connection parameter `sslkey` is not supported: sign in with a password; to trust a private certificate authority, use `database_ca`"),
        ("schema", "schema=tenant", "the connection parameter `schema` is not supported: use `options=-c%20search_path%3DNAME`"),
        ("statement_timeout", "statement_timeout=5000", "the connection parameter `statement_timeout` is not supported: use `options=-c%20NAME%3DVALUE`"),
        ("hostaddr", "hostaddr=192.0.2.7", "the connection parameter `hostaddr` is not supported: name the address as the host"),
        ("channel_binding", "channel_binding=always", "the connection parameter `channel_binding` is not supported: use `disable`, `prefer` or `require`"),
        ("connect_timeout", "connect_timeout=1.5", "bad value for the connection parameter `connect_timeout`: expected a whole number of seconds"),
        ("negative connect_timeout", "connect_timeout=-1", "bad value for the connection parameter `connect_timeout`: expected a whole number of seconds"),
        ("sslmode", "sslmode=maybe", "bad value for the connection parameter `sslmode`: expected `disable`, `allow`, `prefer`, `require`, `verify-ca` or `verify-full`"),
        ("target_session_attrs", "target_session_attrs=standby", "bad value for the connection parameter `target_session_attrs`: expected `any`, `read-write` or `read-only`"),
        ("keepalives_idle", "keepalives_idle=soon", "bad value for the connection parameter `keepalives_idle`: expected a whole number"),
    ];
    for (label, parameter, message) in table {
        let error =
            DatabaseUrl::parse(&format!("postgresql://ann:s3cret@db.example.com/shop?{parameter}"));
        assert_eq!(error.map_err(|error| error.to_string()), Err(message.to_owned()), "{label}");
    }
}

/// Every string has `hunter2` where somebody would have meant a password.
#[test]
fn the_password_never_shows() {
    #[rustfmt::skip]
    let table = [
        ("plain", "postgresql://ann:hunter2@db.example.com/shop"),
        ("as a parameter", "postgresql://ann@db.example.com/shop?password=hunter2"),
        ("socket", "postgresql://ann:hunter2@/shop?host=/tmp"),
        ("quotes", "'postgresql://ann:hunter2@db.example.com/shop'"),
        ("one quote", "'postgresql://ann:hunter2@db.example.com/shop"),
        ("key=value form", "host=db.example.com password=hunter2"),
        ("no scheme", "ann:hunter2@db.example.com/shop"),
        ("another scheme", "mysql://ann:hunter2@db.example.com/shop"),
        ("nothing but the password", "hunter2"),
        ("password before a scheme separator", "hunter2://db.example.com"),
        ("raw # before", "postgresql://ann:#hunter2@db.example.com/shop"),
        ("raw / before", "postgresql://ann:/hunter2@db.example.com/shop"),
        ("raw / after", "postgresql://ann:hunter2/@db.example.com/shop"),
        ("raw ? before", "postgresql://ann:x?hunter2@db.example.com/shop"),
        ("raw ? and = before", "postgresql://ann:1?hunter2=1@db.example.com/shop"),
        ("raw @ before", "postgresql://ann:x@hunter2@db.example.com/shop"),
        ("raw @ and ? around", "postgresql://ann:x@y?hunter2&z@db.example.com/shop"),
        ("raw space", "postgresql://ann:x hunter2@db.example.com/shop"),
        ("raw brackets", "postgresql://ann:[hunter2]@db.example.com/shop"),
        ("bad encoding", "postgresql://ann:hunter2%@db.example.com/shop"),
        ("line break", "postgresql://ann:hunter2\n@db.example.com/shop"),
        ("password without a user", "postgresql://:hunter2@db.example.com/shop"),
        ("password without a host", "postgresql://ann:hunter2@/shop"),
        ("password as port", "postgresql://ann:hunter2"),
        ("password in two places", "postgresql://ann:hunter2@db.example.com/shop?password=hunter2"),
        ("weak TLS", "postgresql://ann:hunter2@db.example.com/shop?sslmode=disable"),
        ("unknown parameter", "postgresql://ann:hunter2@db.example.com/shop?passwd=hunter2"),
        ("bad parameter value", "postgresql://ann:hunter2@db.example.com/shop?connect_timeout=hunter2"),
        ("several hosts", "postgresql://ann:hunter2@one,two/shop"),
        ("bad port", "postgresql://ann:hunter2@db.example.com:hunter2/shop"),
    ];
    for (label, text) in table {
        let shown = match DatabaseUrl::parse(text) {
            Ok(url) => format!("{url} {url:?} {:?}", url.ignored()),
            Err(error) => format!("{error} {error:?}"),
        };
        assert!(!shown.contains("hunter2"), "{label}: {shown}");
    }
}

#[test]
fn display_shows_everything_but_the_password() {
    let url =
        DatabaseUrl::parse("postgres://ann:s3cret@db.example.com/shop?application_name=a%20b")
            .expect("a URL");
    assert_eq!(
        url.to_string(),
        "postgresql://ann:***@db.example.com:5432/shop?sslmode=require&connect_timeout=10&application_name=a%20b"
    );
    assert_eq!(format!("{url:?}"), format!("DatabaseUrl({url})"));
}

#[test]
fn display_without_a_password_has_no_asterisks() {
    let url = DatabaseUrl::parse("postgresql://ann@localhost").expect("a URL");
    assert_eq!(
        url.to_string(),
        "postgresql://ann@localhost:5432/ann?sslmode=disable&connect_timeout=10"
    );
}

#[test]
fn a_neon_host_knows_its_twin() {
    #[rustfmt::skip]
    let table = [
        ("AWS", "ep-cool-darkness-123456", "us-east-2.aws.neon.tech"),
        ("AWS, newer", "ep-cool-darkness-a1b2c3d4", "c-2.us-east-2.aws.neon.tech"),
        ("Azure", "ep-still-hill-a1b2c3d4", "eastus2.azure.neon.tech"),
        ("upper case", "EP-COOL-DARKNESS-123456", "US-EAST-2.AWS.NEON.TECH"),
    ];
    for (label, name, region) in table {
        let direct = DatabaseUrl::parse(&format!("postgresql://ann:s3cret@{name}.{region}/shop"))
            .expect(label);
        let pooled =
            DatabaseUrl::parse(&format!("postgresql://ann:s3cret@{name}-pooler.{region}/shop"))
                .expect(label);
        assert_eq!(direct.endpoint(), Endpoint::NeonDirect, "{label}");
        assert_eq!(pooled.endpoint(), Endpoint::NeonPooled, "{label}");
        assert!(pooled.is_pooled() && !direct.is_pooled(), "{label}");
        assert_eq!(direct.pooled(), pooled, "{label}");
        assert_eq!(pooled.direct(), direct, "{label}");
        assert_eq!(direct.direct(), direct, "{label}");
        assert_eq!(pooled.pooled(), pooled, "{label}");
    }
}

#[test]
fn other_hosts_have_no_twin() {
    for host in [
        "localhost",
        "db.example.com",
        "ep-x-pooler.evilneon.tech",
        "ep-x-pooler.neon.tech.example.com",
        "pg.neon.tech",
    ] {
        let url = DatabaseUrl::parse(&format!("postgresql://ann:s3cret@{host}/shop")).expect(host);
        assert_eq!(url.endpoint(), Endpoint::Other, "{host}");
        assert_eq!((url.pooled(), url.direct()), (url.clone(), url.clone()), "{host}");
    }
}

#[test]
fn the_endpoint_option_follows_the_host() {
    let pooled = DatabaseUrl::parse(
        "postgresql://ann:s3cret@ep-x-1-pooler.us-east-2.aws.neon.tech/shop?options=endpoint%3Dep-x-1-pooler",
    )
    .expect("a URL");
    assert!(pooled.direct().to_connection_string().ends_with("options=endpoint%3Dep-x-1"));
    assert_eq!(pooled.direct().pooled(), pooled);
}

#[test]
fn the_time_limit_for_connecting_is_kept_or_ten_seconds() {
    for (parameters, seconds) in [("", 10), ("?connect_timeout=0", 10), ("?connect_timeout=3", 3)] {
        let url = DatabaseUrl::parse(&format!("postgresql://ann@localhost/shop{parameters}"))
            .expect(parameters);
        assert_eq!(url.connect_timeout(), Duration::from_secs(seconds), "{parameters}");
    }
}

#[test]
fn a_time_limit_for_connecting_is_rounded_up_and_never_raises_the_strings() {
    for (parameters, millis, seconds) in [
        ("", 1, 1),
        ("", 1_000, 1),
        ("", 1_001, 2),
        ("", 30_000, 10),
        ("?connect_timeout=3", 5_000, 3),
    ] {
        let url = DatabaseUrl::parse(&format!("postgresql://ann@localhost/shop{parameters}"))
            .expect(parameters)
            .with_connect_timeout(Duration::from_millis(millis));
        assert_eq!(url.connect_timeout(), Duration::from_secs(seconds), "{parameters} {millis}");
    }
}

#[test]
fn parameters_without_a_meaning_here_are_listed() {
    let url = DatabaseUrl::parse(
        "postgresql://ann:s3cret@db.example.com/shop?pgbouncer=true&sslmode=require&channel_binding=require&connection_limit=1",
    )
    .expect("a URL");
    assert_eq!(url.ignored(), ["pgbouncer", "channel_binding", "connection_limit"]);
    assert!(!url.to_connection_string().contains("channel_binding"));
}

#[test]
fn parameters_that_drivers_take_are_passed_on() {
    let url = DatabaseUrl::parse(
        "postgresql://ann:s3cret@db.example.com/shop?options=-c%20search_path%3Da&keepalives_count=3&target_session_attrs=read-write",
    )
    .expect("a URL");
    let config: Config = url.to_connection_string().parse().expect("the driver takes it");
    assert_eq!(config.get_options(), Some("-c search_path=a"));
    assert_eq!(config.get_keepalives_retries(), Some(3));
    assert_eq!(
        config.get_target_session_attrs(),
        tokio_postgres::config::TargetSessionAttrs::ReadWrite
    );
}

#[test]
fn another_database_on_the_same_server() {
    let url = DatabaseUrl::parse("postgresql://ann:s3cret@localhost/shop")
        .expect("a URL")
        .with_database("a/b c");
    assert_eq!(url.database(), "a/b c");
    assert_eq!(DatabaseUrl::parse(&url.to_connection_string()), Ok(url));
}

#[test]
fn another_role_on_the_same_server() {
    let url = DatabaseUrl::parse("postgresql://ann:s3cret@localhost/shop?options=-c%20a%3Db")
        .expect("a URL")
        .with_role("Odd \"Röle\"@/", "p@ss:w/rd");
    assert_eq!((url.user(), url.password()), ("Odd \"Röle\"@/", Some("p@ss:w/rd")));
    assert_eq!((url.host(), url.database()), ("localhost", "shop"));
    assert_eq!(DatabaseUrl::parse(&url.to_connection_string()), Ok(url));
}

#[test]
fn loopback_and_sockets_are_told_from_remote_hosts() {
    #[rustfmt::skip]
    let table = [
        ("localhost", true, false), ("127.0.0.1", true, false), ("127.255.0.1", true, false), ("[::1]", true, false),
        ("%2Ftmp", false, true), ("192.168.0.1", false, false), ("[::2]", false, false), ("localhost.", false, false),
    ];
    for (host, is_loopback, is_unix_socket) in table {
        let url = DatabaseUrl::parse(&format!("postgresql://ann@{host}/shop")).expect(host);
        assert_eq!(
            (url.is_loopback(), url.is_unix_socket()),
            (is_loopback, is_unix_socket),
            "{host}"
        );
    }
}

#[test]
fn a_limit_on_statements_travels_where_the_server_takes_it() {
    let direct = "postgresql://ann:s3cret@ep-cool-rain-123456.eu-central-1.aws.neon.tech/shop";
    let pooled =
        "postgresql://ann:s3cret@ep-cool-rain-123456-pooler.eu-central-1.aws.neon.tech/shop";
    for (label, url, options) in [
        (
            "a server",
            "postgresql://ann:s3cret@db.example.com/shop".to_owned(),
            Some("-c statement_timeout=1500"),
        ),
        ("Neon, direct", direct.to_owned(), Some("-c statement_timeout=1500")),
        ("Neon, pooled", pooled.to_owned(), None),
        (
            "a PgBouncer",
            "postgresql://ann:s3cret@db.example.com/shop?pgbouncer=true".to_owned(),
            None,
        ),
        (
            "other settings",
            format!("{direct}?options=-c%20search_path%3Dapp"),
            Some("-c search_path=app -c statement_timeout=1500"),
        ),
        (
            "a limit of its own",
            format!("{direct}?options=-c%20statement_timeout%3D9s"),
            Some("-c statement_timeout=9s"),
        ),
    ] {
        let url: DatabaseUrl = url.parse().expect(label);
        let limited = url.with_statement_timeout(Duration::from_millis(1_500));
        let driver: Config = limited.to_connection_string().parse().expect(label);
        assert_eq!(driver.get_options(), options, "{label}");
    }
}

#[test]
fn a_search_path_holds_against_the_one_in_the_string() {
    for (path, options) in [
        ("app, public", r"-c search_path=app -c search_path=app,\ public"),
        (r#""The App""#, r#"-c search_path=app -c search_path="The\ App""#),
        (r#""a\b""#, r#"-c search_path=app -c search_path="a\\b""#),
    ] {
        let url = "postgresql://ann:s3cret@db.example.com/shop?options=-c%20search_path%3Dapp";
        let url: DatabaseUrl = url.parse().expect("a connection string");
        let driver: Config =
            url.with_search_path(path).to_connection_string().parse().expect("a driver's");
        assert_eq!(driver.get_options(), Some(options), "{path}");
    }
}
