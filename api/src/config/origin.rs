//! Origins: where a URL leads to, without what it asks for there.

use std::fmt;
use std::net::IpAddr;

use http::Uri;
use http::uri::Scheme;

/// Scheme, host and port of a URL.
#[derive(PartialEq)]
pub(super) struct Origin {
    pub(super) scheme: Scheme,
    host: String,
    port: u16,
}

impl Origin {
    /// `None` for what is no HTTP URL, or has a user or a password in it.
    pub(super) fn of(uri: &Uri) -> Option<Self> {
        let (scheme, authority) = (uri.scheme()?, uri.authority()?);
        let default_port = default_port(scheme)?;
        let host = authority.host().to_ascii_lowercase();
        let port = authority.port_u16().unwrap_or(default_port);
        // The rest would be a user, or a port that is no number.
        let rest = authority.as_str().len() - authority.host().len();
        let rest_is_port = authority.port().map_or(0, |port| port.as_str().len() + 1) == rest;
        let is_pattern = host.contains('*');
        (!host.is_empty() && rest_is_port && !is_pattern).then(|| Self {
            scheme: scheme.clone(),
            host,
            port,
        })
    }

    /// Reads a URL that has nothing but an origin.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let uri: Uri = text.parse().ok()?;
        (uri.path().len() <= 1 && uri.query().is_none()).then(|| Self::of(&uri))?
    }

    pub(super) fn is_loopback(&self) -> bool {
        let address = self.host.trim_start_matches('[').trim_end_matches(']');
        self.host == "localhost" || address.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
    }
}

/// As browsers write it (RFC 6454, section 6.2): without the scheme's own port.
impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme, self.host)?;
        if default_port(&self.scheme) == Some(self.port) {
            return Ok(());
        }
        write!(f, ":{}", self.port)
    }
}

fn default_port(scheme: &Scheme) -> Option<u16> {
    match scheme.as_str() {
        "https" => Some(443),
        "http" => Some(80),
        _ => None,
    }
}
