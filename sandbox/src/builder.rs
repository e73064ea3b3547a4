//! Sets up and starts a sandbox.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use tokio::runtime;
use tokio::sync::watch;

use crate::Error;
use crate::forward;
use crate::plan::Plan;
use crate::sandbox::Sandbox;
use crate::server;
use crate::service::input::{self, PUBLISHED_PASSWORD};
use crate::shared::Shared;
use crate::state::proxies::{CATALOGUE, Ports};
use crate::state::settings::Settings;
use crate::world::World;

impl Sandbox {
    /// Starts a sandbox on a free port of 127.0.0.1, with the username `parent`, the password
    /// `parent-password` and the plan ProxyMesh 50. It accepts connections when this returns.
    ///
    /// # Errors
    ///
    /// [`Error::Listen`] if no port is free, [`Error::Start`] if no thread can be started.
    pub fn start() -> Result<Self, Error> {
        Self::builder().start()
    }

    /// Returns a builder, which starts a sandbox with other settings.
    pub fn builder() -> Builder {
        Builder::default()
    }
}

/// The settings for a new sandbox.
#[derive(Debug, Clone)]
#[must_use]
pub struct Builder {
    settings: Settings,
    host: String,
    port: u16,
    keep_alive: Option<Duration>,
    proxies: bool,
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            settings: Settings {
                username: "parent".to_owned(),
                password: PUBLISHED_PASSWORD.to_owned(),
                plan: Plan::default(),
                monthly_limit: 0,
                ports: None,
                exposed: false,
            },
            host: "127.0.0.1".to_owned(),
            port: 0,
            keep_alive: None,
            proxies: false,
        }
    }
}

impl Builder {
    /// Sets the parent account's username. The default is `parent`.
    pub fn username(mut self, username: impl Into<String>) -> Self {
        self.settings.username = username.into();
        self
    }

    /// Sets the parent account's password. The default is `parent-password`.
    pub fn password(mut self, password: impl Into<String>) -> Self {
        self.settings.password = password.into();
        self
    }

    /// Sets the plan. The default is ProxyMesh 50.
    pub fn plan(mut self, plan: Plan) -> Self {
        self.settings.plan = plan;
        self
    }

    /// Sets the address or host name to listen on. The default is 127.0.0.1. On an address that is not loopback, [the
    /// sandbox requires a password of your own](crate#away-from-loopback), and [`Sandbox::opens`] says what others can
    /// reach.
    pub fn host(mut self, host: impl Into<String>) -> Self {
        self.host = host.into();
        self
    }

    /// Sets the port. The default is 0, which picks a free one.
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// Sets the monthly limit for the parent and its sub-accounts together, in GB. Once it is reached, the proxies
    /// respond with 509. The default is 0, which means no limit.
    pub fn monthly_limit(mut self, gigabytes: u32) -> Self {
        self.settings.monthly_limit = gigabytes;
        self
    }

    /// Sets whether to run [the proxies](crate#the-proxies) as well, each on a free port. The default is `false`.
    pub fn proxies(mut self, serve: bool) -> Self {
        self.proxies = serve;
        self
    }

    /// Sets how long a connection may be idle before it is closed. The default is `None`, which never closes it.
    pub fn keep_alive(mut self, idle: Option<Duration>) -> Self {
        self.keep_alive = idle;
        self
    }

    /// Binds a free port for each proxy, and stores the ports in the settings.
    fn bind_proxies(&mut self, at: SocketAddr) -> Result<Vec<(&'static str, TcpListener)>, Error> {
        let mut ports = Ports::default();
        let mut listeners = Vec::new();
        for (name, port) in CATALOGUE.into_iter().zip(&mut ports) {
            let mut free = at;
            free.set_port(0);
            let unable = |source| Error::Listen { address: free.to_string(), source };
            let listener = TcpListener::bind(free).map_err(unable)?;
            listener.set_nonblocking(true).map_err(unable)?;
            *port = listener.local_addr().map_err(unable)?.port();
            listeners.push((name, listener));
        }
        self.settings.ports = Some(ports);
        Ok(listeners)
    }

    /// Starts the sandbox. It accepts connections when this returns.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] if the service would reject the username or password, or if the keep-alive is 0.
    /// [`Error::PublishedPassword`] for the default password on an address that is not loopback. [`Error::Listen`] if
    /// the address is in use or not available. [`Error::Start`] if no thread can be started.
    pub fn start(mut self) -> Result<Sandbox, Error> {
        let named = |what: &str, reason: String| Error::Invalid(format!("{what}: {reason}"));
        input::username(&self.settings.username).map_err(|reason| named("username", reason))?;
        input::password(&self.settings.password).map_err(|reason| named("password", reason))?;
        if self.keep_alive == Some(Duration::ZERO) {
            let reason = "connections would close before their first call".to_owned();
            return Err(named("keep-alive", reason));
        }
        let unable = |source| Error::Listen { address: join(&self.host, self.port), source };
        let listener = TcpListener::bind((self.host.as_str(), self.port)).map_err(unable)?;
        let address = listener.local_addr().map_err(unable)?;
        self.settings.exposed = !address.ip().to_canonical().is_loopback();
        if self.settings.exposed && self.settings.password == PUBLISHED_PASSWORD {
            return Err(Error::PublishedPassword { address });
        }
        listener.set_nonblocking(true).map_err(unable)?;
        let proxies = if self.proxies { self.bind_proxies(address)? } else { Vec::new() };

        let runtime =
            runtime::Builder::new_current_thread().enable_io().enable_time().build().map_err(Error::Start)?;
        let listener = {
            let _context = runtime.enter();
            tokio::net::TcpListener::from_std(listener).map_err(Error::Start)?
        };
        let shared = Arc::new(Shared::new(World::new(self.settings.clone())));
        let mut listeners = Vec::new();
        for (name, listener) in proxies {
            let _context = runtime.enter();
            let listener = tokio::net::TcpListener::from_std(listener).map_err(Error::Start)?;
            let proxy = forward::Proxy { name, shared: Arc::clone(&shared), service: reachable(address) };
            listeners.push((listener, proxy));
        }
        let (stop, stopped) = watch::channel(false);
        let proxying = forward::serve(listeners, stopped.clone());
        let api = server::serve(listener, Arc::clone(&shared), self.keep_alive, stopped);
        let serving = async { tokio::join!(api, proxying) };
        let thread = thread::Builder::new()
            .name("proxymesh-sandbox".to_owned())
            .spawn(move || {
                runtime.block_on(serving);
            })
            .map_err(Error::Start)?;
        Ok(Sandbox {
            shared,
            settings: self.settings,
            address,
            base_url: format!("http://{}", reachable(address)),
            stop,
            thread: Mutex::new(Some(thread)),
            process: std::process::id(),
        })
    }
}

/// The address at which a client on this machine reaches a server that is bound to `address`.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    match address.ip().to_canonical() {
        IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(ip) if ip.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
        // This keeps the scope of a link-local address.
        IpAddr::V6(_) => {}
        ip => address.set_ip(ip),
    }
    address
}

/// `host:port`, with brackets around an IPv6 address.
fn join(host: &str, port: u16) -> String {
    match host.parse::<IpAddr>() {
        Ok(ip) => SocketAddr::new(ip, port).to_string(),
        Err(_) => format!("{host}:{port}"),
    }
}
