//! Whom the client trusts: against a real TLS server on loopback, with a CA of its own.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use proxymesh::{Error, Settings, TokenRequest, blocking};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use std::{
    io::Write as _,
    net::SocketAddr,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    thread,
    time::{Duration, Instant},
};
use support::server::{Answer, Reply, Server, Welcome};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{ServerConfig, crypto::ring, pki_types::PrivateKeyDer},
};

const ISSUER: &str = "A Private Test CA";

/// A server whose certificate a private CA has signed for one name.
struct TlsServer {
    address: SocketAddr,
    ca_pem: String,
    requests: Arc<AtomicUsize>,
}

impl TlsServer {
    /// Answers everything with `answer`, raw.
    fn start(name: &str, answer: &'static str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, ISSUER);
        let ca_key = KeyPair::generate().unwrap();
        let ca = params.self_signed(&ca_key).unwrap();
        let key = KeyPair::generate().unwrap();
        let issuer = Issuer::from_params(&params, &ca_key);
        let certificate =
            CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, &issuer).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                vec![certificate.der().clone()],
                PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
            )
            .unwrap();

        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(AtomicUsize::new(0));
        let (acceptor, counter) = (TlsAcceptor::from(Arc::new(config)), requests.clone());
        // Lives as long as the test's process.
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                while let Ok((stream, _)) = listener.accept().await {
                    let (acceptor, counter) = (acceptor.clone(), counter.clone());
                    tokio::spawn(async move {
                        let Ok(mut stream) = acceptor.accept(stream).await else { return };
                        let mut chunk = [0; 16 * 1024];
                        while matches!(stream.read(&mut chunk).await, Ok(count) if count > 0) {
                            counter.fetch_add(1, SeqCst);
                            let _ = stream.write_all(answer.as_bytes()).await;
                        }
                    });
                }
            });
        });
        Self { address, ca_pem: ca.pem(), requests }
    }

    fn settings(&self) -> Settings {
        self.settings_for("localhost")
    }

    fn settings_for(&self, host: &str) -> Settings {
        Settings::new()
            .username("me")
            .password("canary-password")
            .base_url(format!("https://{host}:{}", self.address.port()))
            .max_retries(0)
    }

    fn ca_file(&self) -> File {
        File::with(&self.ca_pem)
    }
}

/// A file that is gone when it is dropped.
struct File(PathBuf);

impl File {
    fn with(content: &str) -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let name = format!("proxymesh-test-{}-{}.pem", std::process::id(), COUNT.fetch_add(1, SeqCst));
        let path = std::env::temp_dir().join(name);
        std::fs::File::create_new(&path).unwrap().write_all(content.as_bytes()).unwrap();
        Self(path)
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

const FINE: &str = "HTTP/1.1 200 OK\r\ncontent-length: 11\r\n\r\n{\"ips\": []}";

#[test]
fn an_unknown_ca_is_refused_and_the_error_names_the_issuer() {
    let server = TlsServer::start("localhost", FINE);
    let error = support::blocking(server.settings()).ips().list().unwrap_err();
    assert!(matches!(error, Error::Connection { .. }), "{error:?}");
    assert!(error.to_string().contains("UnknownIssuer"), "{error}");
    assert_eq!(server.requests.load(SeqCst), 0, "no credentials went there");
}

#[tokio::test]
async fn it_is_accepted_with_ca_file_by_both_clients() {
    let server = TlsServer::start("localhost", FINE);
    let ca = server.ca_file();
    assert!(support::blocking(server.settings().ca_file(&ca.0)).ips().list().unwrap().is_empty());
    let client = support::asynchronous(server.settings().ca_file(&ca.0));
    assert!(client.ips().list().await.unwrap().is_empty());
    assert_eq!(server.requests.load(SeqCst), 2);
}

#[test]
fn another_ca_is_not_enough() {
    let server = TlsServer::start("localhost", FINE);
    let other = TlsServer::start("localhost", FINE).ca_file();
    let error = support::blocking(server.settings().ca_file(&other.0)).ips().list().unwrap_err();
    assert!(matches!(error, Error::Connection { .. }), "{error:?}");
    assert_eq!(server.requests.load(SeqCst), 0);
}

#[test]
fn a_certificate_for_another_name_is_refused() {
    let server = TlsServer::start("proxymesh.example", FINE);
    let ca = server.ca_file();
    for host in ["localhost", "127.0.0.1"] {
        let client = support::blocking(server.settings_for(host).ca_file(&ca.0));
        let error = client.ips().list().unwrap_err();
        assert!(matches!(error, Error::Connection { .. }), "{error:?}");
        assert!(error.to_string().contains("proxymesh.example"), "{error}");
    }
    assert_eq!(server.requests.load(SeqCst), 0);
}

#[test]
fn a_create_that_met_a_wrong_certificate_was_surely_not_carried_out() {
    let server = TlsServer::start("localhost", FINE);
    let error = support::blocking(server.settings()).sub_accounts().create("x").unwrap_err();
    assert!(matches!(error, Error::Connection { .. }), "{error:?}");
}

#[test]
fn a_ca_file_that_is_none_is_told_when_the_client_is_made() {
    let (empty, garbage) = (File::with(""), File::with("-----BEGIN NONSENSE-----\n!!\n"));
    let broken = File::with("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    let missing = PathBuf::from("/nonexistent/ca.pem");
    for path in [&empty.0, &garbage.0, &broken.0, &missing] {
        for base_url in ["https://proxymesh.com", "http://127.0.0.1:1"] {
            let settings = Settings::new().username("me").password("pw").base_url(base_url).ca_file(path);
            let error = blocking::Client::new(settings).unwrap_err();
            assert!(matches!(error, Error::Config { .. }), "{error:?}");
            assert!(error.to_string().starts_with(&format!("ca_file {}: ", path.display())), "{error}");
        }
    }
}

#[test]
fn plain_http_to_a_host_that_is_not_loopback_is_refused() {
    for base_url in
        ["http://proxymesh.com", "http://10.0.0.1:8000", "http://localhost.example.com", "http://0.0.0.0:1"]
    {
        let settings = Settings::new().username("me").password("pw").base_url(base_url);
        let error = blocking::Client::new(settings).unwrap_err();
        assert!(matches!(error, Error::Config { .. }), "{error:?}");
        assert!(error.to_string().contains("plain http to a host that is not loopback"), "{error}");
    }
}

#[test]
fn a_redirect_to_another_host_is_not_followed_over_tls_or_without() {
    let elsewhere = Server::always(Answer::new(200, r#"{"ips": []}"#));
    let target = format!("{}/api/ips/", elsewhere.base_url());
    let redirect: &'static str =
        format!("HTTP/1.1 302 Found\r\nlocation: {target}\r\ncontent-length: 0\r\n\r\n").leak();
    let secure = TlsServer::start("localhost", redirect);
    let ca = secure.ca_file();
    let plain = Server::start(move |_| Answer::new(302, "").header("location", target.clone()));
    for settings in [secure.settings().ca_file(&ca.0), support::basic(&plain)] {
        let error = support::blocking(settings).ips().list().unwrap_err();
        assert!(matches!(error, Error::UnexpectedStatus(_)), "{error:?}");
        assert_eq!(error.status(), Some(302));
    }
    assert_eq!((secure.requests.load(SeqCst), plain.count()), (1, 1));
    assert_eq!((elsewhere.count(), elsewhere.connections()), (0, 0));
}

#[test]
fn a_server_that_never_ends_the_handshake_is_given_up_after_connect_timeout() {
    let server = Server::with_door(|_| Welcome::Ignore, |_| Reply::Close);
    let settings = Settings::new()
        .username("me")
        .password("pw")
        .base_url(server.base_url().replace("http:", "https:"))
        .connect_timeout(Duration::from_millis(300))
        .max_retries(0);
    let start = Instant::now();
    let error = support::blocking(settings).ips().list().unwrap_err();
    assert!(matches!(error, Error::Timeout { attempts: 1, .. }), "{error:?}");
    let took = start.elapsed();
    assert!(took >= Duration::from_millis(300) && took < Duration::from_secs(5), "{took:?}");
}

#[test]
fn a_create_whose_time_limit_passed_while_connecting_was_surely_not_carried_out() {
    let server = Server::with_door(|_| Welcome::Ignore, |_| Reply::Close);
    let settings = support::basic(&server).base_url(server.base_url().replace("http:", "https:"));
    let client = support::blocking(settings.timeout(Duration::from_millis(300)).max_retries(1));
    let token = client.tokens().create(TokenRequest::new()).unwrap_err();
    let sub = client.sub_accounts().create("x").unwrap_err();
    for error in [token, sub] {
        assert!(matches!(error, Error::Timeout { attempts: 2, .. }), "{error:?}");
    }
}

#[test]
fn a_server_that_does_not_speak_tls_is_a_failed_connection() {
    let server = Server::with_door(|_| Welcome::Say("HTTP/1.1 400 Bad Request\r\n\r\n"), |_| Reply::Close);
    let settings = support::basic(&server).base_url(server.base_url().replace("http:", "https:"));
    let error = support::blocking(settings.max_retries(0)).ips().list().unwrap_err();
    assert!(matches!(error, Error::Connection { .. }), "{error:?}");
    assert!(error.to_string().contains("corrupt message"), "{error}");
}
