//! Parses a connection string.
//!
//! By hand rather than with a URL parser, because these strings are looser than URLs (an empty host
//! beside credentials, encoded slashes in the host) and every mistake should get a message of its
//! own. The `url` crate checks host names.

use std::time::Duration;

use url::Host;

use crate::encoding::decode;
use crate::parameters::Parameters;
use crate::{DEFAULT_CONNECT_TIMEOUT, DEFAULT_PORT, DatabaseUrl, ParseError, SslMode, is_loopback};

/// SQLAlchemy writes the driver into the scheme.
const SCHEMES: [&str; 5] =
    ["postgresql", "postgres", "postgresql+asyncpg", "postgresql+psycopg", "postgresql+psycopg2"];

pub(crate) fn parse(text: &str) -> Result<DatabaseUrl, ParseError> {
    let text = strip_copied(text)?;
    if text.contains(char::is_control) {
        return Err(ParseError::ControlCharacter);
    }
    let rest = after_scheme(text)?;
    if rest.contains('#') {
        return Err(ParseError::Fragment);
    }

    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    if path.contains('@') || query.contains('@') {
        return Err(ParseError::StrayAt);
    }
    // The last `@` begins the host: a host cannot contain one, a password that was not encoded can.
    let (credentials, host_and_port) = match authority.rsplit_once('@') {
        Some((credentials, host_and_port)) => (credentials, host_and_port),
        None => ("", authority),
    };
    let (user, password) = credentials.split_once(':').unwrap_or((credentials, ""));
    let user = decode_part(user, "user name")?;
    let password = decode_part(password, "password")?;
    let (host, port) = split_port(host_and_port)?;
    if path.contains('/') {
        return Err(ParseError::Database);
    }
    let database = decode_part(path, "database name")?;

    let parameters = Parameters::read(query)?;
    // libpq takes these as parameters, too; said twice, one of them would have to lose in silence.
    let user = once("user", user, parameters.user)?.ok_or(ParseError::MissingUser)?;
    let password = once("password", password, parameters.password)?;
    let database = once("dbname", database, parameters.database)?.unwrap_or_else(|| user.clone());
    let host = once("host", host.to_owned(), parameters.host)?.ok_or(ParseError::MissingHost)?;
    let port = once("port", port.to_owned(), parameters.port)?;

    let host = parse_host(&host)?;
    let port = port.map_or(Ok(DEFAULT_PORT), |port| parse_port(&port))?;
    let mut ignored = parameters.ignored;
    let ssl_mode = match parameters.ssl_mode {
        // TLS does not exist on Unix sockets, and libpq disregards the mode there.
        Some(requested) if host.starts_with('/') => {
            if requested.mode != SslMode::Disable {
                ignored.push(requested.parameter.to_owned());
            }
            SslMode::Disable
        }
        None if host.starts_with('/') || is_loopback(&host) => SslMode::Disable,
        None => SslMode::Require,
        Some(requested) if requested.mode == SslMode::Require || is_loopback(&host) => {
            requested.mode
        }
        Some(requested) => {
            return Err(ParseError::WeakTls {
                parameter: requested.parameter,
                mode: requested.written,
            });
        }
    };
    Ok(DatabaseUrl {
        host,
        port,
        user,
        password,
        database,
        ssl_mode,
        connect_timeout: match parameters.connect_timeout_seconds {
            None | Some(0) => DEFAULT_CONNECT_TIMEOUT,
            Some(seconds) => Duration::from_secs(seconds.into()),
        },
        passed_on: parameters.passed_on,
        ignored,
    })
}

/// Removes what copying from a terminal, a `.env` file or Neon's console leaves around the string.
fn strip_copied(text: &str) -> Result<&str, ParseError> {
    let text = text.trim();
    let text = match text.strip_prefix("psql") {
        Some(rest) if rest.is_empty() || rest.starts_with(char::is_whitespace) => rest.trim_start(),
        _ => text,
    };
    let quote = |c: char| c == '\'' || c == '"';
    let text = match (
        text.chars().next().filter(|&c| quote(c)),
        text.chars().next_back().filter(|&c| quote(c)),
    ) {
        (None, None) => text,
        (Some(opening), Some(closing)) if opening == closing && text.len() > 1 => {
            text[1..text.len() - 1].trim()
        }
        _ => return Err(ParseError::UnmatchedQuote),
    };
    if text.is_empty() { Err(ParseError::Empty) } else { Ok(text) }
}

fn after_scheme(text: &str) -> Result<&str, ParseError> {
    match text.split_once("://") {
        Some((scheme, rest)) if SCHEMES.contains(&scheme.to_ascii_lowercase().as_str()) => Ok(rest),
        None if text.contains('=') => Err(ParseError::KeyValueForm),
        Some(_) | None => Err(ParseError::Scheme),
    }
}

/// The host, still encoded and without brackets, and the port, which may be empty.
fn split_port(host_and_port: &str) -> Result<(&str, &str), ParseError> {
    if host_and_port.contains(',') {
        return Err(ParseError::SeveralHosts);
    }
    let end_of_host = match host_and_port.find(']') {
        Some(bracket) => bracket + 1,
        None => host_and_port.find(':').unwrap_or(host_and_port.len()),
    };
    let (host, port) = host_and_port.split_at(end_of_host);
    match port.strip_prefix(':') {
        Some(port) => Ok((host, port)),
        None if port.is_empty() => Ok((host, "")),
        None => Err(ParseError::Host),
    }
}

/// A host name in lower case, an IP address, or a socket folder. International names must be in
/// their ASCII form (`xn--…`).
fn parse_host(encoded: &str) -> Result<String, ParseError> {
    let host = decode_part(encoded, "host")?;
    if host.contains(',') {
        return Err(ParseError::SeveralHosts);
    }
    if host.starts_with('/') {
        return Ok(host);
    }
    // A bare IPv6 address is how libpq writes it in a `host` parameter.
    let bracketed =
        if host.contains(':') && !host.starts_with('[') { format!("[{host}]") } else { host };
    match Host::parse(&bracketed) {
        Ok(Host::Domain(name)) if !name.is_empty() => Ok(name),
        Ok(Host::Ipv4(address)) => Ok(address.to_string()),
        Ok(Host::Ipv6(address)) => Ok(address.to_string()),
        _ => Err(ParseError::Host),
    }
}

fn parse_port(text: &str) -> Result<u16, ParseError> {
    let digits_only = text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse() {
        Ok(port) if digits_only && port != 0 => Ok(port),
        _ => Err(ParseError::Port),
    }
}

fn decode_part(encoded: &str, part: &'static str) -> Result<String, ParseError> {
    decode(encoded).ok_or(ParseError::Encoding { part })
}

/// The one of two places that says something; an empty text says nothing.
fn once(
    parameter: &str,
    in_authority: String,
    as_parameter: Option<String>,
) -> Result<Option<String>, ParseError> {
    let in_authority = Some(in_authority).filter(|text| !text.is_empty());
    let as_parameter = as_parameter.filter(|text| !text.is_empty());
    match (in_authority, as_parameter) {
        (Some(_), Some(_)) => Err(ParseError::Repeated { parameter: parameter.to_owned() }),
        (in_authority, as_parameter) => Ok(in_authority.or(as_parameter)),
    }
}
