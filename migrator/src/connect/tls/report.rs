//! TLS of an endpoint: version, cipher suite and certificate.
//!
//! Read from the connection itself: behind a proxy, as at Neon, `pg_stat_ssl` describes the connection
//! between proxy and server.

use rustls::ClientConnection;
use serde::Serialize;
use x509_cert::Certificate;
use x509_cert::der::Decode as _;

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

impl TlsReport {
    /// Of a session whose handshake is done.
    pub(in crate::connect) fn of(session: &ClientConnection) -> Self {
        let not_after = session
            .peer_certificates()
            .and_then(|chain| Certificate::from_der(chain.first()?).ok())
            .and_then(|certificate| {
                let end = certificate.tbs_certificate.validity.not_after;
                let seconds = end.to_unix_duration().as_secs();
                chrono::DateTime::from_timestamp(i64::try_from(seconds).ok()?, 0)
            });
        Self {
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
        }
    }
}

fn unknown() -> String {
    "unknown".to_owned()
}

/// rustls writes `TLSv1_3`, everybody else `TLSv1.3`.
fn with_dot(version: &str) -> String {
    version.replace('_', ".")
}
