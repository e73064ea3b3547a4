//! Checks whether a proxy accepts a connection, with one `CONNECT`.

use super::Proxy;
use crate::{
    credentials::Credentials,
    dns,
    error::{Error, Result},
    redact::Redactor,
    runtime::lack,
};
use httparse::ParserConfig;
use secrecy::ExposeSecret;
use std::{
    fmt::Write as _,
    io,
    net::IpAddr,
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use zeroize::Zeroizing;

/// How many bytes of a response's head are read at most.
const LARGEST_HEAD: usize = 16 * 1024;
/// How many bytes of the proxy's own reason are kept.
const LONGEST_REASON: usize = 200;

/// The result of one `CONNECT` to a proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Check {
    /// Whether the proxy responded.
    pub reachable: bool,
    /// The status of its response; `None` if it did not respond. 200 means that it opened a tunnel.
    pub status: Option<u16>,
    /// The exit IP, from the header `X-ProxyMesh-IP` of the response, if it is there.
    pub exit_ip: Option<String>,
    /// Whether the proxy does not have the exit IP that the exit choice prefers, from the header `X-ProxyMesh-IP-Not-Found`. It then
    /// uses another one (docs/assumptions.md, A26).
    pub preferred_ip_is_gone: bool,
    /// Why the proxy refused, in its own words, from the header `X-ProxyMesh-Error` (docs/assumptions.md, A25). It may contain
    /// anything, but it is one short line.
    pub error: Option<String>,
    /// The time from the start of the connection to the response or the failure.
    pub latency: Duration,
    /// What the result means, and what to do about it.
    pub meaning: String,
    /// Whether the time limit ended it.
    pub(super) timed_out: bool,
}

impl Check {
    /// The check of a proxy that did not respond.
    fn silent(latency: Duration, meaning: String) -> Self {
        let (reachable, preferred_ip_is_gone) = (false, false);
        let (status, exit_ip, error, timed_out) = (None, None, None, false);
        Self { reachable, status, exit_ip, preferred_ip_is_gone, error, latency, meaning, timed_out }
    }

    /// Whether you can use the proxy: it responded with 200.
    #[must_use]
    pub fn ok(&self) -> bool {
        self.status == Some(200)
    }

    /// What this status means in a proxy's response, and what to do about it (docs/api.md, "Status codes").
    #[must_use]
    pub fn meaning_of(status: u16) -> &'static str {
        match status {
            200 => "the proxy accepted the connection",
            400 => "the proxy does not understand the request, or has no exit that matches it",
            402 => "the sub-account is deactivated: activate it",
            403 => "the proxy refuses to connect to that target",
            407 => {
                "the proxy does not recognise you: the credentials are wrong, or none were sent and this machine's IP \
                 or hostname is not authorised, or the account has not authorised this proxy"
            }
            429 => "too many requests: wait before you try again",
            502..=504 => "the proxy could not reach the target",
            509 => {
                "the bandwidth limit of the sub-account or the account has been reached: raise it, or wait for the next billing period"
            }
            500..=599 => "the proxy reported a server error",
            _ => "the proxy returned an undocumented status",
        }
    }
}

impl Proxy {
    /// Checks the proxy: asks it to open a tunnel to `target`, such as `proxymesh.com:443`, and closes the tunnel. A refusal, an
    /// unreachable proxy and a time-out are results, not errors. The target sees a connection, but receives no data. For code
    /// without async, there is [`blocking::check`](crate::blocking::check).
    ///
    /// # Errors
    ///
    /// [`Error::Validation`] if the target is not `host:port`.
    pub async fn check(&self, target: &str, timeout: Duration) -> Result<Check> {
        Ok(self.tunnel(target, timeout).await?.check)
    }

    /// Asks the proxy to open a tunnel to `target`. If it does, this is the tunnel. `ProxyTunnel` is for clients that open a tunnel
    /// themselves.
    pub(crate) async fn tunnel(&self, target: &str, timeout: Duration) -> Result<Tunnel> {
        let good = target.rsplit_once(':').is_some_and(|(host, port)| {
            let printable = host.bytes().all(|b| b.is_ascii_graphic() && !b"/@?#".contains(&b));
            !host.is_empty()
                && host.len() <= 255
                && printable
                && port.parse::<u16>().is_ok_and(|port| port > 0)
        });
        if !good {
            return Err(Error::validation("target", "must be host:port, such as proxymesh.com:443"));
        }
        let mut request = Zeroizing::new(format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n"));
        for (name, value) in self.headers() {
            let _ = write!(request, "{name}: {}\r\n", value.expose_secret());
        }
        request.push_str("\r\n");
        let began = Instant::now();
        let asked = tokio::time::timeout(timeout, ask(self.address(), request.as_bytes())).await;
        let latency = began.elapsed();
        let silent = |meaning: String| Check::silent(latency, meaning).into();
        Ok(match asked {
            Err(_) => {
                let meaning = format!("no response within {} s", timeout.as_secs_f64());
                Check { timed_out: true, ..Check::silent(latency, meaning) }.into()
            }
            Ok(Err(error)) => {
                let reason = lack(&error).map_or_else(|| error.to_string(), str::to_owned);
                silent(format!("could not reach the proxy: {reason}"))
            }
            Ok(Ok((mut head, stream))) => match read(&head, self.credentials()) {
                None => silent("the server at this address is not an HTTP proxy".to_owned()),
                Some(check) => {
                    let check = Check { latency, ..check };
                    let early = end_of(&head).map(|end| head.split_off(end));
                    let stream = early.filter(|_| check.ok()).map(|early| (stream, early));
                    Tunnel { check, stream }
                }
            },
        })
    }
}

/// The result of one `CONNECT`.
pub struct Tunnel {
    /// What the proxy's response said.
    pub check: Check,
    /// The tunnel, and what the target has sent already, if the proxy has opened it.
    pub stream: Option<(TcpStream, Vec<u8>)>,
}

impl From<Check> for Tunnel {
    /// No tunnel.
    fn from(check: Check) -> Self {
        Self { check, stream: None }
    }
}

async fn ask(address: (&str, u16), request: &[u8]) -> io::Result<(Vec<u8>, TcpStream)> {
    let (host, port) = address;
    let mut stream = TcpStream::connect(&*dns::look_up(host, port).await?).await?;
    stream.write_all(request).await?;
    let mut head = Vec::new();
    while head.len() < LARGEST_HEAD && end_of(&head).is_none() {
        if stream.read_buf(&mut head).await? == 0 {
            break;
        }
    }
    if head.is_empty() { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok((head, stream)) }
}

/// Where the head of a response ends.
fn end_of(head: &[u8]) -> Option<usize> {
    Some(head.windows(4).position(|end| end == b"\r\n\r\n")? + 4)
}

/// What the head of a response says. A head that is truncated, or malformed after its first line, still has its status.
fn read(head: &[u8], credentials: Option<&Credentials>) -> Option<Check> {
    let mut headers = [httparse::EMPTY_HEADER; 128];
    let mut response = httparse::Response::new(&mut headers);
    let read =
        ParserConfig::default().ignore_invalid_headers_in_responses(true).parse_response(&mut response, head);
    let status = response.code.filter(|status| (100..=599).contains(status))?;
    let headers = if read.is_ok() { &*response.headers } else { &[] };
    let header = |name: &str| headers.iter().find(|header| header.name.eq_ignore_ascii_case(name));
    let exit_ip = header("x-proxymesh-ip").and_then(|header| std::str::from_utf8(header.value).ok());
    let error = header("x-proxymesh-error").map(|header| {
        // A proxy may echo what it was sent.
        let secrets = credentials.map(Credentials::secrets).unwrap_or_default();
        Redactor::new(secrets.iter()).one_line(&String::from_utf8_lossy(header.value), LONGEST_REASON)
    });
    Some(Check {
        reachable: true,
        status: Some(status),
        // Anything other than an address is useless, and could be arbitrary text.
        exit_ip: exit_ip.filter(|ip| ip.parse::<IpAddr>().is_ok()).map(str::to_owned),
        preferred_ip_is_gone: header("x-proxymesh-ip-not-found").is_some(),
        error: error.filter(|error| !error.is_empty()),
        ..Check::silent(Duration::ZERO, Check::meaning_of(status).to_owned())
    })
}
