//! How a sandbox is set up and started.

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
    /// Starts a sandbox on a free port of 127.0.0.1, with the account `parent`, the password
    /// `parent-password` and the plan ProxyMesh 50. It serves when this returns.
    ///
    /// # Errors
    ///
    /// [`Error::Listen`] or [`Error::Start`] if the machine has no port or no thread left.
    pub fn start() -> Result<Self, Error> {
        Self::builder().start()
    }

    /// A sandbox with other settings.
    pub fn builder() -> Builder {
        Builder::default()
    }
}

/// The settings of a sandbox to be started.
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
    /// The username of the parent account: `parent` unless set.
    pub fn username(mut self, username: impl Into<String>) -> Self {
        self.settings.username = username.into();
        self
    }

    /// The password of the parent account: `parent-password` unless set.
    pub fn password(mut self, password: impl Into<String>) -> Self {
        self.settings.password = password.into();
        self
    }

    /// The plan: ProxyMesh 50 unless set.
    pub fn plan(mut self, plan: Plan) -> Self {
        self.settings.plan = plan;
        self
    }

    /// The address or name to bind to: 127.0.0.1 unless set. Away from loopback, [the sandbox wants a password of your
    /// own](crate#away-from-loopback), and [`Sandbox::opens`] tells what it opens.
    pub fn host(mut self, host: impl Into<String>) -> Self {
        self.host = host.into();
        self
    }

    /// The port: 0, which is any free one, unless set.
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// The most GB a month for the parent with all its sub-accounts, beyond which the proxies answer 509: 0, which
    /// is no limit, unless set.
    pub fn monthly_limit(mut self, gigabytes: u32) -> Self {
        self.settings.monthly_limit = gigabytes;
        self
    }

    /// Serves the proxies as well, each on a free port, as [told here](crate#the-proxies). Not unless set.
    pub fn proxies(mut self, serve: bool) -> Self {
        self.proxies = serve;
        self
    }

    /// Closes connections that were idle for this long. `None`, the default, never does.
    pub fn keep_alive(mut self, idle: Option<Duration>) -> Self {
        self.keep_alive = idle;
        self
    }

    /// A free port for each proxy, which the settings know from then on.
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

    /// Starts the sandbox. It serves when this returns.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] for a username or password the service would not take, and a keep-alive of 0,
    /// [`Error::PublishedPassword`] for the default password away from loopback, [`Error::Listen`] if the address is taken or
    /// not there, [`Error::Start`] if there is no thread left.
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

/// Where a client on this machine finds what is bound to this address.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    match address.ip().to_canonical() {
        IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(ip) if ip.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
        // With the scope of a link-local address.
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
