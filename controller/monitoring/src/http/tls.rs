//! Whom we believe at the other end: the system's roots, and on request a private authority beside them.
//!
//! The provider is ring, named explicitly, so that nothing depends on what else the process installed.

use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

/// TLS settings. Clones share them; made once and passed on, because reading the roots costs milliseconds.
#[derive(Clone, Debug)]
pub struct Tls(Arc<ClientConfig>);

/// Why a private authority cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// Not PEM.
    #[error("expected certificates in PEM, found something else: {0}")]
    NotPem(rustls::pki_types::pem::Error),
    /// PEM without a certificate.
    #[error("expected at least one certificate in PEM, found none")]
    Empty,
    /// A certificate that cannot be an authority.
    #[error("certificate {place} cannot be used as an authority: {why}")]
    Unusable {
        /// Which one, from 1.
        place: usize,
        /// What is wrong with it.
        why: rustls::Error,
    },
    /// The provider has none of the protocol versions.
    #[error("no TLS protocol version can be used: {0}")]
    Protocol(rustls::Error),
}

impl Tls {
    /// The system's roots. A system without any is no error here: each call by https then says what it misses.
    ///
    /// # Errors
    /// Never with the provider we name; it is the provider's to say.
    pub fn system() -> Result<Self, TlsError> {
        Self::of(system_roots())
    }

    /// The system's roots and the certificates in this PEM text.
    ///
    /// # Errors
    /// When it is no PEM, holds no certificate, or one that cannot be an authority.
    pub fn with_authority(pem: &[u8]) -> Result<Self, TlsError> {
        let mut roots = system_roots();
        let certificates: Vec<_> =
            CertificateDer::pem_slice_iter(pem).collect::<Result<_, _>>().map_err(TlsError::NotPem)?;
        if certificates.is_empty() {
            return Err(TlsError::Empty);
        }
        for (place, certificate) in (1..).zip(certificates) {
            roots.add(certificate).map_err(|why| TlsError::Unusable { place, why })?;
        }
        Self::of(roots)
    }

    fn of(roots: RootCertStore) -> Result<Self, TlsError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(TlsError::Protocol)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Self(Arc::new(config)))
    }

    pub(super) fn config(&self) -> ClientConfig {
        (*self.0).clone()
    }
}

fn system_roots() -> RootCertStore {
    let found = rustls_native_certs::load_native_certs();
    for error in &found.errors {
        tracing::warn!(%error, "a root certificate of the system cannot be read");
    }
    let mut roots = RootCertStore::empty();
    let (_, unusable) = roots.add_parsable_certificates(found.certs);
    if unusable > 0 {
        tracing::debug!(unusable, "root certificates of the system that are no authorities");
    }
    roots
}
