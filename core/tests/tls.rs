//! Which servers the client trusts. The tests use real TLS servers on loopback, each with its own CA.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(clippy::print_stdout)]

mod support;

use proxymesh::{Error, Settings, TokenRequest, blocking};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use std::{
    env,
    io::{Read as _, Write as _},
    net::SocketAddr,
    path::PathBuf,
    process::Command,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    thread,
    time::{Duration, Instant},
};
use support::server::{Answer, Reply, Server, Welcome};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        RootCertStore, ServerConfig, crypto::ring, pki_types::PrivateKeyDer, server::WebPkiClientVerifier,
    },
};

const ISSUER: &str = "A Private Test CA";

/// A server whose certificate a private CA has issued for one name.
struct TlsServer {
    address: SocketAddr,
    ca_pem: String,
    requests: Arc<AtomicUsize>,
}

impl TlsServer {
    /// Starts a server that responds to everything with the bytes of `answer`.
    fn start(name: &str, answer: &'static str) -> Self {
        Self::with(answer, CertificateParams::new(vec![name.to_owned()]).unwrap(), false)
    }

    /// The same with another certificate. If `asks` is set, the server requires a client certificate, which no client has.
    fn with(answer: &'static str, certificate: CertificateParams, asks: bool) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, ISSUER);
        let ca_key = KeyPair::generate().unwrap();
        let ca = params.self_signed(&ca_key).unwrap();
        let key = KeyPair::generate().unwrap();
        let issuer = Issuer::from_params(&params, &ca_key);
        let certificate = certificate.signed_by(&key, &issuer).unwrap();
        let provider = Arc::new(ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(ca.der().clone()).unwrap();
        let clients = WebPkiClientVerifier::builder_with_provider(roots.into(), provider).build().unwrap();
        let config =
            if asks { config.with_client_cert_verifier(clients) } else { config.with_no_client_auth() };
        let config = config
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
        // The thread runs as long as the test's process.
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

/// A file that is deleted when this is dropped.
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

/// A folder that is deleted when this is dropped.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let path = env::temp_dir().join(format!("proxymesh-test-{}", std::process::id()));
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

const FINE: &str = "HTTP/1.1 200 OK\r\ncontent-length: 11\r\n\r\n{\"ips\": []}";

#[test]
fn an_unknown_ca_is_rejected_and_the_error_says_how_to_trust_it() {
    let server = TlsServer::start("localhost", FINE);
    let error = support::blocking(server.settings()).ips().list().unwrap_err();
    assert!(matches!(error, Error::Connection { .. }), "{error:?}");
    let text = error.to_string();
    assert!(text.contains("ca_file (caFile) or SSL_CERT_FILE") && text.contains("UnknownIssuer"), "{text}");
    assert_eq!(server.requests.load(SeqCst), 0, "no credentials were sent");
}

#[tokio::test]
async fn both_clients_accept_a_private_ca_with_ca_file() {
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
fn a_certificate_for_another_name_is_rejected() {
    let server = TlsServer::start("proxymesh.example", FINE);
    let ca = server.ca_file();
    for host in ["localhost", "127.0.0.1"] {
        let client = support::blocking(server.settings_for(host).ca_file(&ca.0));
        let error = client.ips().list().unwrap_err();
        assert!(matches!(error, Error::Connection { .. }), "{error:?}");
        let said = format!(
            "ips.list: connection failed: the server's certificate is for proxymesh.example, not for {host}"
        );
        assert_eq!(error.to_string(), said);
    }
    assert_eq!(server.requests.load(SeqCst), 0);
}

#[test]
fn a_create_that_fails_because_of_the_certificate_was_not_carried_out() {
    let server = TlsServer::start("localhost", FINE);
    let error = support::blocking(server.settings()).sub_accounts().create("x").unwrap_err();
    assert!(matches!(error, Error::Connection { .. }), "{error:?}");
}

#[test]
fn an_unusable_ca_file_is_reported_when_the_client_is_created() {
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
fn plain_http_to_a_host_that_is_not_loopback_is_rejected() {
    for base_url in
        ["http://proxymesh.com", "http://10.0.0.1:8000", "http://localhost.example.com", "http://0.0.0.0:1"]
    {
        let settings = Settings::new().username("me").password("pw").base_url(base_url);
        let error = blocking::Client::new(settings).unwrap_err();
        assert!(matches!(error, Error::Config { .. }), "{error:?}");
        assert!(error.to_string().contains("plain http would expose the credentials"), "{error}");
    }
}

#[test]
fn a_redirect_to_another_host_is_not_followed_with_or_without_tls() {
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
fn a_handshake_that_never_ends_is_abandoned_after_connect_timeout() {
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
fn a_create_whose_time_limit_passes_while_connecting_was_not_carried_out() {
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
fn a_server_that_does_not_speak_tls_is_a_connection_error() {
    let server = Server::with_door(|_| Welcome::Say("HTTP/1.1 400 Bad Request\r\n\r\n"), |_| Reply::Close);
    let settings = support::basic(&server).base_url(server.base_url().replace("http:", "https:"));
    let error = support::blocking(settings).ips().list().unwrap_err();
    assert!(matches!(error, Error::Connection { attempts: 1, .. }), "{error:?}");
    assert!(error.to_string().contains("the server does not speak TLS"), "{error}");
    assert_eq!(server.connections(), 1);
}

#[test]
fn lasting_tls_failures_are_not_retried() {
    let certificate = |from: i32, to: i32| {
        let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        params.not_before = rcgen::date_time_ymd(from, 1, 1);
        params.not_after = rcgen::date_time_ymd(to, 1, 1);
        params
    };
    let mut for_clients = certificate(2020, 2090);
    for_clients.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ClientAuth];
    let expired = "the server's certificate expired on 2021-01-01; this machine's clock says 20";
    let early = "the server's certificate is not valid before 2090-01-01; this machine's clock says 20";
    for (certificate, trusted, asks, says) in [
        (certificate(2020, 2021), true, false, expired),
        (certificate(2090, 2091), true, false, early),
        (certificate(2020, 2090), false, false, "is signed by an untrusted authority"),
        (CertificateParams::new(vec!["other.example".to_owned()]).unwrap(), true, false, "not for localhost"),
        (for_clients, true, false, "the server's certificate was rejected: "),
        (certificate(2020, 2090), true, true, "the server requires a client certificate"),
    ] {
        let server = TlsServer::with(FINE, certificate, asks);
        let ca = server.ca_file();
        let mut settings = server.settings().max_retries(2);
        if trusted {
            settings = settings.ca_file(&ca.0);
        }
        let error = support::blocking(settings).ips().list().unwrap_err();
        assert!(matches!(error, Error::Connection { attempts: 1, .. }), "{error:?}");
        assert!(error.to_string().contains(says), "{error}");
        assert_eq!(server.requests.load(SeqCst), 0);
    }
}

#[test]
fn a_refused_handshake_is_not_retried_unless_the_server_reports_an_internal_error() {
    // The alerts handshake_failure, protocol_version, unrecognized_name and internal_error (RFC 8446, section 6).
    for (alert, attempts, says) in [
        ("\x15\x03\x03\0\x02\x02\x28", 1, "the server ended the TLS handshake: HandshakeFailure"),
        ("\x15\x03\x03\0\x02\x02\x46", 1, "the server ended the TLS handshake: ProtocolVersion"),
        ("\x15\x03\x03\0\x02\x02\x70", 1, "the server ended the TLS handshake: Unreco"),
        ("\x15\x03\x03\0\x02\x02\x50", 2, "the server ended the TLS handshake: InternalError"),
    ] {
        let server = Server::with_door(move |_| Welcome::Say(alert), |_| Reply::Close);
        let settings = support::basic(&server).base_url(server.base_url().replace("http:", "https:"));
        let error = support::blocking(settings.max_retries(1)).ips().list().unwrap_err();
        assert!(matches!(error, Error::Connection { attempts: n, .. } if n == attempts), "{error:?}");
        assert!(error.to_string().contains(says), "{error}");
    }
}

/// The program that the tests below run in a separate process, with its own environment variables.
#[test]
#[ignore = "is run by the other tests"]
fn child() {
    let settings = Settings::new()
        .username("me")
        .password("canary-password")
        .base_url(env::var("TEST_BASE_URL").unwrap())
        .ca_variables(&["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
        .trust_env(env::var_os("TEST_TRUST_ENV").is_some());
    let said = match blocking::Client::new(settings) {
        Ok(client) => client.ips().list().map_or_else(|error| error.to_string(), |_| "fine".to_owned()),
        Err(error @ Error::Config { .. }) => format!("refused: {error}"),
        Err(error) => panic!("{error:?}"),
    };
    println!("RESULT {said}");
}

/// Makes a call with these variables. `before` is the start of the command, if there is one.
fn call_with(base_url: &str, variables: &[(&str, &str)], before: &[&str]) -> String {
    let this = env::current_exe().unwrap();
    let child = ["child", "--exact", "--ignored", "--nocapture", "--test-threads=1"];
    let mut command = match before {
        [] => Command::new(this),
        [program, arguments @ ..] => {
            let mut command = Command::new(program);
            command.args(arguments).arg(this);
            command
        }
    };
    for (name, _) in env::vars_os() {
        let name = name.to_string_lossy().to_uppercase();
        if ["_PROXY", "_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR"].iter().any(|end| name.ends_with(end)) {
            command.env_remove(&name).env_remove(name.to_lowercase());
        }
    }
    command.args(child).env("TEST_BASE_URL", base_url).envs(variables.iter().copied());
    let output = command.output().unwrap();
    let out = String::from_utf8_lossy(&output.stdout);
    let line = out.lines().find_map(|line| line.split_once("RESULT "));
    line.unwrap_or_else(|| panic!("{out}{}", String::from_utf8_lossy(&output.stderr))).1.to_owned()
}

#[test]
fn the_environment_adds_trusted_authorities() {
    let server = TlsServer::start("localhost", FINE);
    let base_url = format!("https://localhost:{}", server.address.port());
    let folder = Folder::new();
    std::fs::write(folder.0.join("company.pem"), &server.ca_pem).unwrap();
    std::fs::write(folder.0.join("README"), "no certificate").unwrap();
    let (folder, file) = (folder.0.to_str().unwrap(), folder.0.join("company.pem"));
    let (file, folders) = (file.to_str().unwrap(), format!("/:{folder}"));
    for (name, value) in [
        ("SSL_CERT_FILE", file),
        ("SSL_CERT_DIR", folder),
        ("SSL_CERT_DIR", &folders),
        ("REQUESTS_CA_BUNDLE", file),
        ("REQUESTS_CA_BUNDLE", folder),
        ("CURL_CA_BUNDLE", file),
    ] {
        assert_eq!(call_with(&base_url, &[(name, value)], &[]), "fine", "{name}={value}");
    }
    // The authority is trusted, so the error names what else is wrong.
    let other = TlsServer::start("other.example", FINE);
    std::fs::write(file, &other.ca_pem).unwrap();
    let other = format!("https://localhost:{}", other.address.port());
    let said = call_with(&other, &[("SSL_CERT_DIR", folder)], &[]);
    assert!(said.ends_with("the server's certificate is for other.example, not for localhost"), "{said}");
    for nothing in [&[][..], &[("SSL_CERT_FILE", "")], &[("SSL_CERT_DIR", "/")]] {
        let said = call_with(&base_url, nothing, &[]);
        assert!(said.contains("ca_file (caFile) or SSL_CERT_FILE"), "{said}");
    }
}

#[test]
fn a_variable_that_names_nothing_readable_is_reported_when_the_client_is_created() {
    let empty = File::with("");
    let empty = empty.0.to_str().unwrap();
    for (name, value) in [
        ("SSL_CERT_FILE", "/no/such/cacert.pem"),
        ("SSL_CERT_FILE", empty),
        ("SSL_CERT_FILE", "/"),
        ("SSL_CERT_DIR", "/no/such/folder"),
        ("SSL_CERT_DIR", empty),
        ("REQUESTS_CA_BUNDLE", "/no/such/cacert.pem"),
        ("CURL_CA_BUNDLE", empty),
    ] {
        let said = call_with("https://localhost:9", &[(name, value)], &[]);
        assert!(said.starts_with(&format!("refused: {name} {value}: ")), "{said}");
        // Plain http to a loopback host needs no certificates.
        let server = Server::always(Answer::new(200, r#"{"ips": []}"#));
        assert_eq!(call_with(&server.base_url(), &[(name, value)], &[]), "fine");
    }
}

/// This has to mount one file over another. Only root may do that, and not in every container.
#[cfg(target_os = "linux")]
#[test]
fn the_systems_own_certificates_are_trusted_too() {
    const STORE: &str = "/etc/ssl/certs/ca-certificates.crt";
    let server = TlsServer::start("localhost", FINE);
    let ca = server.ca_file();
    let mount = format!("mount --bind {} {STORE} && exec \"$@\"", ca.0.display());
    let before = ["unshare", "--mount", "sh", "-c", mount.as_str(), "sh"];
    if !Command::new("unshare").args(&before[1..]).arg("true").status().is_ok_and(|status| status.success()) {
        println!("not run: nothing can be mounted over {STORE} here");
        return;
    }
    let base_url = format!("https://localhost:{}", server.address.port());
    assert_eq!(call_with(&base_url, &[], &before), "fine");
    // As with OpenSSL, this variable replaces the system's certificates.
    let other = TlsServer::start("localhost", FINE).ca_file();
    let said = call_with(&base_url, &[("SSL_CERT_FILE", other.0.to_str().unwrap())], &before);
    assert!(said.contains("untrusted authority"), "{said}");
    assert_eq!(call_with(&base_url, &[("CURL_CA_BUNDLE", other.0.to_str().unwrap())], &before), "fine");
}

/// A forward proxy that connects every `CONNECT` to `to`, or responds with 407. It keeps the heads that it received.
fn proxy(to: SocketAddr, lets_through: bool) -> (SocketAddr, Arc<Mutex<Vec<String>>>) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let heads = Arc::new(Mutex::new(Vec::new()));
    let kept = heads.clone();
    // The thread runs as long as the test's process.
    thread::spawn(move || {
        for mut client in listener.incoming().flatten() {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                client.read_exact(&mut byte).unwrap();
                head.push(byte[0]);
            }
            kept.lock().unwrap().push(String::from_utf8(head).unwrap());
            if !lets_through {
                client.write_all(b"HTTP/1.1 407 No\r\ncontent-length: 0\r\n\r\n").unwrap();
                continue;
            }
            client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
            let mut server = std::net::TcpStream::connect(to).unwrap();
            let (mut from, mut back) = (client.try_clone().unwrap(), server.try_clone().unwrap());
            thread::spawn(move || std::io::copy(&mut from, &mut back));
            thread::spawn(move || std::io::copy(&mut server, &mut client));
        }
    });
    (address, heads)
}

#[test]
fn the_proxy_from_the_environment_gets_its_credentials() {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let server = TlsServer::start("localhost", FINE);
    let ca = server.ca_file();
    let ca = ("SSL_CERT_FILE", ca.0.to_str().unwrap());
    let base_url = format!("https://localhost:{}", server.address.port());
    let (address, heads) = proxy(server.address, true);
    for (variable, userinfo, pair) in [
        ("HTTPS_PROXY", "http://user:p%40ss@", Some("user:p@ss")),
        ("https_proxy", "http://user@", Some("user:")),
        ("ALL_PROXY", "http://me@ex.com:p@ss@", Some("me@ex.com:p@ss")),
        ("all_proxy", "user:pw@", Some("user:pw")),
        ("HTTPS_PROXY", "", None),
    ] {
        let value = format!("{userinfo}{address}");
        let said = call_with(&base_url, &[ca, (variable, &value), ("TEST_TRUST_ENV", "1")], &[]);
        assert_eq!(said, "fine", "{variable}={value}");
        let head = heads.lock().unwrap().pop().unwrap();
        assert!(heads.lock().unwrap().is_empty());
        assert!(head.starts_with(&format!("CONNECT localhost:{} ", server.address.port())), "{head}");
        let sent = head.lines().find_map(|line| {
            line.strip_prefix("proxy-authorization: Basic ")
                .or(line.strip_prefix("Proxy-Authorization: Basic "))
        });
        assert_eq!(
            sent.map(|sent| STANDARD.decode(sent).unwrap()),
            pair.map(|pair| pair.as_bytes().to_vec())
        );
    }
    // The proxy is not used without `trust_env`, and not for hosts in `NO_PROXY`.
    let set = ("HTTPS_PROXY", format!("http://{address}"));
    let set = (set.0, set.1.as_str());
    let port = format!("localhost:{}", server.address.port());
    assert_eq!(call_with(&base_url, &[ca, set], &[]), "fine");
    for exception in ["localhost", "*", "a.example, localhost", &port] {
        let said = call_with(&base_url, &[ca, set, ("TEST_TRUST_ENV", "1"), ("NO_PROXY", exception)], &[]);
        assert_eq!(said, "fine", "{exception}");
    }
    assert!(heads.lock().unwrap().is_empty());
    assert_eq!(
        call_with(&base_url, &[ca, set, ("TEST_TRUST_ENV", "1"), ("no_proxy", "localhost:1")], &[]),
        "fine"
    );
    assert_eq!(heads.lock().unwrap().len(), 1);
}

#[test]
fn an_invalid_proxy_from_the_environment_is_reported_when_the_client_is_created() {
    for value in ["http://user:canary@host:port", "socks5://user:canary@127.0.0.1:1", "ftp://canary@host"] {
        let variables = [("HTTPS_PROXY", value), ("TEST_TRUST_ENV", "1")];
        let said = call_with("https://localhost:9", &variables, &[]);
        assert!(said.starts_with("refused: the environment variable HTTPS_PROXY "), "{said}");
        assert!(!said.contains("canary"), "{said}");
    }
}

#[test]
fn a_proxy_that_rejects_the_credentials_is_asked_once() {
    let (address, heads) = proxy(([127, 0, 0, 1], 9).into(), false);
    let value = format!("http://user:canary@{address}");
    let said = call_with("https://localhost:9", &[("HTTPS_PROXY", &value), ("TEST_TRUST_ENV", "1")], &[]);
    assert!(said.contains("proxy authorization required") && !said.contains("canary"), "{said}");
    assert_eq!(heads.lock().unwrap().len(), 1);
}
