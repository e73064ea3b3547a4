//! Names are looked up by the system, in a thread for each: tokio's own way panics where no thread can be had.

use crate::runtime::lack;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::{
    io,
    net::{SocketAddr, ToSocketAddrs as _, UdpSocket},
    thread,
};
use tokio::sync::oneshot;

pub(super) struct System;

impl Resolve for System {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let (give, given) = oneshot::channel();
            let look = move || drop(give.send(look_up(name.as_str())));
            thread::Builder::new().name("proxymesh-dns".into()).spawn(look).map_err(in_words)?;
            let found = given.await.map_err(io::Error::other)??;
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

fn look_up(host: &str) -> io::Result<Vec<SocketAddr>> {
    let found = (host, 0).to_socket_addrs();
    let found = found.map_err(|error| match UdpSocket::bind(("127.0.0.1", 0)) {
        // The system then says that there is no such name, as it could not open what it looks in.
        Err(bound) if lack(&bound).is_some() => in_words(bound),
        _ => error,
    });
    Ok(found?.collect())
}

fn in_words(error: io::Error) -> io::Error {
    lack(&error).map_or(error, io::Error::other)
}
