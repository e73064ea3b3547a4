//! TLS: rustls with ring, the certificates that it trusts, and what its failures mean.
//!
//! It trusts the roots that ship with the crate and those that the user names. If these do not verify a server, it also loads the
//! system's own, which takes tens of milliseconds. A company's own CA is usually installed there.

use crate::{
    error::{Error, Result},
    runtime::Lazy,
    settings::CaVariable,
};
use arc_swap::ArcSwapOption;
use rustls::{
    AlertDescription, CertificateError, ClientConfig, DigitallySignedStruct, InvalidMessage, RootCertStore,
    SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::CryptoProvider,
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject},
};
use std::{
    collections::HashSet,
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
    time::SystemTime,
};

/// The certificates to trust.
#[derive(Clone, Debug)]
pub(super) struct Trust {
    /// Tried first: the crate's roots and those in files.
    roots: Arc<RootCertStore>,
    /// Read only if the roots do not verify a server.
    folders: Vec<PathBuf>,
    system: bool,
}

impl Trust {
    /// Reads the files, and checks that the folders can be read.
    pub(super) fn new(ca_file: Option<&Path>, variables: &[CaVariable]) -> Result<Self> {
        let mut files: Vec<(&str, &Path)> = ca_file.into_iter().map(|path| ("ca_file", path)).collect();
        let mut folders = Vec::new();
        for variable in variables {
            let CaVariable { name, path, list } = variable;
            if *list {
                folders.extend(std::env::split_paths(path).map(|path| (*name, path)));
            } else if !variable.replaces_system() && path.is_dir() {
                folders.push((*name, path.clone()));
            } else {
                files.push((*name, path));
            }
        }
        // On machines set up for many programs, all the variables often name the same file.
        let mut seen = HashSet::new();
        files.retain(|(_, path)| seen.insert(*path));
        folders.retain(|(_, path)| !path.as_os_str().is_empty());
        for (name, path) in &folders {
            fs::read_dir(path).map_err(|error| {
                Error::config(format!("{name} {}: could not be read: {error}", path.display()))
            })?;
        }
        Ok(Self {
            roots: roots(&files)?,
            folders: folders.into_iter().map(|(_, path)| path).collect(),
            // As with OpenSSL, these two replace the system's certificates.
            system: !variables.iter().any(CaVariable::replaces_system),
        })
    }

    /// The additional certificates to trust, if any.
    fn more(&self) -> Option<Arc<RootCertStore>> {
        let mut store = RootCertStore::empty();
        for folder in &self.folders {
            store.add_parsable_certificates(
                rustls_native_certs::load_certs_from_paths(None, Some(folder)).certs,
            );
        }
        if self.system {
            static SYSTEM: ArcSwapOption<RootCertStore> = ArcSwapOption::const_empty();
            let system = SYSTEM.load_full().unwrap_or_else(|| {
                let mut system = RootCertStore::empty();
                system.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
                let system = Arc::new(system);
                // If no file descriptor was left to read them, the next call of this function tries again.
                if !system.is_empty() {
                    SYSTEM.store(Some(system.clone()));
                }
                system
            });
            if store.is_empty() {
                return (!system.is_empty()).then_some(system);
            }
            store.roots.extend_from_slice(&system.roots);
        }
        (!store.is_empty()).then(|| Arc::new(store))
    }
}

/// The crate's roots and those in `files`. Clients with the same files share them, unless a file has changed in the meantime.
fn roots(files: &[(&str, &Path)]) -> Result<Arc<RootCertStore>> {
    type Stamp = (PathBuf, u64, Option<SystemTime>);
    type Known = (Vec<Stamp>, Arc<RootCertStore>);
    /// A process rarely uses more than one set of files. Keeping more than a few would only waste memory.
    const MOST: usize = 8;
    static KNOWN: ArcSwapOption<Vec<Known>> = ArcSwapOption::const_empty();
    let stamp = |path: &Path| {
        let known = fs::metadata(path).ok();
        let modified = known.as_ref().and_then(|known| known.modified().ok());
        (path.to_owned(), known.map_or(0, |known| known.len()), modified)
    };
    let stamps: Vec<_> = files.iter().map(|(_, path)| stamp(path)).collect();
    if let Some(known) = &*KNOWN.load()
        && let Some((_, roots)) = known.iter().find(|(of, _)| *of == stamps)
    {
        return Ok(roots.clone());
    }
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    for (name, path) in files {
        add(&mut roots, path)
            .map_err(|reason| Error::config(format!("{name} {}: {reason}", path.display())))?;
    }
    let roots = Arc::new(roots);
    KNOWN.rcu(|known| {
        let others =
            known.iter().flat_map(|known| known.iter()).filter(|(of, _)| *of != stamps).take(MOST - 1);
        let known: Vec<_> = std::iter::once((stamps.clone(), roots.clone())).chain(others.cloned()).collect();
        Some(Arc::new(known))
    });
    Ok(roots)
}

fn add(roots: &mut RootCertStore, path: &Path) -> Result<(), String> {
    let certificates = CertificateDer::pem_file_iter(path)
        .and_then(|found| found.collect::<Result<Vec<_>, _>>())
        .map_err(|error| format!("could not be read as PEM: {error}"))?;
    let (added, _) = roots.add_parsable_certificates(certificates);
    if added == 0 { Err("contains no usable certificate".into()) } else { Ok(()) }
}

/// A configuration with its own session cache.
pub(super) fn config(trust: &Trust) -> Result<ClientConfig> {
    let failed = |error: &dyn std::error::Error| Error::config(format!("could not set up TLS: {error}"));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let first = WebPkiServerVerifier::builder_with_provider(trust.roots.clone(), provider.clone())
        .build()
        .map_err(|error| failed(&error))?;
    let verifier = Verifier { first, second: Lazy::new(), trust: trust.clone(), provider: provider.clone() };
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| failed(&error))?
        // The verifier is rustls's own, used twice. It accepts nothing that rustls would not.
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    Ok(config)
}

#[derive(Debug)]
struct Verifier {
    first: Arc<WebPkiServerVerifier>,
    /// The verifier with the additional roots, if there are any.
    second: Lazy<Arc<WebPkiServerVerifier>>,
    trust: Trust,
    provider: Arc<CryptoProvider>,
}

impl Verifier {
    fn second(&self) -> Option<&Arc<WebPkiServerVerifier>> {
        let second = self.second.get_or_try_init(|| {
            let more = self.trust.more().ok_or(())?;
            WebPkiServerVerifier::builder_with_provider(more, self.provider.clone()).build().map_err(drop)
        });
        second.ok()
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let verify = |verifier: &WebPkiServerVerifier| {
            verifier.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
        };
        verify(&self.first).or_else(|first| match self.second().map(|second| verify(second)) {
            None => Err(first),
            Some(Err(second)) => Err(if is_unknown_issuer(&second) { first } else { second }),
            Some(verified) => verified,
        })
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.first.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.first.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.first.supported_verify_schemes()
    }
}

fn is_unknown_issuer(error: &rustls::Error) -> bool {
    matches!(error, rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer))
}

/// The TLS error inside any number of I/O errors. Their `source` skips it.
pub(super) fn failure_in<'a>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a rustls::Error> {
    let mut error = error;
    loop {
        if let Some(failure) = error.downcast_ref::<rustls::Error>() {
            return Some(failure);
        }
        error = error.downcast_ref::<io::Error>()?.get_ref()?;
    }
}

/// Whether a retry would fail in the same way. While connecting, that is true of certificates, versions and a server that does
/// not speak TLS, but not of a temporary problem that the server reports.
pub(super) fn is_lasting(error: &rustls::Error, connecting: bool) -> bool {
    use AlertDescription as Alert;
    match error {
        rustls::Error::InvalidCertificate(_) | rustls::Error::PeerIncompatible(_) => true,
        rustls::Error::AlertReceived(
            Alert::InternalError
            | Alert::UserCanceled
            | Alert::CloseNotify
            | Alert::BadRecordMac
            | Alert::DecryptError,
        ) => false,
        // A server may report a missing client certificate after the handshake.
        rustls::Error::AlertReceived(alert) => {
            connecting
                || matches!(
                    alert,
                    Alert::CertificateRequired
                        | Alert::BadCertificate
                        | Alert::AccessDenied
                        | Alert::UnknownCA
                )
        }
        rustls::Error::InvalidMessage(_) => connecting,
        _ => false,
    }
}

/// What a failure means, and what to do about it.
pub(super) fn in_words(error: &rustls::Error) -> String {
    match error {
        rustls::Error::InvalidCertificate(error) => refused(error),
        rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType) => {
            "the server does not speak TLS; it may be a plain http server".to_owned()
        }
        rustls::Error::AlertReceived(AlertDescription::CertificateRequired) => {
            "the server requires a client certificate, which this client cannot provide".to_owned()
        }
        rustls::Error::AlertReceived(alert) => format!("the server ended the TLS handshake: {alert:?}"),
        other => format!("TLS failed: {other}"),
    }
}

/// Why a certificate is rejected.
fn refused(error: &CertificateError) -> String {
    let day = |time: &UnixTime| {
        let time =
            i64::try_from(time.as_secs()).ok().and_then(|seconds| jiff::Timestamp::from_second(seconds).ok());
        time.map_or_else(String::new, |time| time.to_string().chars().take(10).collect())
    };
    match error {
        // `BadSignature` occurs if the authority has the name of a trusted one but a different key.
        CertificateError::UnknownIssuer | CertificateError::BadSignature => format!(
            "the server's certificate is signed by an untrusted authority ({error:?}); if your network has its own authority, \
             trust it with ca_file (caFile) or SSL_CERT_FILE"
        ),
        CertificateError::ExpiredContext { time, not_after } => format!(
            "the server's certificate expired on {}; this machine's clock says {}",
            day(not_after),
            day(time)
        ),
        CertificateError::Expired => "the server's certificate has expired".to_owned(),
        CertificateError::NotValidYetContext { time, not_before } => format!(
            "the server's certificate is not valid before {}; this machine's clock says {}",
            day(not_before),
            day(time)
        ),
        CertificateError::NotValidYet => "the server's certificate is not valid yet".to_owned(),
        CertificateError::NotValidForNameContext { expected, presented } => {
            // rustls's form is `DnsName("proxymesh.com")` or `IpAddress(127.0.0.1)`.
            let bare = |name: &String| {
                let name = name.split_once('(').map_or(name.as_str(), |(_, name)| name);
                name.trim_matches(['"', ')']).to_owned()
            };
            let names = presented.iter().map(bare).collect::<Vec<_>>().join(", ");
            let names = if names.is_empty() { "no name".to_owned() } else { names };
            format!("the server's certificate is for {names}, not for {}", expected.to_str())
        }
        CertificateError::NotValidForName => "the server's certificate is for a different name".to_owned(),
        CertificateError::Revoked => "the server's certificate has been revoked".to_owned(),
        other => format!("the server's certificate was rejected: {other}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn certificate() -> String {
        let key = rcgen::KeyPair::generate().unwrap();
        rcgen::CertificateParams::new(["localhost".to_owned()]).unwrap().self_signed(&key).unwrap().pem()
    }

    #[test]
    fn each_set_of_files_is_parsed_once_until_a_file_changes() {
        let folder = std::env::temp_dir().join(format!("proxymesh-roots-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let (one, two) = (folder.join("one.pem"), folder.join("two.pem"));
        fs::write(&one, certificate()).unwrap();
        fs::write(&two, certificate()).unwrap();
        let of = |paths: &[&Path]| {
            roots(&paths.iter().map(|path| ("ca_file", *path)).collect::<Vec<_>>()).unwrap()
        };

        let (first, second, none) = (of(&[&one]), of(&[&two]), of(&[]));
        assert_eq!((first.len(), second.len()), (none.len() + 1, none.len() + 1));
        for _ in 0..2 {
            assert!(Arc::ptr_eq(&of(&[&one]), &first) && Arc::ptr_eq(&of(&[&two]), &second));
            assert!(Arc::ptr_eq(&of(&[]), &none));
        }
        fs::write(&one, certificate() + &certificate()).unwrap();
        let changed = of(&[&one]);
        assert_eq!(changed.len(), none.len() + 2);
        assert!(Arc::ptr_eq(&of(&[&two]), &second));
        // Only the last eight sets are kept.
        for number in 0..8 {
            let other = folder.join(format!("{number}.pem"));
            fs::write(&other, certificate()).unwrap();
            of(&[&other]);
        }
        assert!(!Arc::ptr_eq(&of(&[&one]), &changed));
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn the_systems_certificates_are_read_once() {
        let trust = Trust::new(None, &[]).unwrap();
        // A machine may have none.
        if let Some(system) = trust.more() {
            assert!(trust.more().is_some_and(|again| Arc::ptr_eq(&again, &system)));
        }
    }
}
