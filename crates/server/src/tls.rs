//! HTTPS: a certificate chain and its key, read once at start.

use std::path::Path;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

use crate::failure::Failure;

/// What the listener needs to serve HTTPS.
///
/// Fails when a file cannot be read, holds the wrong thing, or the two do not belong together.
pub(crate) fn acceptor(certificate: &Path, key: &Path) -> Result<TlsAcceptor, Failure> {
    let shown = certificate.display();
    let unreadable =
        |e| Failure::because(format!("--tls-cert: {shown} cannot be read as PEM"), e).into_usage();
    let chain: Vec<_> = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect)
        .map_err(unreadable)?;
    if chain.is_empty() {
        return Err(Failure::new(format!("--tls-cert: {shown} holds no certificate in PEM")).into_usage());
    }
    let key_shown = key.display();
    // The reader's message might quote the file: it holds a private key.
    let key = PrivateKeyDer::from_pem_file(key).map_err(|_| {
        Failure::new(format!(
            "--tls-key: {key_shown} holds no readable private key in PEM"
        ))
        .into_usage()
    })?;
    let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|e| Failure::because("TLS cannot be set up", e))?;
    let mut config = builder
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(|e| {
            Failure::because(
                format!("--tls-cert {shown} and --tls-key {key_shown} do not belong together"),
                e,
            )
            .into_usage()
        })?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}
