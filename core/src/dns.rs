//! Looks up names with the system's resolver, on one thread per lookup. Tokio's own lookup panics if no thread can be started.

use crate::runtime::lack;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::{
    io,
    net::{IpAddr, SocketAddr, ToSocketAddrs as _, UdpSocket},
    thread,
};
use tokio::sync::oneshot;

pub(crate) struct System;

impl Resolve for System {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = look_up(name.as_str(), 0).await?;
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

/// The same, but prefers IPv4: the IPv4 addresses come first.
pub(crate) struct Ipv4First;

impl Resolve for Ipv4First {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let mut found = look_up(name.as_str(), 0).await?;
            found.sort_by_key(|address| !address.is_ipv4());
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

/// The addresses of a host.
pub(crate) async fn look_up(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    if let Ok(ip) = host.parse::<IpAddr>() {
        return Ok(vec![(ip, port).into()]);
    }
    let (give, given) = oneshot::channel();
    let host = host.to_owned();
    let look = move || drop(give.send(ask((&host, port))));
    thread::Builder::new().name("proxymesh-dns".into()).spawn(look).map_err(in_words)?;
    given.await.map_err(io::Error::other)?
}

fn ask(address: (&str, u16)) -> io::Result<Vec<SocketAddr>> {
    let found = address.to_socket_addrs();
    let found = found.map_err(|error| match UdpSocket::bind(("127.0.0.1", 0)) {
        // If no descriptors are left, the system cannot open what it needs for the lookup. It then reports that the name does
        // not exist.
        Err(bound) if lack(&bound).is_some() => in_words(bound),
        _ => error,
    });
    Ok(found?.collect())
}

fn in_words(error: io::Error) -> io::Error {
    lack(&error).map_or(error, io::Error::other)
}
