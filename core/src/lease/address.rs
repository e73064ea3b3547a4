//! This machine's own address, as the service and its proxies see it.
//!
//! The environment's proxy is never used for this, not even if `trust_env` is set: a program connects to the service's proxies
//! directly, so that is the address to authorise (docs/assumptions.md, A27).

use super::CALL;
use crate::{
    client::Client,
    dns,
    error::{Error, Result},
    runtime::lack,
};
use reqwest::Url;
use std::{
    error::Error as _,
    fmt, io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    time::Duration,
};
use tokio::{net::TcpStream, time::timeout};

/// The time limit for finding out the address.
const LIMIT: Duration = Duration::from_secs(10);
/// The longest response that is read. An address has at most 45 characters.
const LONGEST: usize = 64;

/// A page that returns the requester's address as plain text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Page(Option<Url>);

impl Default for Page {
    /// `https://api.ipify.org`
    fn default() -> Self {
        Self(Url::parse("https://api.ipify.org").ok())
    }
}

impl Page {
    pub(super) fn new(url: &str) -> Result<Self> {
        let refused = |reason| Err(Error::validation("lookup", reason));
        if url.len() > 2000 {
            return refused("must be at most 2000 characters long");
        }
        match Url::parse(url) {
            Ok(url) if !url.username().is_empty() || url.password().is_some() => {
                refused("must not contain credentials")
            }
            Ok(url) if matches!(url.scheme(), "https" | "http") && url.has_host() => Ok(Self(Some(url))),
            _ => refused("must be the URL of a page, such as https://api.ipify.org"),
        }
    }
}

/// This machine's address, as the service sees it.
///
/// It looks at the local address of a connection to the service. If that address is public, or the service runs on this machine,
/// the service sees the same address. Otherwise there is a router in between, and the page is asked.
pub(super) async fn seen(client: &Client, page: &Page, call: &'static str) -> Result<IpAddr> {
    let found = async {
        let Ends { own, other } = connected(client).await?;
        if is_public(own) || other.is_loopback() {
            return Ok(own);
        }
        let said = ask(client, page).await?.to_canonical();
        // Authorising such an address would be useless, and the service would refuse it.
        if is_public(said) {
            Ok(said)
        } else {
            Err(format!("the lookup page says {said}, which is not a public address"))
        }
    };
    let found = timeout(LIMIT, found)
        .await
        .unwrap_or_else(|_| Err(format!("no response within {} s", LIMIT.as_secs())));
    found.map_err(|reason| {
        let hint = if call == CALL { "; pass it as ip=" } else { "" };
        let reason = format!("could not determine this machine's address ({reason}){hint}");
        Error::Connection { call, reason, attempts: 1 }
    })
}

/// The addresses of both ends of a connection.
struct Ends {
    own: IpAddr,
    other: IpAddr,
}

/// Connects to the service, over IPv4 if possible.
async fn connected(client: &Client) -> Result<Ends, String> {
    let url = Url::parse(client.base_url()).map_err(said)?;
    let host = url.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    let mut addresses =
        dns::look_up(host, url.port_or_known_default().unwrap_or(443)).await.map_err(|e| in_words(&e))?;
    addresses.sort_by_key(|address| !address.is_ipv4());
    let mut failed = format!("{host} has no address");
    for (tried, address) in addresses.iter().enumerate() {
        // An address that does not respond must leave time for the others.
        let left = u32::try_from(addresses.len() - tried).unwrap_or(u32::MAX);
        match timeout(LIMIT / (left + 1), TcpStream::connect(address)).await {
            Ok(Ok(stream)) => {
                let ends = stream.local_addr().and_then(|own| Ok((own.ip(), stream.peer_addr()?.ip())));
                let (own, other) = ends.map_err(|error| in_words(&error))?;
                return Ok(Ends { own: own.to_canonical(), other: other.to_canonical() });
            }
            Ok(Err(error)) => failed = in_words(&error),
            Err(_) => failed = format!("{address} does not respond"),
        }
    }
    Err(failed)
}

/// What the page says. It gets no credentials.
async fn ask(client: &Client, Page(page): &Page) -> Result<IpAddr, String> {
    let page = page.clone().ok_or("there is no page to ask")?;
    let secure = page.scheme() == "https";
    let builder = client.anonymous().map_err(said)?;
    let anonymous = builder.https_only(secure).build().map_err(deepest)?;
    let response = anonymous.get(page).send().await.and_then(reqwest::Response::error_for_status);
    let mut response = response.map_err(deepest)?;
    let mut text = Vec::new();
    while text.len() < LONGEST
        && let Some(part) = response.chunk().await.map_err(deepest)?
    {
        text.extend(part.iter().take(LONGEST - text.len()));
    }
    let address = std::str::from_utf8(&text).ok().and_then(|text| text.trim().parse().ok());
    address.ok_or_else(|| "the response of the lookup page is not an IP address".to_owned())
}

fn said(error: impl fmt::Display) -> String {
    error.to_string()
}

fn in_words(error: &io::Error) -> String {
    lack(error).map_or_else(|| error.to_string(), str::to_owned)
}

/// reqwest says only which URL failed. The reason is in the innermost error.
fn deepest(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut source = error.source();
    while let Some(inner) = source.and_then(|source| source.source()) {
        source = Some(inner);
    }
    match source {
        Some(inner) => match inner.downcast_ref() {
            Some(inner) => in_words(inner),
            None => inner.to_string(),
        },
        None => error.to_string(),
    }
}

/// Whether the address belongs to one machine in the whole internet (the special-purpose registries of IANA).
fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_public_v4(ip),
        IpAddr::V6(ip) => is_public_v6(ip),
    }
}

fn is_public_v4(ip: Ipv4Addr) -> bool {
    let special = match ip.octets() {
        [0 | 10 | 127, ..] | [169, 254, ..] | [192, 168, ..] | [192, 0, 0, _] => true,
        // Behind the router of a provider.
        [100, second, ..] => second & 0b1100_0000 == 64,
        [172, second, ..] => second & 0b1111_0000 == 16,
        [198, second, ..] if second & 0b1111_1110 == 18 => true,
        [first, ..] => first >= 224,
    };
    !special && !ip.is_documentation()
}

fn is_public_v6(ip: Ipv6Addr) -> bool {
    match ip.segments() {
        // Documentation, and addresses of tunnels.
        [0x2001, second, ..] => second >= 0x200 && second != 0xdb8,
        [0x3fff, second, ..] => second >= 0x1000,
        [0x2002, ..] => false,
        [first, ..] => first & 0xe000 == 0x2000,
    }
}

/// For tests.
#[cfg(feature = "testing")]
pub(crate) async fn asked(client: &Client, page: &str) -> Result<IpAddr, String> {
    ask(client, &Page::new(page).map_err(said)?).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_behind_a_router_is_not_public() {
        for private in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "169.254.1.1",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.168.1.5",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.1",
            "203.0.113.7",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "fe80::1",
            "fd00::1",
            "2001:db8::7",
            "2001::1",
            "2002:c000:204::1",
            "3fff:fff::1",
        ] {
            assert!(!is_public(private.parse().unwrap()), "{private}");
        }
        for public in [
            "1.1.1.1",
            "100.63.0.1",
            "100.128.0.1",
            "172.15.0.1",
            "172.32.0.1",
            "192.1.0.1",
            "198.17.0.1",
            "198.20.0.1",
            "223.255.255.255",
            "2001:4860::8888",
            "2a00:1450::1",
        ] {
            assert!(is_public(public.parse().unwrap()), "{public}");
        }
    }

    #[test]
    fn a_lookup_page_is_a_url_without_credentials() {
        for bad in ["", "nowhere", "ftp://page.example", "https://", "https://u:p@page.example", "file:///x"]
        {
            let error = Page::new(bad).unwrap_err();
            assert!(matches!(error, Error::Validation { field: "lookup", .. }), "{bad}: {error}");
        }
        assert_eq!(Page::new("https://api.ipify.org").unwrap(), Page::default());
        assert!(Page::new("http://127.0.0.1:1/ip").is_ok());
    }
}
