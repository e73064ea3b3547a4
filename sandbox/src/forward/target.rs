//! The target of a request, which must be on this machine.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use tokio::net::TcpStream;

/// The service's own name, which leads to the sandbox's API.
const SERVICE: &str = "proxymesh.com";

/// A host and port on this machine.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Target(Vec<SocketAddr>);

impl Target {
    /// Reads a host as it is written in a URL. `None` unless it is on this machine: a loopback address, `localhost`, a
    /// name under `.localhost` or `.test` (RFC 6761), or the service's name. No name is resolved.
    pub(super) fn new(host: &str, port: u16, service: SocketAddr) -> Option<Self> {
        let host = host.trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase();
        if host == SERVICE {
            return Some(Self(vec![service]));
        }
        let addresses: Vec<IpAddr> = match host.parse::<IpAddr>() {
            Ok(ip) if ip.to_canonical().is_loopback() => vec![ip],
            Ok(_) => return None,
            Err(_) => {
                let last = host.rsplit('.').next()?;
                if !["localhost", "test"].contains(&last) {
                    return None;
                }
                vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]
            }
        };
        Some(Self(addresses.into_iter().map(|ip| SocketAddr::new(ip, port)).collect()))
    }

    pub(super) async fn connect(&self) -> io::Result<TcpStream> {
        let mut failed = io::ErrorKind::AddrNotAvailable.into();
        for address in &self.0 {
            match TcpStream::connect(*address).await {
                Ok(stream) => {
                    stream.set_nodelay(true)?;
                    return Ok(stream);
                }
                Err(error) => failed = error,
            }
        }
        Err(failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_a_target() {
        let service: SocketAddr = "[::1]:4000".parse().unwrap();
        for host in
            ["127.0.0.1", "127.9.9.9", "[::1]", "::ffff:127.0.0.1", "localhost", "LOCALHOST", "a.b.test"]
        {
            assert!(Target::new(host, 80, service).is_some(), "{host}");
        }
        for host in [
            "192.0.2.1",
            "0.0.0.0",
            "[::]",
            "example.com",
            "test.example",
            "",
            "localhost.evil",
            "2130706433",
        ] {
            assert_eq!(Target::new(host, 80, service), None, "{host}");
        }
        assert_eq!(Target::new("proxymesh.com", 443, service), Some(Target(vec![service])));
    }
}
