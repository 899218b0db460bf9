//! What TLS looks like at an endpoint: version, cipher suite and certificate, from a handshake of
//! its own.
//!
//! The driver keeps its TLS session to itself, and what PostgreSQL says about TLS (`pg_stat_ssl`)
//! is behind a proxy, as at Neon, not what this side of the proxy sees. So this asks for TLS as a
//! client does, shakes hands with the verification that every connection has, and hangs up before
//! the login.

use std::io::{self, Read as _, Write as _};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::sync::Arc;
use std::time::Duration;

use neon_url::DatabaseUrl;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection};
use serde::Serialize;
use x509_cert::Certificate;
use x509_cert::der::Decode as _;

/// PostgreSQL's request to go on in TLS: its own length, then 1234 and 5679 (protocol
/// documentation, `SSLRequest`).
const TLS_REQUEST: [u8; 8] = [0, 0, 0, 8, 0x04, 0xD2, 0x16, 0x2F];

const SECONDS_OF_A_DAY: i64 = 24 * 60 * 60;

/// An endpoint's TLS.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TlsReport {
    /// Such as `TLSv1.3`.
    pub version: String,
    /// Such as `TLS_AES_256_GCM_SHA384`.
    pub cipher: String,
    /// When the certificate ends, RFC 3339.
    pub certificate_not_after: Option<String>,
    /// Whole days until then; negative when it is over.
    pub certificate_days_left: Option<i64>,
}

/// Shakes hands once. Blocks; each step takes at most `limit`. `None` where the server offers no
/// TLS.
pub(crate) fn probe(
    url: &DatabaseUrl,
    config: ClientConfig,
    limit: Duration,
) -> io::Result<Option<TlsReport>> {
    let mut socket = connect(url, limit)?;
    socket.set_read_timeout(Some(limit))?;
    socket.set_write_timeout(Some(limit))?;
    socket.write_all(&TLS_REQUEST)?;
    let mut answer = [0];
    socket.read_exact(&mut answer)?;
    if answer != *b"S" {
        return Ok(None);
    }

    let name = ServerName::try_from(url.host().to_owned()).map_err(io::Error::other)?;
    let mut session = ClientConnection::new(Arc::new(config), name).map_err(io::Error::other)?;
    while session.is_handshaking() {
        session.complete_io(&mut socket)?;
    }
    session.send_close_notify();
    session.complete_io(&mut socket)?;

    let not_after = session
        .peer_certificates()
        .and_then(|chain| Certificate::from_der(chain.first()?).ok())
        .and_then(|certificate| {
            let end = certificate.tbs_certificate.validity.not_after.to_unix_duration().as_secs();
            chrono::DateTime::from_timestamp(i64::try_from(end).ok()?, 0)
        });
    Ok(Some(TlsReport {
        version: session
            .protocol_version()
            .and_then(|version| version.as_str())
            .map_or_else(unknown, with_dot),
        cipher: session
            .negotiated_cipher_suite()
            .and_then(|suite| suite.suite().as_str())
            .map_or_else(unknown, |name| name.replace("TLS13_", "TLS_")),
        certificate_not_after: not_after
            .map(|end| end.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)),
        certificate_days_left: not_after
            .map(|end| (end - chrono::Utc::now()).num_seconds().div_euclid(SECONDS_OF_A_DAY)),
    }))
}

fn connect(url: &DatabaseUrl, limit: Duration) -> io::Result<TcpStream> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the host has no address");
    for address in (url.host(), url.port()).to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, limit) {
            Ok(socket) => return Ok(socket),
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn unknown() -> String {
    "unknown".to_owned()
}

/// rustls writes `TLSv1_3`, everybody else `TLSv1.3`.
fn with_dot(version: &str) -> String {
    version.replace('_', ".")
}
