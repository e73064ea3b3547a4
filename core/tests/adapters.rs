//! The adapters for HTTP libraries. Each library fetches pages through the sandbox's proxies. The tests look at what the proxy got,
//! and at what the site got.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use http_body_util::{BodyExt as _, Empty};
use hyper::{Uri, body::Bytes};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use proxymesh::{
    Credentials, Error, ExitChoice, Proxy, Settings, TokenRequest, blocking, secrecy::SecretString,
};
use proxymesh_sandbox::{ProxiedRequest, RecordedAuth, Sandbox};
use rcgen::{CertificateParams, KeyPair};
use std::{
    collections::BTreeSet,
    error::Error as StdError,
    iter::repeat_n,
    net::SocketAddr,
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ClientConfig, RootCertStore, ServerConfig,
        crypto::{CryptoProvider, ring},
        pki_types::{CertificateDer, PrivateKeyDer},
    },
};

const USERNAME: &str = "me+1@ex.com";
const PASSWORD: &str = "@:/% é+ß";
/// `me+1@ex.com:@:/% é+ß` in UTF-8 and base64. Another program computed it.
const BASIC: &str = "bWUrMUBleC5jb206QDovJSDDqSvDnw==";
/// One of the exit IPs of the sandbox's proxy `open`.
const EXIT: &str = "198.18.3.5";

// The site

/// A site that speaks http and https on one port, under any name that ends in `.test`. Only a proxy can find these names.
struct Site {
    address: SocketAddr,
    certificate: CertificateDer<'static>,
    heads: Arc<Mutex<Vec<(&'static str, String)>>>,
}

impl Site {
    fn start() -> Self {
        let key = KeyPair::generate().unwrap();
        let names = ["site.test", "other.test"].map(str::to_owned);
        let certificate = CertificateParams::new(names).unwrap().self_signed(&key).unwrap().der().clone();
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                vec![certificate.clone()],
                PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
            )
            .unwrap();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let heads = Arc::new(Mutex::new(Vec::new()));
        let (acceptor, log) = (TlsAcceptor::from(Arc::new(config)), heads.clone());
        // The thread runs as long as the test's process.
        thread::spawn(move || {
            runtime().block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                while let Ok((stream, _)) = listener.accept().await {
                    let (acceptor, log) = (acceptor.clone(), log.clone());
                    tokio::spawn(async move {
                        let mut first = [0];
                        // The first byte of a TLS connection.
                        if !matches!(stream.peek(&mut first).await, Ok(1)) || first != [0x16] {
                            return serve(stream, "http", &log).await;
                        }
                        if let Ok(stream) = acceptor.accept(stream).await {
                            serve(stream, "https", &log).await;
                        }
                    });
                }
            });
        });
        Self { address, certificate, heads }
    }

    fn url(&self, scheme: &str) -> String {
        self.url_of(scheme, "site.test")
    }

    fn url_of(&self, scheme: &str, host: &str) -> String {
        format!("{scheme}://{host}:{}/", self.address.port())
    }

    /// A page that redirects.
    fn redirect(&self, scheme: &str, to: &str) -> String {
        self.url(scheme) + "to?" + to
    }

    /// The requests since the last call: scheme and head.
    fn seen(&self) -> Vec<(&'static str, String)> {
        std::mem::take(&mut self.heads.lock().unwrap())
    }

    fn tls(&self) -> ClientConfig {
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.clone()).unwrap();
        ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth()
    }
}

async fn serve(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    scheme: &'static str,
    log: &Mutex<Vec<(&'static str, String)>>,
) {
    let mut read = Vec::new();
    loop {
        while !read.ends_with(b"\r\n\r\n") {
            if !matches!(stream.read_buf(&mut read).await, Ok(count) if count > 0) {
                return;
            }
        }
        let head = String::from_utf8(std::mem::take(&mut read)).unwrap();
        let path = head.split(' ').nth(1).unwrap();
        let answer = match path.split_once('?') {
            Some((_, to)) => format!("HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n"),
            None => "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\npage".to_owned(),
        };
        log.lock().unwrap().push((scheme, head));
        if stream.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

// The account

struct Account {
    sandbox: Sandbox,
    client: blocking::Client,
    /// Has exit IPs in many countries.
    open: Proxy,
}

impl Account {
    fn start() -> Self {
        let sandbox = Sandbox::builder().username(USERNAME).password(PASSWORD).proxies(true).start().unwrap();
        let settings = Settings::new().username(USERNAME).password(PASSWORD).base_url(sandbox.base_url());
        let client = blocking::Client::new(settings).unwrap();
        client.proxies().add("open").unwrap();
        let proxies = client.proxies().list().unwrap();
        let open = proxies.into_iter().find(|proxy| proxy.name() == "open").unwrap();
        Self { sandbox, client, open }
    }

    /// The proxy, and how it records its user.
    fn using(&self, access: Access) -> (Proxy, RecordedAuth) {
        let open = self.open.clone();
        match access {
            Access::Password => {
                let credentials = Credentials::basic(USERNAME, PASSWORD).unwrap();
                (open.using(credentials), RecordedAuth::Basic { username: USERNAME.to_owned() })
            }
            Access::Token => {
                let token = self.client.tokens().create(TokenRequest::new()).unwrap();
                (open.using(Credentials::bearer(token.secret).unwrap()), RecordedAuth::Bearer)
            }
            Access::AuthorizedIp => {
                self.client.ips().add("127.0.0.1").unwrap();
                (open, RecordedAuth::None)
            }
        }
    }

    /// What the proxies got since the last call.
    fn proxied(&self) -> Vec<ProxiedRequest> {
        let proxied = self.sandbox.proxied();
        self.sandbox.clear_proxied();
        proxied
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Access {
    Password,
    Token,
    AuthorizedIp,
}

// The libraries

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Library {
    Reqwest12,
    Reqwest12Blocking,
    Reqwest13,
    Reqwest13Blocking,
    Ureq3,
    HyperUtil,
}

const LIBRARIES: [Library; 6] = [
    Library::Reqwest12,
    Library::Reqwest12Blocking,
    Library::Reqwest13,
    Library::Reqwest13Blocking,
    Library::Ureq3,
    Library::HyperUtil,
];
const REQWEST: [Library; 4] =
    [Library::Reqwest12, Library::Reqwest12Blocking, Library::Reqwest13, Library::Reqwest13Blocking];

type Fetched = Result<u16, Box<dyn StdError + Send + Sync>>;

/// Fetches the pages one after another with one client, through this proxy. `rotating` sets what a library needs to open a tunnel for
/// each request, if its adapter cannot set it.
fn fetch_all(
    library: Library,
    proxy: &Proxy,
    site: &Site,
    urls: &[String],
    rotating: bool,
    redirects: usize,
) -> Vec<Fetched> {
    macro_rules! reqwest {
        ($reqwest:ident $(:: $blocking:ident)?, $method:ident, $tls:ident, |$sent:ident| $wait:expr) => {{
            let builder = $reqwest $(:: $blocking)? ::Client::builder().$tls(site.tls());
            let client = match proxy.$method(builder, redirects) {
                Ok(client) => client,
                Err(refused) => return vec![Err(refused.into())],
            };
            assert_no_secret(&format!("{client:?}"));
            let fetch = |url: &String| {
                let $sent = client.get(url).send();
                Ok($wait?.status().as_u16())
            };
            urls.iter().map(fetch).collect()
        }};
    }
    let runtime = runtime();
    match library {
        Library::Reqwest12 => {
            reqwest!(reqwest_0_12, reqwest_0_12, use_preconfigured_tls, |sent| runtime.block_on(sent))
        }
        Library::Reqwest12Blocking => {
            reqwest!(reqwest_0_12::blocking, reqwest_0_12_blocking, use_preconfigured_tls, |sent| sent)
        }
        Library::Reqwest13 => {
            reqwest!(reqwest, reqwest_0_13, tls_backend_preconfigured, |sent| runtime.block_on(sent))
        }
        Library::Reqwest13Blocking => {
            reqwest!(reqwest::blocking, reqwest_0_13_blocking, tls_backend_preconfigured, |sent| sent)
        }
        Library::Ureq3 => {
            let adapted = match proxy.ureq_3() {
                Ok(adapted) => adapted,
                Err(refused) => return vec![Err(refused.into())],
            };
            assert_no_secret(&format!("{adapted:?}"));
            let root = ureq::tls::Certificate::from_der(&site.certificate).to_owned();
            let tls = ureq::tls::TlsConfig::builder()
                .unversioned_rustls_crypto_provider(Arc::new(ring::default_provider()))
                .root_certs(ureq::tls::RootCerts::new_with_certs(&[root]))
                .build();
            let mut config = ureq::Agent::config_builder()
                .proxy(Some(adapted))
                .tls_config(tls)
                .http_status_as_error(false)
                .max_redirects(u32::try_from(redirects).unwrap());
            if rotating {
                config = config.max_idle_connections(0);
            }
            let agent = config.build().new_agent();
            let fetch = |url: &String| {
                let mut response = agent.get(url).call()?;
                // The connection goes back to the pool only once the page has been read.
                response.body_mut().read_to_string()?;
                Ok(response.status().as_u16())
            };
            urls.iter().map(fetch).collect()
        }
        Library::HyperUtil => {
            let tunnel = match proxy.hyper_util(HttpConnector::new()) {
                Ok(tunnel) => tunnel,
                Err(refused) => return vec![Err(refused.into())],
            };
            assert_no_secret(&format!("{tunnel:?}"));
            let connector = hyper_rustls::HttpsConnectorBuilder::new()
                .with_tls_config(site.tls())
                .https_or_http()
                .enable_http1()
                .wrap_connector(tunnel);
            let mut builder = Client::builder(TokioExecutor::new());
            if rotating {
                builder.pool_max_idle_per_host(0);
            }
            let client = builder.build::<_, Empty<Bytes>>(connector);
            let fetch = |url: &String| {
                runtime.block_on(async {
                    let response = client.get(url.parse::<Uri>()?).await?;
                    let status = response.status().as_u16();
                    response.into_body().collect().await?;
                    Ok(status)
                })
            };
            urls.iter().map(fetch).collect()
        }
    }
}

fn fetch(library: Library, proxy: &Proxy, site: &Site, url: &str) -> Fetched {
    fetch_all(library, proxy, site, &[url.to_owned()], false, 10).remove(0)
}

/// The `Error::Validation` in an error, and its text.
fn refusal(fetched: Fetched) -> (&'static str, String) {
    let error = fetched.unwrap_err();
    let mut source: Option<&(dyn StdError + 'static)> = Some(&*error);
    while let Some(found) = source {
        if let Some(Error::Validation { field, reason }) = found.downcast_ref() {
            return (field, reason.clone());
        }
        source = found.source();
    }
    panic!("{error:?}")
}

fn assert_no_secret(text: &str) {
    for secret in [PASSWORD, BASIC, "%40%3A%2F%25%20%C3%A9%2B%C3%9F", "pm_"] {
        assert!(!text.contains(secret), "{text}");
    }
}

/// Asserts that the site got nothing that is meant for the proxy.
fn assert_clean(seen: &[(&'static str, String)]) {
    for (_, head) in seen {
        let lower = head.to_lowercase();
        for private in ["proxy-", "x-proxymesh", "authorization", "me+1", "ex.com"] {
            assert!(!lower.contains(private), "{head}");
        }
        assert_no_secret(head);
    }
}

// The tests

#[test]
fn each_library_tells_the_proxy_everything_and_the_site_nothing() {
    let site = Site::start();
    let exits = [
        ("plain", ExitChoice::new()),
        ("country", ExitChoice::new().country("DE").unwrap()),
        ("exit IP", ExitChoice::new().prefer_ip(EXIT).unwrap()),
    ];
    let (mut fetched, mut refused) = (0, 0);
    for access in [Access::Password, Access::Token, Access::AuthorizedIp] {
        let account = Account::start();
        let (proxy, auth) = account.using(access);
        for library in LIBRARIES {
            for scheme in ["http", "https"] {
                for (wish, exit) in &exits {
                    let cell = format!("{library:?}, {access:?}, {scheme}, {wish}");
                    let proxy = proxy.clone().steer(exit.clone()).unwrap();
                    let result = fetch(library, &proxy, &site, &site.url(scheme));
                    let (proxied, seen) = (account.proxied(), site.seen());
                    assert_clean(&seen);
                    if library == Library::Ureq3 && (access == Access::Token || *wish != "plain") {
                        let (field, reason) = refusal(result);
                        assert_eq!(field, if *wish == "plain" { "token" } else { "exit" }, "{cell}");
                        assert!(reason.contains("reqwest"), "{cell}: {reason}");
                        assert!(proxied.is_empty() && seen.is_empty(), "{cell}");
                        refused += 1;
                        continue;
                    }
                    assert_eq!(result.unwrap(), 200, "{cell}");
                    assert_eq!((seen.len(), seen[0].0), (1, scheme), "{cell}");
                    assert_eq!(proxied.len(), 1, "{cell}: {proxied:?}");
                    let request = &proxied[0];
                    // The account is known only by a correct password, a valid token or an authorised IP.
                    assert_eq!(
                        (&request.auth, request.account.as_deref()),
                        (&auth, Some(USERNAME)),
                        "{cell}"
                    );
                    assert_eq!(request.status, Some(200), "{cell}");
                    let tunnels = scheme == "https" || !REQWEST.contains(&library);
                    assert_eq!(request.method, if tunnels { "CONNECT" } else { "GET" }, "{cell}");
                    let steering: Vec<_> = request
                        .headers
                        .iter()
                        .filter(|(name, _)| name.starts_with("x-proxymesh"))
                        .map(|(name, value)| (name.as_str(), value.as_str()))
                        .collect();
                    match *wish {
                        "country" => {
                            assert_eq!(steering, [("x-proxymesh-country", "DE")], "{cell}");
                            assert_eq!(request.country.as_deref(), Some("DE"), "{cell}");
                        }
                        "exit IP" => {
                            assert_eq!(steering, [("x-proxymesh-prefer-ip", EXIT)], "{cell}");
                            assert_eq!(request.exit_ip, Some(EXIT.parse().unwrap()), "{cell}");
                        }
                        _ => assert_eq!(steering, [], "{cell}"),
                    }
                    fetched += 1;
                }
            }
        }
    }
    // ureq: a token with any exit choice, and a country or an exit IP with any access, for both schemes.
    assert_eq!((fetched, refused), (94, 14));
}

#[test]
fn a_rotating_proxy_uses_many_exits_and_another_one_keeps_its_exit() {
    let (site, account) = (Site::start(), Account::start());
    let (proxy, _) = account.using(Access::Password);
    let pages: Vec<String> = repeat_n(site.url("https"), 50).collect();
    for library in LIBRARIES {
        for (rotating, tunnels, fewest, most) in [(true, 50, 20, 50), (false, 1, 1, 1)] {
            let is_adapted = REQWEST.contains(&library);
            let proxy = if rotating && is_adapted { proxy.clone().rotating() } else { proxy.clone() };
            for fetched in fetch_all(library, &proxy, &site, &pages, rotating, 10) {
                assert_eq!(fetched.unwrap(), 200);
            }
            let proxied = account.proxied();
            assert_eq!(proxied.len(), tunnels, "{library:?}");
            let exits: BTreeSet<_> = proxied.iter().map(|request| request.exit_ip.unwrap()).collect();
            assert!((fewest..=most).contains(&exits.len()), "{library:?}: {} exits", exits.len());
            let seen = site.seen();
            assert_eq!(seen.len(), 50, "{library:?}");
            assert_clean(&seen);
        }
        if !REQWEST.contains(&library) {
            let refused =
                fetch(library, &proxy.clone().rotating(), &site, &pages[0]).unwrap_err().to_string();
            let way_out = "and do not call rotating()";
            assert!(
                refused.starts_with("rotating: ") && refused.ends_with(way_out),
                "{library:?}: {refused}"
            );
        }
    }
}

#[test]
fn a_session_has_one_exit_over_any_number_of_tunnels() {
    let (site, account) = (Site::start(), Account::start());
    let (proxy, _) = account.using(Access::Password);
    for library in LIBRARIES.into_iter().filter(|library| *library != Library::Ureq3) {
        let session =
            proxymesh::blocking::session(&proxy, "proxymesh.com:443", Duration::from_secs(10)).unwrap();
        let held = session.exit_choice().held_ip().unwrap();
        account.proxied();
        for _ in 0..10 {
            for scheme in ["http", "https"] {
                assert_eq!(fetch(library, &session, &site, &site.url(scheme)).unwrap(), 200);
            }
        }
        let exits: Vec<_> = account.proxied().iter().map(|request| request.exit_ip.unwrap()).collect();
        assert_eq!(exits, [held; 20], "{library:?}");
        assert_clean(&site.seen());
    }
}

#[test]
fn a_redirect_that_would_send_something_to_the_wrong_end_is_refused() {
    let (site, account) = (Site::start(), Account::start());
    let (http, https) = (site.url("http"), site.url("https"));
    let (other_http, other_https) = (site.url_of("http", "other.test"), site.url_of("https", "other.test"));
    let (proxy, _) = account.using(Access::Password);
    let german = ExitChoice::new().country("DE").unwrap();
    let with_both = proxy.clone().steer(german.clone()).unwrap();
    let with_credentials = proxy.clone();
    let with_country = proxy.using(None).steer(german).unwrap();
    account.client.ips().add("127.0.0.1").unwrap();
    let with_nothing = with_country.clone().steer(ExitChoice::new()).unwrap();
    let told = "reqwest would send the proxy's headers to the site";
    let untold = "reqwest would not send the proxy's headers to the proxy";
    let unknown = "reqwest would not send the credentials to the proxy";
    for library in REQWEST {
        for (proxy, scheme, to, problem) in [
            (&with_both, "http", &https, Some(told)),
            (&with_credentials, "http", &https, Some(told)),
            (&with_country, "http", &https, Some(told)),
            (&with_country, "http", &other_https, Some(told)),
            (&with_both, "https", &http, Some(untold)),
            (&with_country, "https", &http, Some(untold)),
            (&with_credentials, "https", &other_http, Some(untold)),
            (&with_both, "http", &other_http, Some(unknown)),
            (&with_credentials, "http", &other_http, Some(unknown)),
            (&with_country, "http", &other_http, None),
            (&with_both, "http", &http, None),
            (&with_both, "https", &https, None),
            (&with_both, "https", &other_https, None),
            (&with_nothing, "http", &https, None),
            (&with_nothing, "https", &other_http, None),
        ] {
            let from = site.redirect(scheme, to);
            let case = format!("{library:?}: {:?}, {from}", proxy.exit_choice().wanted_country());
            let result = fetch(library, proxy, &site, &from);
            let (proxied, seen) = (account.proxied(), site.seen());
            assert_clean(&seen);
            let country = proxy.exit_choice().wanted_country();
            assert!(
                proxied.iter().all(|request| country.is_none() || request.country.as_deref() == country),
                "{case}"
            );
            match problem {
                None => {
                    assert_eq!(result.unwrap(), 200, "{case}");
                    assert_eq!(seen.len(), 2, "{case}");
                }
                Some(problem) => {
                    let (field, reason) = refusal(result);
                    assert_eq!(field, "redirect", "{case}");
                    assert!(
                        reason.starts_with(problem) && reason.ends_with(&format!("request {to} yourself")),
                        "{reason}"
                    );
                    assert_no_secret(&reason);
                    assert_eq!(seen.len(), 1, "{case}");
                }
            }
        }
    }
    // Tunnels carry every redirect.
    let from = site.redirect("http", &other_https);
    assert_eq!(fetch(Library::Ureq3, &with_credentials, &site, &from).unwrap(), 200);
    assert_eq!(fetch(Library::HyperUtil, &with_both, &site, &from).unwrap(), 302);
    let (proxied, seen) = (account.proxied(), site.seen());
    assert_eq!((proxied.len(), seen.len()), (3, 3));
    assert_clean(&seen);
}

/// If this fails, reqwest may have become safe, and the adapter stricter than necessary.
#[test]
fn without_the_adapter_a_redirect_makes_reqwest_send_the_proxys_headers_to_the_site() {
    macro_rules! leaked {
        ($reqwest:ident, $tls:ident, $site:ident, $proxy:ident) => {{
            let mut headers = $reqwest::header::HeaderMap::new();
            headers.insert("x-proxymesh-country", "DE".parse().unwrap());
            let proxy = $reqwest::Proxy::all($proxy.plain_url()).unwrap().headers(headers);
            let proxy = proxy.basic_auth(USERNAME, PASSWORD);
            let client = $reqwest::Client::builder().$tls($site.tls()).proxy(proxy).build().unwrap();
            let page = $site.redirect("http", &$site.url("https"));
            assert_eq!(runtime().block_on(client.get(page).send()).unwrap().status(), 200);
            let (scheme, head) = $site.seen().remove(1);
            assert_eq!(scheme, "https");
            ["x-proxymesh-country: DE", BASIC].map(|private| head.contains(private))
        }};
    }
    let (site, account) = (Site::start(), Account::start());
    let proxy = account.open.clone();
    assert_eq!(leaked!(reqwest_0_12, use_preconfigured_tls, site, proxy), [true, true]);
    assert_eq!(leaked!(reqwest, tls_backend_preconfigured, site, proxy), [true, false]);
}

#[test]
fn no_redirects_means_that_the_redirecting_response_is_returned() {
    let (site, account) = (Site::start(), Account::start());
    let (proxy, _) = account.using(Access::Password);
    for library in REQWEST {
        let pages = [site.redirect("http", &site.url("https"))];
        assert_eq!(fetch_all(library, &proxy, &site, &pages, false, 0).remove(0).unwrap(), 302);
        let twice = [site.redirect("https", &site.redirect("https", &site.url("https")))];
        let error = fetch_all(library, &proxy, &site, &twice, false, 1).remove(0).unwrap_err();
        assert!(format!("{error:?}").contains("TooManyRedirects"), "{error:?}");
    }
}

#[test]
fn a_refused_or_unreachable_proxy_is_never_bypassed() {
    let (site, account) = (Site::start(), Account::start());
    // The site can be reached without a proxy here.
    let pages = ["http", "https"].map(|scheme| site.url_of(scheme, "127.0.0.1"));
    let wrong = Credentials::basic(USERNAME, SecretString::from("wrong")).unwrap();
    let refused = account.open.clone().using(wrong);
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let nobody = format!("open.localhost:{}", listener.local_addr().unwrap().port());
    drop(listener);
    let unreachable = nobody.parse::<Proxy>().unwrap().using(Credentials::basic("me", "pw").unwrap());
    for library in LIBRARIES {
        for page in &pages {
            let result = fetch(library, &refused, &site, page);
            assert!(result.map_or(true, |status| status == 407), "{library:?}: {page}");
            assert!(fetch(library, &unreachable, &site, page).is_err(), "{library:?}: {page}");
        }
    }
    assert!(account.proxied().iter().all(|request| request.status == Some(407)));
    assert_eq!(site.seen(), []);
}

#[test]
fn an_http_page_without_a_port_is_fetched_from_port_80() {
    let (site, account) = (Site::start(), Account::start());
    let (proxy, _) = account.using(Access::Password);
    for library in LIBRARIES {
        // Whether somebody listens there does not matter.
        let _ = fetch(library, &proxy, &site, "http://site.test/");
        let tunnels = !REQWEST.contains(&library);
        let target = if tunnels { "site.test:80" } else { "http://site.test/" };
        assert_eq!(account.proxied()[0].target, target, "{library:?}");
    }
}

#[test]
fn another_proxy_of_the_builder_gets_nothing() {
    let (site, account) = (Site::start(), Account::start());
    let (proxy, _) = account.using(Access::Password);
    // Without a proxy, this crate's reqwest 0.13 takes the cryptography of the process.
    let _ = CryptoProvider::install_default(ring::default_provider());
    let other = site.url_of("http", "127.0.0.1");
    let old = reqwest_0_12::Proxy::all(&other).unwrap();
    let old = proxy.reqwest_0_12(reqwest_0_12::Client::builder().proxy(old), 10).unwrap();
    let new = reqwest::Proxy::all(&other).unwrap();
    let new = proxy.reqwest_0_13(reqwest::Client::builder().proxy(new), 10).unwrap();
    runtime().block_on(async {
        let patience = Duration::from_secs(20);
        assert_eq!(old.get(site.url("http")).timeout(patience).send().await.unwrap().status(), 200);
        assert_eq!(new.get(site.url("http")).timeout(patience).send().await.unwrap().status(), 200);
    });
    assert_eq!(account.proxied().len(), 2);
    assert_clean(&site.seen());
}
