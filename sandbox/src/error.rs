//! What can go wrong when a sandbox is started or controlled.

use std::io;
use std::net::SocketAddr;

/// Why a sandbox could not be started, or a control was refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The address could not be bound.
    #[error("cannot listen on {address}: {}", listen_reason(source))]
    Listen {
        /// The requested `host:port`.
        address: String,
        /// The operating system's error.
        source: io::Error,
    },
    /// Others could reach the sandbox with the published default password.
    #[error(
        "password: others can reach {}, and the default password is published; set one of your own \
         (PROXYMESH_SANDBOX_PASSWORD or --password if you run the program), or listen on 127.0.0.1",
        address.ip()
    )]
    PublishedPassword {
        /// The address that the sandbox would have listened on.
        address: SocketAddr,
    },
    /// The server's thread could not be started.
    #[error("cannot start the sandbox: {0}")]
    Start(#[source] io::Error),
    /// Neither the parent nor a sub-account has this username.
    #[error("there is no account '{0}'")]
    UnknownAccount(String),
    /// An invalid setting, fault or other value. The text says which one, and why.
    #[error("{0}")]
    Invalid(String),
}

/// The most common reasons, in the same words on every platform.
fn listen_reason(source: &io::Error) -> String {
    match source.kind() {
        io::ErrorKind::AddrInUse => "address already in use".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        io::ErrorKind::AddrNotAvailable => "this machine does not have that address".to_owned(),
        _ => source.to_string(),
    }
}
