//! Passes on a request for an http page, which has no tunnel: the proxy reads it. One connection carries one request, so that no
//! request can hide in the body of another.

use crate::{
    body::Sending,
    head::{Body, Head, end_of},
    policy::Policy,
    record::Access,
    refusal::Refusal,
    target::Target,
    tunnel::Meter,
    upstream::{Blame, Upstream, blame},
};
use proxymesh::{Check, Outcome, Proxy, Report, secrecy::ExposeSecret as _};
use std::{
    io::{self, Write as _},
    net::IpAddr,
    sync::atomic::Ordering,
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

/// How many bytes the head of a response may have.
const LARGEST_HEAD: usize = 128 * 1024;
/// How many headers it may have.
const MOST_HEADERS: usize = 256;
/// The headers that are meant for this gateway, or for one connection.
const HOP_BY_HOP: [&str; 10] = [
    "connection",
    "expect",
    "host",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "upgrade",
];

/// An http request, and what the client has sent of its body.
pub(crate) struct Request<'a> {
    pub(crate) head: &'a Head,
    pub(crate) target: &'a Target,
    pub(crate) early: Vec<u8>,
}

/// Where the request for an http URL goes.
pub(crate) fn target(url: &str) -> Option<Target> {
    let (scheme, rest) = url.split_at_checked(7)?;
    let authority = rest.split(['/', '?', '#']).next().filter(|_| scheme.eq_ignore_ascii_case("http://"))?;
    Target::parse(authority, Some(80))
}

/// Passes the request on and the response back. If a proxy cannot be reached or refuses, tries another one, unless the proxy has been
/// sent a part of a body.
pub(crate) async fn forward(
    client: &mut TcpStream,
    request: Request<'_>,
    policy: &Policy,
    upstream: &Upstream,
    meter: &Meter,
    idle: Duration,
    access: &mut Access,
) -> Result<(), Refusal> {
    let Request { head, target, early } = request;
    let place = target.to_string();
    let mut search = upstream.search(policy, &place);
    let has_body = !matches!(head.body, Body::None | Body::Length(0));
    loop {
        let (proxy, left) = search.next().await?;
        let began = Instant::now();
        access.proxy = Some(proxy.name().to_owned());
        let mut site = match timeout(left, TcpStream::connect(proxy.address())).await {
            Ok(Ok(site)) => site,
            Ok(Err(error)) => {
                search.failed(proxy, 502, &format!("could not reach the proxy: {error}"), began.elapsed());
                continue;
            }
            Err(_) => {
                search.failed(proxy, 504, "could not reach the proxy in time", began.elapsed());
                continue;
            }
        };
        let of_proxy = |status, reason: &str| Refusal {
            proxy: Some(proxy.name().to_owned()),
            ..Refusal::new(status, reason)
        };
        let lost = |_| of_proxy(502, "the connection to the proxy was lost");
        let _ = site.set_nodelay(true);
        site.write_all(&request_head(head, &place, &proxy)).await.map_err(lost)?;
        let (mut from_client, mut to_client) = client.split();
        let (mut from_site, mut to_site) = site.split();
        if has_body && head.header("expect").is_some() {
            let _ = to_client.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await;
        }
        let mut body = Sending::new(&early, &mut from_client, &mut to_site, head.body, &meter.sent);
        let response = body.beside(timeout(idle, Response::read(&mut from_site))).await?;
        let response = response.map_err(|_| of_proxy(504, "no response in time"))?.map_err(lost)?;
        let is_refusal = response.is_refusal();
        if is_refusal {
            let refusal = search.failed(proxy, response.client_status(), &response.reason(), began.elapsed());
            if has_body {
                return Err(refusal);
            }
            continue;
        }
        upstream.pool().report(&proxy, Report::from(Outcome::Success).latency(began.elapsed()));
        access.opened();
        access.status = Some(response.status);
        access.exit_ip.clone_from(&response.exit_ip);
        let passed_on = async {
            to_client.write_all(&response.head(&proxy)).await?;
            copy(&response.rest, &mut from_site, &mut to_client, meter, idle).await
        };
        // The client notices a failure by the missing end.
        let _ = body.beside(passed_on).await?;
        return Ok(());
    }
}

/// Copies the body of a response until the connection ends.
async fn copy(
    early: &[u8],
    from: &mut (impl AsyncRead + Unpin),
    to: &mut (impl AsyncWrite + Unpin),
    meter: &Meter,
    idle: Duration,
) -> io::Result<()> {
    let mut buffer = vec![0; 16 * 1024];
    let mut bytes = early;
    loop {
        meter.received.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        timeout(idle, to.write_all(bytes)).await??;
        let read = timeout(idle, from.read(&mut buffer)).await??;
        bytes = buffer.get(..read).unwrap_or_default();
        if bytes.is_empty() {
            return to.shutdown().await;
        }
    }
}

/// The head for the proxy: with its own headers, and without those that were for the gateway.
fn request_head(head: &Head, place: &str, proxy: &Proxy) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(4096);
    let version = if head.is_old { "1.0" } else { "1.1" };
    let host = place.strip_suffix(":80").unwrap_or(place);
    let _ = write!(bytes, "{} {} HTTP/{version}\r\nHost: {host}\r\n", head.method, head.target);
    let named =
        head.header("connection").map(String::from_utf8_lossy).unwrap_or_default().to_ascii_lowercase();
    for (name, value) in &head.headers {
        let is_named = || named.split(',').any(|named| named.trim().eq_ignore_ascii_case(name));
        if is_hop_by_hop(name) || is_named() {
            continue;
        }
        header(&mut bytes, name, value);
    }
    for (name, value) in proxy.headers() {
        header(&mut bytes, name, value.expose_secret().as_bytes());
    }
    bytes.extend_from_slice(b"Connection: close\r\n\r\n");
    bytes
}

fn header(bytes: &mut Vec<u8>, name: &str, value: &[u8]) {
    for part in [name.as_bytes(), b": ", value, b"\r\n"] {
        bytes.extend_from_slice(part);
    }
}

fn is_hop_by_hop(name: &str) -> bool {
    HOP_BY_HOP.iter().any(|own| own.eq_ignore_ascii_case(name))
}

/// The head of a response.
struct Response {
    status: u16,
    phrase: String,
    headers: Vec<(String, Vec<u8>)>,
    exit_ip: Option<String>,
    /// Why the proxy itself refused.
    error: Option<String>,
    /// What was read of the body.
    rest: Vec<u8>,
}

impl Response {
    /// Reads the head of the final response.
    async fn read(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Self> {
        let mut seen = Vec::new();
        loop {
            let mut searched = 0;
            let end = loop {
                if let Some(end) = end_of(&seen, searched) {
                    break end;
                }
                searched = seen.len().saturating_sub(3);
                if seen.len() > LARGEST_HEAD || stream.read_buf(&mut seen).await? == 0 {
                    return Err(io::ErrorKind::InvalidData.into());
                }
            };
            let rest = seen.split_off(end);
            let response = Self::parse(&seen, rest)?;
            if response.status >= 200 {
                return Ok(response);
            }
            seen = response.rest;
        }
    }

    fn parse(bytes: &[u8], rest: Vec<u8>) -> io::Result<Self> {
        let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
        let mut response = httparse::Response::new(&mut headers);
        let whole = response.parse(bytes).is_ok_and(|read| read.is_complete());
        let status = response.code.filter(|_| whole).ok_or(io::ErrorKind::InvalidData)?;
        let headers: Vec<_> =
            response.headers.iter().map(|header| (header.name.to_owned(), header.value.to_vec())).collect();
        let text = |wanted: &str| {
            let found = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted));
            found.map(|(_, value)| String::from_utf8_lossy(value).into_owned())
        };
        let exit_ip = text("x-proxymesh-ip").filter(|ip| ip.parse::<IpAddr>().is_ok());
        let error = text("x-proxymesh-error");
        let phrase = response.reason.unwrap_or_default().to_owned();
        Ok(Self { status, phrase, exit_ip, error, headers, rest })
    }

    /// Whether the proxy itself has refused, and another one may not. A site can send a 402 too, but only a proxy sends a 407, or says
    /// why.
    fn is_refusal(&self) -> bool {
        self.status == 407 || (self.error.is_some() && blame(Some(self.status)) == Blame::Proxy)
    }

    /// A client would take a 407 for the gateway's.
    fn client_status(&self) -> u16 {
        if self.status == 407 { 502 } else { self.status }
    }

    fn reason(&self) -> String {
        let meaning = Check::meaning_of(self.status);
        // A proxy may echo what it was sent, so its own words stay here.
        meaning.to_owned()
    }

    /// The head for the client.
    fn head(&self, proxy: &Proxy) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(4096);
        let _ = write!(bytes, "HTTP/1.1 {} {}\r\n", self.status, self.phrase);
        for (name, value) in &self.headers {
            if !is_hop_by_hop(name) && !name.eq_ignore_ascii_case("x-proxymesh-proxy") {
                header(&mut bytes, name, value);
            }
        }
        let _ = write!(bytes, "X-ProxyMesh-Proxy: {}\r\nConnection: close\r\n\r\n", proxy.name());
        bytes
    }
}
