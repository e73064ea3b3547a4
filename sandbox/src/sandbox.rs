//! The handle: a sandbox that runs on its own thread until it is stopped or dropped.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, SystemTime};

use tokio::runtime;
use tokio::sync::watch;

use crate::Error;
use crate::fault::Fault;
use crate::log::RecordedRequest;
use crate::plan::Plan;
use crate::server::{self, Shared};
use crate::service::input;
use crate::world::{Settings, World};

/// A running sandbox. It stops when it is dropped.
///
/// It may be shared among threads, and used and dropped in asynchronous code.
#[derive(Debug)]
pub struct Sandbox {
    shared: Arc<Shared>,
    settings: Settings,
    address: SocketAddr,
    stop: watch::Sender<bool>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

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

    /// Where to reach it, such as `http://127.0.0.1:40123`, without a slash at the end.
    #[must_use]
    pub fn base_url(&self) -> String {
        let ip = match self.address.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
            IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
            ip => ip,
        };
        format!("http://{}", SocketAddr::new(ip, self.address.port()))
    }

    /// The address it is bound to.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The username of the parent account.
    #[must_use]
    pub fn username(&self) -> &str {
        &self.settings.username
    }

    /// The password of the parent account.
    #[must_use]
    pub fn password(&self) -> &str {
        &self.settings.password
    }

    /// The API calls that arrived, oldest first; of very many, the last 100,000.
    #[must_use]
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.shared.world().log.entries()
    }

    /// Forgets the calls recorded so far. Numbers go on.
    pub fn clear_requests(&self) {
        self.shared.world().log.clear();
    }

    /// Makes the next matching calls go wrong.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] if the fault can never match or cannot be carried out.
    pub fn inject(&self, fault: Fault) -> Result<(), Error> {
        fault.check()?;
        self.shared.world().faults.push(fault);
        Ok(())
    }

    /// The faults that still wait for a call, with what is left of their `times` and `after`.
    #[must_use]
    pub fn faults(&self) -> Vec<Fault> {
        self.shared.world().faults.waiting().to_vec()
    }

    /// Forgets the faults that still wait.
    pub fn clear_faults(&self) {
        self.shared.world().faults.clear();
    }

    /// Moves the sandbox's clock forward: at most 100 years in all, where it stays.
    pub fn advance(&self, by: Duration) {
        let mut world = self.shared.world();
        if !world.clock.advance(by) {
            world.clock.advance_to_the_end();
        }
    }

    /// The time in the sandbox. It runs with the real one, ahead by what it was advanced.
    #[must_use]
    pub fn now(&self) -> SystemTime {
        self.shared.world().clock.now().system_time()
    }

    /// Books traffic on a sub-account (it counts towards the parent too) or on the parent.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownAccount`] if nobody is called so, [`Error::Invalid`] unless `gigabytes` is
    /// from 0 to 1e9.
    pub fn book_usage(&self, username: &str, gigabytes: f64) -> Result<(), Error> {
        self.shared.world().book_usage(username, gigabytes)
    }

    /// How many TCP connections are open now.
    #[must_use]
    pub fn open_connections(&self) -> usize {
        self.shared.open_connections()
    }

    /// Back to the state at the start: account, ban, clock, faults and log. Connections stay.
    pub fn reset(&self) {
        self.shared.world().reset();
    }

    /// Stops serving and closes all connections; calls in progress have 200 ms to end. The recorded
    /// calls can still be read. Stopping twice does nothing.
    pub fn stop(&self) {
        self.stop.send_replace(true);
        let mut thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(thread) = thread.take() {
            // A panic there was reported there.
            let _ = thread.join();
        }
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.stop();
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
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            settings: Settings {
                username: "parent".to_owned(),
                password: "parent-password".to_owned(),
                plan: Plan::default(),
            },
            host: "127.0.0.1".to_owned(),
            port: 0,
            keep_alive: None,
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

    /// The address or name to bind to: 127.0.0.1 unless set. The controls need no credentials, so
    /// think before you let others reach them.
    pub fn host(mut self, host: impl Into<String>) -> Self {
        self.host = host.into();
        self
    }

    /// The port: 0, which is any free one, unless set.
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// Closes connections that were idle for this long. `None`, the default, never does.
    pub fn keep_alive(mut self, idle: Option<Duration>) -> Self {
        self.keep_alive = idle;
        self
    }

    /// Starts the sandbox. It serves when this returns.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] for a username or password the service would not take,
    /// [`Error::Listen`] if the address is taken or not there, [`Error::Start`] if there is no
    /// thread left.
    pub fn start(self) -> Result<Sandbox, Error> {
        let named = |what: &str, reason: String| Error::Invalid(format!("{what}: {reason}"));
        input::username(&self.settings.username).map_err(|reason| named("username", reason))?;
        input::password(&self.settings.password).map_err(|reason| named("password", reason))?;
        let unable = |source| Error::Listen {
            address: join(&self.host, self.port),
            source,
        };
        let listener = TcpListener::bind((self.host.as_str(), self.port)).map_err(unable)?;
        let address = listener.local_addr().map_err(unable)?;
        listener.set_nonblocking(true).map_err(unable)?;

        let runtime = runtime::Builder::new_current_thread()
            .enable_io()
            .enable_time()
            .build()
            .map_err(Error::Start)?;
        let listener = {
            let _context = runtime.enter();
            tokio::net::TcpListener::from_std(listener).map_err(Error::Start)?
        };
        let shared = Arc::new(Shared::new(World::new(self.settings.clone())));
        let (stop, stopped) = watch::channel(false);
        let serving = server::serve(listener, Arc::clone(&shared), self.keep_alive, stopped);
        let thread = thread::Builder::new()
            .name("proxymesh-sandbox".to_owned())
            .spawn(move || runtime.block_on(serving))
            .map_err(Error::Start)?;
        Ok(Sandbox {
            shared,
            settings: self.settings,
            address,
            stop,
            thread: Mutex::new(Some(thread)),
        })
    }
}

/// `host:port`, with brackets around an IPv6 address.
fn join(host: &str, port: u16) -> String {
    match host.parse::<IpAddr>() {
        Ok(ip) => SocketAddr::new(ip, port).to_string(),
        Err(_) => format!("{host}:{port}"),
    }
}
