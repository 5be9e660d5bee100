//! What a profile's `[profile.tls]` means for the HTTP client.

use std::fs;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use ureq::tls::{Certificate, ClientCert, PemItem, PrivateKey, RootCerts, TlsConfig, parse_pem};

use crate::config::TlsEntry;
use crate::exit::Failure;

/// The client's TLS settings.
///
/// # Errors
/// A certificate or key file that cannot be read or used.
pub(crate) fn tls_config(entry: &TlsEntry) -> Result<TlsConfig, Failure> {
    let roots = match (entry.disable || entry.insecure, entry.ca.as_str()) {
        (true, _) => RootCerts::WebPki,
        (false, "") => system_roots(),
        (false, ca) => RootCerts::Specific(Arc::new(certificates("tls.ca", ca)?)),
    };
    let config = TlsConfig::builder()
        .root_certs(roots)
        .disable_verification(entry.insecure);
    let config = match (entry.cert.as_str(), entry.key.as_str()) {
        _ if entry.disable => config,
        ("", "") => config,
        ("", _) => return Err(Failure::Failed("tls.key is given without tls.cert".to_owned())),
        (_, "") => return Err(Failure::Failed("tls.cert is given without tls.key".to_owned())),
        (cert, key) => config.client_cert(Some(client_certificate(cert, key)?)),
    };
    Ok(config.build())
}

/// The settings for an identity provider: what the profile says is about its server, but for the certificate to trust,
/// which may have signed both.
///
/// # Errors
/// A certificate file that cannot be read or used.
pub(crate) fn provider_tls_config(entry: &TlsEntry) -> Result<TlsConfig, Failure> {
    let roots = match (system_roots(), entry.ca.as_str()) {
        (roots, "") => roots,
        (RootCerts::Specific(system), ca) => {
            let mut all = certificates("tls.ca", ca)?;
            all.extend(system.iter().cloned());
            RootCerts::Specific(Arc::new(all))
        }
        (_, ca) => RootCerts::Specific(Arc::new(certificates("tls.ca", ca)?)),
    };
    Ok(TlsConfig::builder().root_certs(roots).build())
}

/// The system's certificates; the ones built in when the system has none.
fn system_roots() -> RootCerts {
    let found = rustls_native_certs::load_native_certs().certs;
    if found.is_empty() {
        return RootCerts::WebPki;
    }
    let roots = found
        .iter()
        .map(|cert| Certificate::from_der(cert).to_owned())
        .collect();
    RootCerts::Specific(Arc::new(roots))
}

fn client_certificate(cert_path: &str, key_path: &str) -> Result<ClientCert, Failure> {
    let chain = certificates("tls.cert", cert_path)?;
    let pem = read("tls.key", key_path)?;
    let bad_key = format!("tls.key: {key_path} holds no usable private key");
    let key = PrivateKey::from_pem(&pem).map_err(Failure::because(&bad_key))?;
    // The HTTP client takes a matching pair for granted.
    let der = PrivateKeyDer::from_pem_slice(&pem).map_err(Failure::because(&bad_key))?;
    let ders = chain
        .iter()
        .map(|cert| CertificateDer::from(cert.der().to_vec()))
        .collect();
    CertifiedKey::from_der(ders, der, &rustls::crypto::ring::default_provider()).map_err(
        Failure::because(format!(
            "tls.cert {cert_path} and tls.key {key_path} do not belong together"
        )),
    )?;
    Ok(ClientCert::new_with_certs(&chain, key))
}

fn certificates(key: &str, path: &str) -> Result<Vec<Certificate<'static>>, Failure> {
    let pem = read(key, path)?;
    let mut found = Vec::new();
    for item in parse_pem(&pem) {
        let item = item.map_err(Failure::because(format!("{key}: {path} is not a PEM file")))?;
        if let PemItem::Certificate(certificate) = item {
            found.push(certificate);
        }
    }
    if found.is_empty() {
        return Err(Failure::Failed(format!("{key}: {path} holds no PEM certificate")));
    }
    Ok(found)
}

fn read(key: &str, path: &str) -> Result<Vec<u8>, Failure> {
    fs::read(path).map_err(Failure::because(format!("{key}: cannot read {path}")))
}
