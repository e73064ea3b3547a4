//! Where a client wants to go, and whether it may.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};
use url::Host;

/// A host and a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    host: Host,
    port: u16,
}

impl Target {
    /// Reads `host:port`. Without a port, it is `default`, if there is one. A host that a browser would read as an address, such as
    /// `127.1`, is one here too.
    pub(crate) fn parse(text: &str, default: Option<u16>) -> Option<Self> {
        let (host, port) = match text.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => {
                let digits = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
                (host, digits.then(|| port.parse().ok()).flatten()?)
            }
            _ => (text, default?),
        };
        Self::new(host, port)
    }

    pub(crate) fn new(host: &str, port: u16) -> Option<Self> {
        // `Host` would decode these.
        if port == 0 || host.len() > 255 || !host.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'%')
        {
            return None;
        }
        Some(Self { host: Host::parse(host).ok()?, port })
    }

    pub(crate) fn of(ip: IpAddr, port: u16) -> Option<Self> {
        let host = match ip {
            IpAddr::V4(ip) => Host::Ipv4(ip),
            IpAddr::V6(ip) => Host::Ipv6(ip),
        };
        (port != 0).then_some(Self { host, port })
    }

    /// Whether this is a place in a private network, which a proxy elsewhere could not mean: by its address, or by a name that only
    /// private networks have.
    pub(crate) fn is_private(&self) -> bool {
        match &self.host {
            Host::Ipv4(ip) => is_private_v4(*ip),
            Host::Ipv6(ip) => is_private_v6(*ip),
            Host::Domain(name) => {
                let name = name.trim_end_matches('.');
                // Such a name has no public meaning.
                let Some((_, last)) = name.rsplit_once('.') else { return true };
                matches!(last, "localhost" | "local" | "internal" | "lan" | "home" | "corp")
                    || name.ends_with(".home.arpa")
            }
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

/// Every block that RFC 6890 and its registry do not call global.
fn is_private_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    matches!(
        (a, b, c),
        (0 | 10 | 127 | 224..=255, ..)
            | (100, 64..=127, _)
            | (169, 254, _)
            | (172, 16..=31, _)
            | (192, 0, 0 | 2)
            | (192, 168, _)
            | (198, 18 | 19, _)
            | (198, 51, 100)
            | (203, 0, 113)
    )
}

fn is_private_v6(ip: Ipv6Addr) -> bool {
    let segments = ip.segments();
    let embedded = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        is_private_v4(Ipv4Addr::new(a, b, c, d))
    };
    match segments {
        // unspecified, loopback, and IPv4 inside IPv6
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low] => embedded(high, low),
        // translated by NAT64
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => embedded(high, low),
        // Teredo, documentation, and everything outside of 2000::/3
        [0x2001, 0 | 0xdb8, ..] => true,
        [first, ..] => first & 0xe000 != 0x2000,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn private_places_are_known_in_every_spelling() {
        for host in [
            "127.0.0.1",
            "127.1",
            "2130706433",
            "0x7f000001",
            "0177.0.0.1",
            "0",
            "10.1.2.3",
            "172.31.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "[::1]",
            "[::]",
            "[::ffff:127.0.0.1]",
            "[fe80::1]",
            "[fd00::1]",
            "[ff02::1]",
            "[64:ff9b::7f00:1]",
            "[2002:7f00:1::]",
            "[::7f00:1]",
            "localhost",
            "LOCALHOST",
            "localhost.",
            "a.localhost",
            "router",
            "printer.local",
            "metadata.google.internal",
            "box.home.arpa",
            "255.255.255.255",
            "203.0.113.7",
        ] {
            assert!(Target::parse(&format!("{host}:80"), None).unwrap().is_private(), "{host}");
        }
        for host in [
            "example.com",
            "8.8.8.8",
            "172.32.0.1",
            "[2606:4700::1111]",
            "localhost.example.com",
            "site.test",
            "xn--bcher-kva.example",
        ] {
            assert!(!Target::parse(&format!("{host}:80"), None).unwrap().is_private(), "{host}");
        }
    }

    #[test]
    fn a_target_is_a_host_and_a_port() {
        let text = |text: &str, default| Target::parse(text, default).map(|target| target.to_string());
        assert_eq!(text("Example.com:443", None).unwrap(), "example.com:443");
        assert_eq!(text("[2606:4700::1111]", Some(80)).unwrap(), "[2606:4700::1111]:80");
        assert_eq!(text("example.com", Some(80)).unwrap(), "example.com:80");
        for bad in [
            "example.com",
            "example.com:",
            "example.com:0",
            "example.com:65536",
            "example.com:+80",
            ":80",
            "a b:80",
            "me@example.com:80",
            "example.com/:80",
            "1:2:3:80",
            "[::1:80",
            "256.1.1.1:80",
            "exa%6dple.com:80",
            "example.com\r\n:80",
        ] {
            assert_eq!(text(bad, None), None, "{bad:?}");
        }
    }
}
