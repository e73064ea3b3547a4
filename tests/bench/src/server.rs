//! A keep-alive server that uses almost no CPU, so that the benchmark measures the clients. It has one thread, which runs on
//! the core that `bench.py` chooses. It has three ports: plain HTTP, TLS, and plain HTTP with a delay.

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer},
};
use std::{
    error::Error,
    fs,
    io::{self, Read as _, Write as _},
    net::Ipv4Addr,
    path::Path,
    process,
    sync::Arc,
    thread,
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::TcpListener,
    runtime,
};
use tokio_rustls::TlsAcceptor;

/// The delay of the slow port.
const SLOW: Duration = Duration::from_millis(20);

/// The service's response to `GET /api/sub/get/?username=x`.
const SUB_ACCOUNT: &str = r#"{"username": "x", "active": true, "monthly_bandwidth": 12.5, "total_bandwidth": 340.75, "monthly_bandwidth_limit": 50, "total_bandwidth_limit": 0, "first_name": "Ada", "last_name": "Lovelace", "email": "ada@example.com"}"#;

/// The headers that a Django application behind nginx sends.
const HEADERS: &str = "Server: nginx/1.24.0\r\nDate: Mon, 23 Nov 2026 13:00:00 GMT\r\n\
    Content-Type: application/json\r\nConnection: keep-alive\r\nVary: Accept, Cookie\r\n\
    Allow: GET, HEAD, OPTIONS\r\nX-Frame-Options: DENY\r\nX-Content-Type-Options: nosniff\r\n\
    Referrer-Policy: same-origin\r\nStrict-Transport-Security: max-age=31536000\r\n";

/// Prints its three ports as one line of JSON, and serves until its standard input ends.
pub(crate) fn run(ca_file: &Path) -> Result<(), Box<dyn Error>> {
    let tls = certificate(ca_file)?;
    thread::spawn(|| {
        let _ = io::stdin().read_to_end(&mut Vec::new());
        process::exit(0);
    });
    runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        let (plain, secure, slow) = (listen().await?, listen().await?, listen().await?);
        writeln!(
            io::stdout(),
            r#"{{"plain": {}, "tls": {}, "slow": {}}}"#,
            plain.local_addr()?.port(),
            secure.local_addr()?.port(),
            slow.local_addr()?.port()
        )?;
        tokio::spawn(accept(secure, Some(tls), None));
        tokio::spawn(accept(slow, None, Some(SLOW)));
        accept(plain, None, None).await;
        Ok(())
    })
}

async fn listen() -> io::Result<TcpListener> {
    TcpListener::bind(("127.0.0.1", 0)).await
}

/// A certificate for localhost. Its CA is written to `ca_file`, which the clients trust.
fn certificate(ca_file: &Path) -> Result<TlsAcceptor, Box<dyn Error>> {
    let mut authority = CertificateParams::default();
    authority.distinguished_name.push(DnType::CommonName, "proxymesh benchmark");
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    // Without these, Python 3.13 and later refuse the CA (ssl.VERIFY_X509_STRICT).
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let authority_key = KeyPair::generate()?;
    fs::write(ca_file, authority.self_signed(&authority_key)?.pem())?;

    let mut leaf = CertificateParams::new(["localhost".to_owned()])?;
    leaf.use_authority_key_identifier_extension = true;
    let key = KeyPair::generate()?;
    let certificate = leaf.signed_by(&key, &Issuer::from_params(&authority, &authority_key))?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(
            vec![CertificateDer::from(certificate)],
            PrivateKeyDer::try_from(key.serialize_der())?,
        )?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

async fn accept(listener: TcpListener, tls: Option<TlsAcceptor>, delay: Option<Duration>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        let _ = stream.set_nodelay(true);
        let tls = tls.clone();
        // Errors are ignored here, because the client reports them.
        tokio::spawn(async move {
            match tls {
                None => serve(stream, delay).await,
                Some(tls) => serve(tls.accept(stream).await?, delay).await,
            }
        });
    }
}

/// Responds to one request after another until the client closes the connection. A GET has no body, so a request ends with
/// its headers.
async fn serve(mut stream: impl AsyncRead + AsyncWrite + Unpin, delay: Option<Duration>) -> io::Result<()> {
    let found = ok(SUB_ACCOUNT);
    let mut received = Vec::with_capacity(8192);
    loop {
        let end = loop {
            if let Some(at) = received.windows(4).position(|four| four == b"\r\n\r\n") {
                break at + 4;
            }
            if stream.read_buf(&mut received).await? == 0 {
                return Ok(());
            }
        };
        let request = String::from_utf8_lossy(received.get(..end).unwrap_or_default());
        let list = list(&request);
        let answer = list.as_deref().unwrap_or(refusal(&request).unwrap_or(&found));
        received.drain(..end);
        if let Some(delay) = delay {
            tokio::time::sleep(delay).await;
        }
        stream.write_all(answer.as_bytes()).await?;
        stream.flush().await?;
    }
}

fn ip(n: u32) -> Ipv4Addr {
    Ipv4Addr::from_bits(0xCB00_7100 + 7919 * n)
}

fn ok(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\n{HEADERS}Content-Length: {}\r\n\r\n{body}", body.len())
}

/// The response to a call for a list, which has 10,000 items.
fn list(request: &str) -> Option<String> {
    let path = request.strip_prefix("GET ")?.split(' ').next()?;
    let items = |item: fn(u32) -> String| (0..10_000).map(item).collect::<Vec<_>>().join(", ");
    match path {
        "/api/ips/" => Some(format!(r#"{{"ips": [{}]}}"#, items(|n| format!(r#""{}""#, ip(n))))),
        "/api/ip_labels/" => {
            Some(format!("[{}]", items(|n| format!(r#"{{"ip": "{}", "label": "office {n}"}}"#, ip(n)))))
        }
        "/api/proxies/" => {
            Some(format!(r#"{{"proxies": [{}]}}"#, items(|n| format!(r#""us-{n}.proxymesh.com:31280""#))))
        }
        _ => None,
    }
    .map(|body| ok(&body))
}

/// The response to any request other than the measured one. A client that gets it fails, so it cannot skip part of the call.
fn refusal(request: &str) -> Option<&'static str> {
    if !request.starts_with("GET /api/sub/get/?username=x HTTP/1.1\r\n") {
        Some("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
    } else if !request.contains(": Basic dXNlcjpwYXNz\r\n") {
        Some("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n")
    } else {
        None
    }
}
