//! The beginning of a connection: TLS, and the client's startup message.

use std::io::{Error, ErrorKind, Result};
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::tls::{CERTIFICATE, KEY};

/// Protocol 3.0.
const PROTOCOL: u32 = 196_608;

/// The code in place of a protocol with which a client asks for TLS.
const TLS_REQUEST: u32 = 80_877_103;

/// A client's startup message.
pub(super) struct Startup {
    /// Names and values, in the client's order.
    parameters: Vec<(String, String)>,
}

/// Answers the client's request for TLS and does the handshake; without one, the connection is over.
pub(super) async fn accept_tls(mut client: TcpStream) -> Result<TlsStream<TcpStream>> {
    let _length = client.read_u32().await?;
    if client.read_u32().await? != TLS_REQUEST {
        return Err(ErrorKind::InvalidData.into());
    }
    client.write_all(b"S").await?;
    acceptor().accept(client).await
}

fn acceptor() -> TlsAcceptor {
    let certificates = CertificateDer::pem_slice_iter(CERTIFICATE.as_bytes())
        .map(|certificate| certificate.expect("a certificate"))
        .collect();
    let key = PrivateKeyDer::from_pem_slice(KEY.as_bytes()).expect("a private key");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the provider knows the default versions")
        .with_no_client_auth()
        .with_single_cert(certificates, key)
        .expect("a certificate with its key");
    TlsAcceptor::from(Arc::new(config))
}

impl Startup {
    pub(super) async fn read(client: &mut (impl AsyncRead + Unpin)) -> Result<Self> {
        let invalid = || Error::from(ErrorKind::InvalidData);
        let length = usize::try_from(client.read_u32().await?).map_err(|_| invalid())?;
        let protocol = client.read_u32().await?;
        if protocol != PROTOCOL || !(8..10_000).contains(&length) {
            return Err(invalid());
        }
        let mut bytes = vec![0; length - 8];
        client.read_exact(&mut bytes).await?;
        let text = String::from_utf8(bytes).map_err(|_| invalid())?;
        let mut fields = text.split_terminator('\0').map(str::to_owned);
        let mut parameters = Vec::new();
        while let (Some(name), Some(value)) = (fields.next(), fields.next()) {
            parameters.push((name, value));
        }
        Ok(Self { parameters })
    }

    /// The endpoint of `options=endpoint=…`, for clients without SNI.
    pub(super) fn endpoint(&self) -> Option<&str> {
        self.options().find_map(endpoint_of)
    }

    /// True if it brings settings of the session.
    pub(super) fn has_settings(&self) -> bool {
        self.options().any(|word| word.starts_with("-c"))
    }

    fn options(&self) -> impl Iterator<Item = &str> {
        let options = self.parameters.iter().filter(|(name, _)| name == "options");
        options.flat_map(|(_, value)| value.split_whitespace())
    }

    /// The message for the compute, which does not know the endpoint's name.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut fields = String::new();
        for (name, value) in &self.parameters {
            let words =
                value.split(' ').filter(|word| name != "options" || endpoint_of(word).is_none());
            let value = words.collect::<Vec<_>>().join(" ");
            if !value.is_empty() {
                fields.extend([name, "\0", &value, "\0"]);
            }
        }
        fields.push('\0');
        let length = u32::try_from(fields.len() + 8).expect("a short message");
        [&length.to_be_bytes()[..], &PROTOCOL.to_be_bytes(), fields.as_bytes()].concat()
    }
}

fn endpoint_of(word: &str) -> Option<&str> {
    word.strip_prefix("endpoint=").or_else(|| word.strip_prefix("project="))
}
