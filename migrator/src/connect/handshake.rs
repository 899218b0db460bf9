//! TLS for the driver, with a report of each phase to the stopwatch.
//!
//! `tokio-postgres-rustls` does not expose its session; here the negotiated parameters can be read.

use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use sha2::{Digest as _, Sha256, Sha384, Sha512};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_postgres::Socket;
use tokio_postgres::tls::{ChannelBinding, MakeTlsConnect, TlsConnect};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use x509_cert::Certificate;
use x509_cert::der::Decode as _;
use x509_cert::der::oid::ObjectIdentifier;
use x509_cert::der::oid::db::rfc5912::{
    ECDSA_WITH_SHA_256, ECDSA_WITH_SHA_384, ECDSA_WITH_SHA_512, SHA_1_WITH_RSA_ENCRYPTION,
    SHA_256_WITH_RSA_ENCRYPTION, SHA_384_WITH_RSA_ENCRYPTION, SHA_512_WITH_RSA_ENCRYPTION,
};

use crate::connect::Stopwatch;
use crate::connect::tls::TlsReport;

/// Shakes hands where there is a configuration. The driver asks it for a handshake as soon as the
/// TCP connection is there, also where none will follow.
pub(crate) struct Handshakes {
    pub(crate) config: Option<Arc<ClientConfig>>,
    pub(crate) stopwatch: Arc<Stopwatch>,
}

/// The handshake of one connection.
pub(crate) struct Handshake {
    host: String,
    config: Option<Arc<ClientConfig>>,
    stopwatch: Arc<Stopwatch>,
}

impl MakeTlsConnect<Socket> for Handshakes {
    type Stream = SecureStream;
    type TlsConnect = Handshake;
    type Error = Infallible;

    fn make_tls_connect(&mut self, host: &str) -> Result<Handshake, Infallible> {
        self.stopwatch.connected();
        Ok(Handshake {
            host: host.to_owned(),
            config: self.config.clone(),
            stopwatch: Arc::clone(&self.stopwatch),
        })
    }
}

impl TlsConnect<Socket> for Handshake {
    type Stream = SecureStream;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<SecureStream>> + Send>>;

    fn connect(self, socket: Socket) -> Self::Future {
        Box::pin(async move {
            let config = self.config.ok_or_else(|| io::Error::other("TLS is not used here"))?;
            self.stopwatch.agreed();
            let name = ServerName::try_from(self.host)
                .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
            let stream = TlsConnector::from(config).connect(name, socket).await?;
            self.stopwatch.secured(TlsReport::of(stream.get_ref().1));
            Ok(SecureStream(stream))
        })
    }
}

/// A connection in TLS.
pub(crate) struct SecureStream(TlsStream<Socket>);

impl tokio_postgres::tls::TlsStream for SecureStream {
    fn channel_binding(&self) -> ChannelBinding {
        let (_, session) = self.0.get_ref();
        let certificate = session.peer_certificates().and_then(<[_]>::first);
        certificate
            .and_then(|certificate| {
                let parsed = Certificate::from_der(certificate).ok()?;
                end_point_hash(parsed.signature_algorithm.oid, certificate)
            })
            .map_or_else(ChannelBinding::none, ChannelBinding::tls_server_end_point)
    }
}

/// The hash of the certificate by which a login is bound to its TLS connection: with the function of
/// the certificate's signature, but never less than SHA-256 (RFC 5929, section 4.1). None where the
/// signature has no such function of its own, as with Ed25519: the login is then not bound.
fn end_point_hash(signature: ObjectIdentifier, certificate: &[u8]) -> Option<Vec<u8>> {
    match signature {
        SHA_1_WITH_RSA_ENCRYPTION | SHA_256_WITH_RSA_ENCRYPTION | ECDSA_WITH_SHA_256 => {
            Some(Sha256::digest(certificate).to_vec())
        }
        SHA_384_WITH_RSA_ENCRYPTION | ECDSA_WITH_SHA_384 => {
            Some(Sha384::digest(certificate).to_vec())
        }
        SHA_512_WITH_RSA_ENCRYPTION | ECDSA_WITH_SHA_512 => {
            Some(Sha512::digest(certificate).to_vec())
        }
        _ => None,
    }
}

impl AsyncRead for SecureStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl AsyncWrite for SecureStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, buffer)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use x509_cert::der::oid::ObjectIdentifier;
    use x509_cert::der::oid::db::rfc5912::{
        ECDSA_WITH_SHA_512, SHA_1_WITH_RSA_ENCRYPTION, SHA_384_WITH_RSA_ENCRYPTION,
    };
    use x509_cert::der::oid::db::rfc8410::ID_ED_25519;

    use super::end_point_hash;

    #[test]
    fn logins_are_bound_with_the_hash_of_the_signature() {
        for (label, signature, length) in [
            ("RSA with SHA-1, which is too weak", SHA_1_WITH_RSA_ENCRYPTION, Some(32)),
            ("RSA with SHA-384", SHA_384_WITH_RSA_ENCRYPTION, Some(48)),
            ("ECDSA with SHA-512", ECDSA_WITH_SHA_512, Some(64)),
            ("Ed25519", ID_ED_25519, None),
        ] as [(&str, ObjectIdentifier, Option<usize>); 4]
        {
            let hash = end_point_hash(signature, b"certificate");
            assert_eq!(hash.map(|hash| hash.len()), length, "{label}");
        }
    }
}
