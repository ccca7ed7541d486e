//! TLS: certificate and key from files, nothing older than TLS 1.2.

use std::path::Path;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::{self, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::{Error, Tls};

/// Reads both files.
///
/// # Errors
/// When one is not readable PEM, or the key does not belong to the certificate.
pub fn config(tls: &Tls) -> Result<ServerConfig, Error> {
    let chain = certificates(&tls.certificate).map_err(pem_error("certificate", &tls.certificate))?;
    let key = PrivateKeyDer::from_pem_file(&tls.key).map_err(pem_error("private key", &tls.key))?;
    let unusable = |source| Error::Certificate { path: tls.certificate.clone(), source };
    ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
        .map_err(unusable)
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, pem::Error> {
    let chain: Vec<_> = CertificateDer::pem_file_iter(path)?.collect::<Result<_, _>>()?;
    if chain.is_empty() { Err(pem::Error::NoItemsFound) } else { Ok(chain) }
}

fn pem_error(what: &'static str, path: &Path) -> impl FnOnce(pem::Error) -> Error {
    let path = path.to_owned();
    move |source| Error::Pem { what, path, source }
}
