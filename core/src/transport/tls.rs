//! TLS: rustls with ring; the roots that ship with the crate, and those that the user adds.

use crate::error::{Error, Result};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, pem::PemObject},
};
use std::{path::Path, sync::Arc};

/// Whom to trust.
pub(super) fn roots(ca_file: Option<&Path>, env_ca_file: Option<&Path>) -> Result<RootCertStore> {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    if let Some(path) = ca_file {
        add(&mut roots, path)
            .map_err(|reason| Error::config(format!("ca_file {}: {reason}", path.display())))?;
    }
    if let Some(path) = env_ca_file
        && let Err(reason) = add(&mut roots, path)
    {
        // Set for other programs, as often as not: the roots at hand still hold.
        tracing::warn!(target: "proxymesh", path = %path.display(), reason, "SSL_CERT_FILE is ignored");
    }
    Ok(roots)
}

/// With a session cache of its own.
pub(super) fn config(roots: Arc<RootCertStore>) -> Result<ClientConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::config(format!("TLS cannot be set up: {error}")))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(config)
}

fn add(roots: &mut RootCertStore, path: &Path) -> Result<(), String> {
    let certificates = CertificateDer::pem_file_iter(path)
        .and_then(|found| found.collect::<Result<Vec<_>, _>>())
        .map_err(|error| format!("cannot be read as PEM: {error}"))?;
    let (added, _) = roots.add_parsable_certificates(certificates);
    if added == 0 { Err("holds no usable certificate".into()) } else { Ok(()) }
}
