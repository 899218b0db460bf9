//! One entry of `allowed_outbound_hosts`: `scheme://host[:port]`, with `*` for any of the three.

use std::net::IpAddr;
use std::ops::Range;

use ipnet::IpNet;
use url::Host;

use super::template::Template;

/// A parsed entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct HostPattern {
    scheme: Option<String>,
    host: HostRule,
    port: PortRule,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum HostRule {
    Any,
    /// `*.example.com`, kept with its leading dot.
    Subdomain(String),
    /// The application itself; only relative HTTP requests could use it.
    Itself,
    Literal(Host),
    Network(IpNet),
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum PortRule {
    Any,
    One(u16),
    Range(Range<u16>),
}

impl HostPattern {
    /// The pattern that a template stands for. `None` if its variables leave it empty: an optional host that is off.
    pub(super) fn from_template<'v>(
        template: &Template,
        value_of: impl Fn(&str) -> Option<&'v str>,
    ) -> Result<Option<HostPattern>, String> {
        match template.resolve(value_of)?.as_str() {
            "" | "http://" | "https://" if !template.is_literal() => Ok(None),
            entry => HostPattern::parse(entry).map(Some),
        }
    }

    fn parse(entry: &str) -> Result<HostPattern, String> {
        let fault = |reason: &str| format!("`{entry}`: {reason}");
        let (scheme, rest) =
            entry.trim().split_once("://").ok_or_else(|| fault("a scheme is missing"))?;
        if scheme != "*" && !scheme.chars().all(char::is_alphabetic) {
            return Err(fault("a scheme has letters only"));
        }
        let (host, port) = split_port(rest).map_err(|reason| fault(&reason))?;
        Ok(HostPattern {
            port: PortRule::parse(port, scheme).map_err(|reason| fault(&reason))?,
            host: HostRule::parse(host).map_err(|reason| fault(&reason))?,
            scheme: (scheme != "*").then(|| scheme.to_owned()),
        })
    }

    /// Returns true if this entry allows the connection. Without a port, the scheme's default port counts.
    pub(super) fn allows(&self, scheme: &str, host: &str, port: Option<u16>) -> bool {
        self.scheme.as_deref().is_none_or(|wanted| wanted == scheme)
            && Host::parse(host).is_ok_and(|host| self.host.allows(&host))
            && self.port.allows(port.or_else(|| well_known_port(scheme)))
    }
}

/// Separates `host` from `port`. A host can contain colons: `[::1]`, `ff00::/8`.
fn split_port(rest: &str) -> Result<(&str, &str), String> {
    let Some((host, tail)) = rest.rsplit_once(':') else {
        return Ok((rest, ""));
    };
    if tail.is_empty() {
        return Ok((host, ""));
    }
    if HostRule::parse(rest).is_ok() {
        return Ok((rest, ""));
    }
    match tail.split_once('/') {
        None => Ok((host, tail)),
        Some((port, "")) => Ok((host, port)),
        Some(_) => Err("a path is not allowed".to_owned()),
    }
}

impl HostRule {
    fn parse(host: &str) -> Result<HostRule, String> {
        let host = host.trim();
        match host {
            "*" => return Ok(HostRule::Any),
            "self" | "self.alt" => return Ok(HostRule::Itself),
            _ => {}
        }
        if let Ok(network) = host.parse() {
            return Ok(HostRule::Network(network));
        }
        let host = host.strip_suffix('/').unwrap_or(host);
        if host.contains('/') {
            return Err("a path is not allowed".to_owned());
        }
        if let Some(domain) = host.strip_prefix("*.") {
            return match Host::parse(domain) {
                Ok(Host::Domain(domain)) if !domain.contains('*') => {
                    Ok(HostRule::Subdomain(format!(".{domain}")))
                }
                _ => Err("`*.` must be followed by a domain".to_owned()),
            };
        }
        if host.contains('*') {
            return Err("`*` is the whole host or its first label".to_owned());
        }
        Host::parse(host).map(HostRule::Literal).map_err(|error| error.to_string())
    }

    fn allows(&self, host: &Host) -> bool {
        match (self, host) {
            (HostRule::Any, _) => true,
            (HostRule::Subdomain(suffix), Host::Domain(domain)) => domain.ends_with(suffix),
            (HostRule::Literal(literal), host) => literal == host,
            (HostRule::Network(network), Host::Ipv4(ip)) => network.contains(&IpAddr::V4(*ip)),
            (HostRule::Network(network), Host::Ipv6(ip)) => network.contains(&IpAddr::V6(*ip)),
            (HostRule::Subdomain(_) | HostRule::Network(_) | HostRule::Itself, _) => false,
        }
    }
}

impl PortRule {
    fn parse(port: &str, scheme: &str) -> Result<PortRule, String> {
        let number = |text: &str| {
            text.parse().map_err(|_| format!("port `{port}` is not a number below 65536"))
        };
        match (port, port.split_once("..")) {
            ("", _) => well_known_port(scheme)
                .map(PortRule::One)
                .ok_or_else(|| format!("`{scheme}` has no default port, so one must be given")),
            ("*", _) => Ok(PortRule::Any),
            (_, Some((start, end))) => Ok(PortRule::Range(number(start)?..number(end)?)),
            (port, None) => number(port).map(PortRule::One),
        }
    }

    fn allows(&self, port: Option<u16>) -> bool {
        match (self, port) {
            (PortRule::Any, _) => true,
            (_, None) => false,
            (PortRule::One(wanted), Some(port)) => *wanted == port,
            (PortRule::Range(range), Some(port)) => range.contains(&port),
        }
    }
}

fn well_known_port(scheme: &str) -> Option<u16> {
    match scheme {
        "postgres" => Some(5432),
        "mysql" => Some(3306),
        "redis" => Some(6379),
        "mqtt" => Some(1883),
        "http" => Some(80),
        "https" => Some(443),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(entry: &str, scheme: &str, host: &str, port: Option<u16>) -> bool {
        HostPattern::parse(entry)
            .unwrap_or_else(|error| panic!("{error}"))
            .allows(scheme, host, port)
    }

    #[test]
    fn entries_allow_what_they_say() {
        let table = [
            ("http://example.com", "http", "example.com", None, true),
            ("http://example.com", "http", "example.com", Some(81), false),
            ("http://example.com/", "http", "example.com", None, true),
            ("https://example.com", "http", "example.com", Some(443), false),
            ("*://example.com:7777", "redis", "example.com", Some(7777), true),
            ("http://example.com:4444..5555", "http", "example.com", Some(4444), true),
            ("http://example.com:4444..5555", "http", "example.com", Some(5555), false),
            ("http://*.example.com", "http", "a.b.example.com", None, true),
            ("http://*.Example.COM", "http", "foo.example.com", None, true),
            ("http://*.example.com", "http", "example.com", None, false),
            ("http://*.example.com", "http", "myexample.com", None, false),
            ("*://*:*", "tcp", "anything", Some(1), true),
            ("postgres://localhost:5432", "postgres", "127.0.0.1", None, false),
            ("postgres://LOCALHOST:5432", "postgres", "localhost", None, true),
            ("*://127.0.0.0/24:63551", "tcp", "127.0.0.9", Some(63551), true),
            ("*://127.0.0.0/24:63551", "tcp", "127.0.1.9", Some(63551), false),
            ("http://[::1]", "http", "[::1]", None, true),
            ("http://[::1]:8001", "http", "[::1]", Some(8001), true),
            ("http://2001:db8::/32", "http", "[2001:db8:abcd::1]", None, true),
            ("http://2001:db8::/32", "http", "[2001:db9::1]", None, false),
            ("http://0.0.0.0/0", "http", "8.8.8.8", None, true),
            ("http://self", "http", "self", None, false),
        ];
        for (entry, scheme, host, port, expected) in table {
            assert_eq!(
                allows(entry, scheme, host, port),
                expected,
                "{entry} {scheme} {host} {port:?}"
            );
        }
    }

    #[test]
    fn malformed_entries_are_refused() {
        let table = [
            "*",
            "",
            "localhost",
            "localhost:3001",
            "example.com:80",
            "insecure:allow-all",
            "{http,https}://example.com",
            "http://example.com:notaport",
            "http://example.com:99999",
            "http://example.com:8080..70000",
            "http://*.example.com:8080..",
            "http://example.com/a",
            "http://example.com:6666/a/b",
            "http://*.example.com/a",
            "http://127.0.0.0/24/p",
            "http://example.com//",
            "http://*.",
            "http://*.127.0.0.1",
            "http://a.*.com",
            "*://example.com",
            "http://[::1]/foo",
            "http://[::1",
            "http://[::1]junk",
            "http://exa[mple.com",
        ];
        for entry in table {
            assert!(HostPattern::parse(entry).is_err(), "{entry}");
        }
    }
}
