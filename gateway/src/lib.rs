//! A local address through which any program uses the proxies of a ProxyMesh account.
//!
//! A program that knows only `http_proxy` cannot choose an exit, and a browser sends a proxy no header that a program sets. The
//! gateway can: it listens on this machine, as an HTTP proxy and as a SOCKS5 proxy on the same port, and passes each connection on
//! through one of the account's proxies, with the account's credentials and the exit that a [`Policy`] asks for.
//!
//! ```no_run
//! # async fn example(client: proxymesh::Client) -> Result<(), Box<dyn std::error::Error>> {
//! use proxymesh_gateway::{Gateway, Options, Policy};
//!
//! let gateway = Gateway::start(&client, Options::new().policy(Policy::rotate().country("DE")?)).await?;
//! println!("https_proxy={}", gateway.url());
//! gateway.stop(std::time::Duration::from_secs(10)).await;
//! # Ok(()) }
//! ```
//!
//! # What it does
//!
//! * If a proxy cannot be reached, or refuses a `CONNECT` with 402, 407, 500, 501, or 505 and above, the gateway tries others
//!   before the client hears of it. For an http page, it does so only as long as no part of a body was passed on. So no site gets a
//!   request twice.
//! * A response has the headers `X-ProxyMesh-IP`, the exit IP, and `X-ProxyMesh-Proxy`, the proxy's name.
//! * It renews the list of the account's proxies every five minutes, without ending a tunnel.
//!
//! # What it refuses
//!
//! * Targets in private networks, by address or by name, unless [`Options::allow_private`] is set. A public name that resolves to
//!   such an address is left for the proxy to refuse.
//! * Whatever two programs could read in two ways: a `Content-Length` beside a `Transfer-Encoding`, folded headers, a line that
//!   ends without CR, a second `Host`.
//! * To listen on an address that other machines can reach, unless there is a password.
#![forbid(unsafe_code)]

mod access;
pub mod blocking;
mod body;
mod control;
mod head;
mod plain;
mod policy;
mod record;
mod refusal;
mod serve;
mod socks;
mod target;
mod tunnel;
mod upstream;

pub use access::PortPolicy;
pub use policy::{Policy, PolicyError};
pub use record::Access;

use proxymesh::{Client, secrecy::SecretString};
use record::Log;
use serve::Shared;
use std::{
    fmt,
    future::Future,
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, atomic::Ordering},
    time::Duration,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Semaphore, watch},
    task::{JoinHandle, JoinSet},
};
use upstream::Upstream;

/// Why a gateway cannot start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An address cannot be used.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The system's reason.
        source: io::Error,
    },
    /// Other machines can reach an address, and there is no password.
    #[error("{0} is not a loopback address, so the gateway needs a password")]
    NeedsPassword(SocketAddr),
    /// A control port would be open to other machines.
    #[error("{0} is not a loopback address, which a control port must have")]
    OpenControl(SocketAddr),
    /// The client of a [`blocking::Gateway`] cannot be created.
    #[error("{0}")]
    Client(proxymesh::Error),
    /// The thread of a [`blocking::Gateway`] cannot start.
    #[error("cannot start the gateway's thread: {0}")]
    Thread(io::Error),
}

/// How a gateway works.
#[derive(Clone)]
pub struct Options {
    ports: Vec<(SocketAddr, PortPolicy)>,
    control: Option<SocketAddr>,
    password: Option<SecretString>,
    allow_private: bool,
    credentials: bool,
    budget: Duration,
    tries: u32,
    idle: Duration,
    most_connections: usize,
    log: Option<Log>,
}

impl Options {
    /// One free port on 127.0.0.1, on which every connection gets the next proxy.
    #[must_use]
    pub fn new() -> Self {
        Self {
            ports: Vec::new(),
            control: None,
            password: None,
            allow_private: false,
            credentials: true,
            budget: Duration::from_secs(20),
            tries: 3,
            idle: Duration::from_secs(300),
            most_connections: 2048,
            log: None,
        }
    }

    /// Adds a free port on 127.0.0.1 with this policy.
    #[must_use]
    pub fn policy(self, policy: Policy) -> Self {
        self.port((Ipv4Addr::LOCALHOST, 0), PortPolicy::Fixed(policy))
    }

    /// Adds a port. 0 stands for a free one.
    #[must_use]
    pub fn port(mut self, address: impl Into<SocketAddr>, policy: PortPolicy) -> Self {
        self.ports.push((address.into(), policy));
        self
    }

    /// Opens a port with `/metrics` and `/status`. It must be on a loopback address.
    #[must_use]
    pub fn control(mut self, address: impl Into<SocketAddr>) -> Self {
        self.control = Some(address.into());
        self
    }

    /// Requires this password, with any username that is a policy or empty.
    #[must_use]
    pub fn password(mut self, password: impl Into<SecretString>) -> Self {
        self.password = Some(password.into());
        self
    }

    /// Passes connections to private networks on, too.
    #[must_use]
    pub fn allow_private(mut self, allow: bool) -> Self {
        self.allow_private = allow;
        self
    }

    /// Whether the proxies get the account's credentials, as they do by default. They do not need them if this machine's IP is
    /// authorised.
    #[must_use]
    pub fn credentials(mut self, credentials: bool) -> Self {
        self.credentials = credentials;
        self
    }

    /// How long it may take until a proxy has accepted a connection; 20 seconds by default.
    #[must_use]
    pub fn budget(mut self, budget: Duration) -> Self {
        self.budget = budget;
        self
    }

    /// How many proxies are tried for a connection; 3 by default, and at least 1.
    #[must_use]
    pub fn tries(mut self, tries: u32) -> Self {
        self.tries = tries.max(1);
        self
    }

    /// How long a connection may be idle; 5 minutes by default.
    #[must_use]
    pub fn idle(mut self, idle: Duration) -> Self {
        self.idle = idle;
        self
    }

    /// How many connections of clients may be open; 2048 by default. Further ones are closed at once.
    #[must_use]
    pub fn max_connections(mut self, connections: usize) -> Self {
        self.most_connections = connections;
        self
    }

    /// Calls `log` when a connection ends. The function must neither block nor panic.
    #[must_use]
    pub fn log(mut self, log: impl Fn(&Access) + Send + Sync + 'static) -> Self {
        self.log = Some(Arc::new(log));
        self
    }
}

impl Default for Options {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("ports", &self.ports)
            .field("control", &self.control)
            .field("allow_private", &self.allow_private)
            .finish_non_exhaustive()
    }
}

/// A gateway that is running. It ends when this is dropped, and so do its connections.
#[derive(Debug)]
#[must_use = "dropping it ends the gateway"]
pub struct Gateway {
    addresses: Vec<SocketAddr>,
    control: Option<SocketAddr>,
    stopping: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

impl Gateway {
    /// Starts a gateway on the current runtime. It sends nothing before the first connection.
    ///
    /// # Errors
    ///
    /// If an address cannot be used, or if other machines could use it without a password.
    pub async fn start(client: &Client, options: Options) -> Result<Self, Error> {
        let mut ports = options.ports;
        if ports.is_empty() {
            ports.push(((Ipv4Addr::LOCALHOST, 0).into(), PortPolicy::Fixed(Policy::rotate())));
        }
        for (address, _) in &ports {
            if !address.ip().is_loopback() && options.password.is_none() {
                return Err(Error::NeedsPassword(*address));
            }
        }
        let mut listeners = Vec::new();
        for (address, policy) in ports {
            listeners.push((listen(address).await?, policy));
        }
        let control = match options.control {
            Some(address) if !address.ip().is_loopback() => return Err(Error::OpenControl(address)),
            Some(address) => Some(listen(address).await?),
            None => None,
        };
        let shared = Arc::new(Shared {
            upstream: Upstream::new(client, options.credentials, options.budget, options.tries),
            password: options.password,
            allow_private: options.allow_private,
            idle: options.idle,
            counters: Default::default(),
            log: options.log,
        });
        let (stopping, _) = watch::channel(false);
        let places = Arc::new(Semaphore::new(options.most_connections));
        let mut tasks = Vec::new();
        let addresses = listeners.iter().map(|((_, address), _)| *address).collect();
        for ((listener, _), policy) in listeners {
            let (shared, places, policy) = (shared.clone(), places.clone(), Arc::new(policy));
            let serve = move |client| {
                let (shared, policy, place) =
                    (shared.clone(), policy.clone(), places.clone().try_acquire_owned());
                async move {
                    match place {
                        Ok(_place) => shared.serve(client, &policy).await,
                        Err(_) => drop(shared.counters.refused_full.fetch_add(1, Ordering::Relaxed)),
                    }
                }
            };
            tasks.push(tokio::spawn(accept(listener, stopping.subscribe(), serve)));
        }
        let control_address = control.as_ref().map(|(_, address)| *address);
        if let Some((listener, address)) = control {
            let serve = move |client| {
                let shared = shared.clone();
                async move { control::serve(client, address, &shared).await }
            };
            tasks.push(tokio::spawn(accept(listener, stopping.subscribe(), serve)));
        }
        Ok(Self { addresses, control: control_address, stopping, tasks })
    }

    /// The URL of the first port, for `http_proxy` and `https_proxy`.
    #[must_use]
    pub fn url(&self) -> String {
        self.addresses.first().map(|address| format!("http://{address}")).unwrap_or_default()
    }

    /// The addresses of the ports, in the order of the options.
    #[must_use]
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// The address of the control port, if there is one.
    #[must_use]
    pub fn control(&self) -> Option<SocketAddr> {
        self.control
    }

    /// Refuses new connections, gives the open ones up to `grace` to end, and then closes those that are left.
    pub async fn stop(mut self, grace: Duration) {
        let _ = self.stopping.send(true);
        let tasks = std::mem::take(&mut self.tasks);
        let abort: Vec<_> = tasks.iter().map(JoinHandle::abort_handle).collect();
        let all = async {
            for task in tasks {
                let _ = task.await;
            }
        };
        let _ = tokio::time::timeout(grace, all).await;
        for task in abort {
            task.abort();
        }
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

async fn listen(address: SocketAddr) -> Result<(TcpListener, SocketAddr), Error> {
    let failed = |source| Error::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    Ok((listener, address))
}

/// Accepts connections until the gateway is stopping, and then waits for those that are open.
async fn accept<F: Future<Output = ()> + Send + 'static>(
    listener: TcpListener,
    mut stopping: watch::Receiver<bool>,
    serve: impl Fn(TcpStream) -> F,
) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            _ = stopping.changed() => break,
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
            accepted = listener.accept() => match accepted {
                Ok((client, _)) => drop(connections.spawn(serve(client))),
                // There may be no descriptor left. Trying again at once would keep a processor busy.
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            },
        }
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}
