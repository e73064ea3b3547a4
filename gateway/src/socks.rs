//! SOCKS5: RFC 1928, `CONNECT` only, and the passwords of RFC 1929.

use crate::{access::Given, refusal::Refusal, target::Target};
use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

/// How long a client may take to say what it wants.
const PATIENCE: Duration = Duration::from_secs(30);
const VERSION: u8 = 5;
const NO_PASSWORD: u8 = 0;
const PASSWORD: u8 = 2;
const NO_METHOD: u8 = 0xff;

/// Why there is no request to pass on.
pub(crate) enum Ended {
    /// The client has gone, or speaks something else.
    Gone,
    Refused(Refusal),
}

impl From<io::Error> for Ended {
    fn from(_: io::Error) -> Self {
        Self::Gone
    }
}

/// Reads the request. `check` decides about the username and the password. The version's byte was read before.
pub(crate) async fn request<P>(
    stream: &mut TcpStream,
    check: impl Fn(Option<Given<'_>>) -> Result<P, Refusal>,
) -> Result<(Target, P), Ended> {
    timeout(PATIENCE, read(stream, check)).await.unwrap_or(Err(Ended::Gone))
}

async fn read<P>(
    stream: &mut TcpStream,
    check: impl Fn(Option<Given<'_>>) -> Result<P, Refusal>,
) -> Result<(Target, P), Ended> {
    let methods = text(stream).await?;
    let policy = if methods.contains(&PASSWORD) {
        stream.write_all(&[VERSION, PASSWORD]).await?;
        if stream.read_u8().await? != 1 {
            return Err(Ended::Gone);
        }
        let (username, password) = (text(stream).await?, text(stream).await?);
        let given = Given { username: &username, password: &password };
        let checked = check((!username.is_empty() || !password.is_empty()).then_some(given));
        stream.write_all(&[1, u8::from(checked.is_err())]).await?;
        checked.map_err(Ended::Refused)?
    } else {
        let checked = check(None).and_then(|policy| {
            let offered = methods.contains(&NO_PASSWORD);
            offered
                .then_some(policy)
                .ok_or_else(|| Refusal::new(407, "the client offers no method that is known"))
        });
        stream.write_all(&[VERSION, if checked.is_ok() { NO_PASSWORD } else { NO_METHOD }]).await?;
        checked.map_err(Ended::Refused)?
    };
    let mut head = [0; 4];
    stream.read_exact(&mut head).await?;
    let [version, command, _, kind] = head;
    if version != VERSION {
        return Err(Ended::Gone);
    }
    let host = match kind {
        1 => Ok(IpAddr::V4(Ipv4Addr::from_bits(stream.read_u32().await?))),
        4 => Ok(IpAddr::V6(Ipv6Addr::from_bits(stream.read_u128().await?))),
        3 => Err(text(stream).await?),
        _ => return Err(refuse(stream, 8, Refusal::new(400, "the kind of address is unknown")).await),
    };
    let port = stream.read_u16().await?;
    if command != 1 {
        return Err(refuse(stream, 7, Refusal::new(405, "only CONNECT is supported")).await);
    }
    let target = match host {
        Ok(ip) => Target::of(ip, port),
        Err(name) => std::str::from_utf8(&name).ok().and_then(|name| Target::new(name, port)),
    };
    match target {
        Some(target) => Ok((target, policy)),
        None => Err(refuse(stream, 1, Refusal::new(400, "the target is not a host and a port")).await),
    }
}

/// A text with its length in front.
async fn text(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut text = vec![0; stream.read_u8().await?.into()];
    stream.read_exact(&mut text).await?;
    Ok(text)
}

async fn refuse(stream: &mut TcpStream, code: u8, refusal: Refusal) -> Ended {
    let _ = answer(stream, code).await;
    Ended::Refused(refusal)
}

/// Tells the client how its request went: 0 if there is a tunnel. The address is never known here.
pub(crate) async fn answer(stream: &mut TcpStream, code: u8) -> io::Result<()> {
    stream.write_all(&[VERSION, code, 0, 1, 0, 0, 0, 0, 0, 0]).await
}

/// The code of RFC 1928 for a refusal.
pub(crate) fn code_of(refusal: &Refusal) -> u8 {
    match refusal.status {
        403 | 407 => 2,
        502 => 4,
        504 => 6,
        _ => 1,
    }
}
