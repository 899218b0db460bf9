//! The trusted certificates: the platform's, and one private authority if it is given.

use std::sync::Arc;

use rustls::ClientConfig;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls_platform_verifier::Verifier;

use crate::error::Error;

/// A client configuration that verifies certificate and host name against the platform's
/// authorities and those in `ca_pem`.
///
/// The cryptography (ring) is passed explicitly: nothing depends on a process-wide default.
pub fn tls_config(ca_pem: Option<&str>) -> Result<ClientConfig, Error> {
    let extra_roots = ca_pem.map_or(Ok(Vec::new()), certificates)?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = Verifier::new_with_extra_roots(extra_roots, Arc::clone(&provider))
        .map_err(|error| Error::CertificateAuthority { reason: error.to_string() })?;
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::CertificateAuthority { reason: error.to_string() })?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    Ok(config)
}

fn certificates(pem: &str) -> Result<Vec<CertificateDer<'static>>, Error> {
    let certificates: Vec<_> = CertificateDer::pem_slice_iter(pem.as_bytes())
        .collect::<Result<_, _>>()
        .map_err(|error| Error::CertificateAuthority { reason: error.to_string() })?;
    if certificates.is_empty() {
        return Err(Error::CertificateAuthority { reason: "no PEM certificate in it".to_owned() });
    }
    Ok(certificates)
}

#[cfg(test)]
mod tests {
    use super::tls_config;

    #[test]
    fn text_without_a_certificate_is_refused() {
        for (label, pem) in [
            ("empty", ""),
            ("prose", "not a certificate"),
            ("cut off", "-----BEGIN CERTIFICATE-----\nAAAA\n"),
            ("not base64", "-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n"),
            (
                "not a certificate inside",
                "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            ),
        ] {
            assert!(tls_config(Some(pem)).is_err(), "{label}");
        }
    }
}
