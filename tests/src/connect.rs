//! Connections to the tests' databases, with TLS where the connection string asks for it.

use std::sync::Arc;

use neon_url::{DatabaseUrl, SslMode};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::BuilderVerifierExt;
use tokio_postgres::{Client, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::background_runtime;
use crate::tls::AUTHORITY;

/// Connects; the connection runs on the background runtime and ends with the client.
pub(crate) async fn connect(url: &DatabaseUrl) -> Result<Client, tokio_postgres::Error> {
    let url = url.clone();
    background_runtime::run(async move {
        let text = url.to_connection_string();
        if url.ssl_mode() == SslMode::Disable {
            let (client, connection) = tokio_postgres::connect(&text, NoTls).await?;
            background_runtime::spawn(connection);
            Ok(client)
        } else {
            let (client, connection) = tokio_postgres::connect(&text, tls(url.host())).await?;
            background_runtime::spawn(connection);
            Ok(client)
        }
    })
    .await
}

/// Trusts the system's authorities; for names on loopback the tests' own one.
fn tls(host: &str) -> MakeRustlsConnect {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the provider knows the default versions");
    let builder = if host.ends_with("localhost") {
        let mut roots = RootCertStore::empty();
        let authority = CertificateDer::from_pem_slice(AUTHORITY.as_bytes());
        roots.add(authority.expect("a certificate")).expect("an authority");
        builder.with_root_certificates(roots)
    } else {
        builder.with_platform_verifier().expect("read the system's certificates")
    };
    MakeRustlsConnect::new(builder.with_no_client_auth())
}
