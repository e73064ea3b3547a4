//! The blocking client, for code without async.

use crate::{
    credentials::Credentials,
    endpoint::Endpoint,
    error::{Error, Result},
    lease::{AuthorizedIp, Follow, FollowedIp, Lease, given_back, warn},
    pool::pool,
    process,
    proxy::{Check, Proxy},
    resource::{Dispatch, Ips, handles},
    runtime::{self, Lazy, Timers},
    settings::{Options, Settings},
};
use std::{
    fmt,
    future::{Future, poll_fn},
    io,
    net::IpAddr,
    pin::{Pin, pin},
    sync::Arc,
    task::Poll,
    time::Duration,
};
use tokio::{
    runtime::{Handle, Runtime},
    time::Instant,
};

/// The blocking client. It has a handle for each resource, such as `client.ips()`. Every call blocks its thread until it is done.
///
/// A client is cheap to clone, and clones share their connections. Any number of threads may share one client. It also works
/// inside an async runtime, but it blocks a thread of the runtime. Use [`crate::Client`] there.
///
/// ```no_run
/// # fn main() -> proxymesh::Result<()> {
/// use proxymesh::{Settings, blocking::Client};
///
/// let client = Client::new(Settings::new())?; // credentials from the environment
/// for proxy in client.proxies().list()? {
///     println!("{proxy}");
/// }
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Client {
    client: crate::Client,
    driver: Arc<Driver>,
}

impl Client {
    /// Creates a client. Before its first call, it sends nothing, starts no thread and opens no file descriptor.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] if a setting is missing or invalid, or if settings contradict each other.
    pub fn new(settings: Settings) -> Result<Self> {
        Ok(Self { client: crate::Client::new(settings)?, driver: Arc::new(Driver::new()) })
    }

    /// Returns a client with different options for its calls. It shares this client's connections. Options that are not set stay
    /// the same.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] if the timeout is zero.
    pub fn with_options(&self, options: Options) -> Result<Self> {
        Ok(Self { client: self.client.with_options(options)?, driver: self.driver.clone() })
    }

    /// Returns an async client with the same settings, and with connections of its own.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] if the client cannot be created.
    pub fn to_async(&self) -> Result<crate::Client> {
        self.client.renewed()
    }

    /// The client's credentials. They are valid for the proxies as well.
    #[must_use]
    pub fn credentials(&self) -> &Credentials {
        self.client.credentials()
    }

    /// The base URL of the service, without a trailing slash.
    #[must_use]
    pub fn base_url(&self) -> &str {
        self.client.base_url()
    }

    /// Sends any call. The handles use this; prefer them where you can.
    ///
    /// # Errors
    ///
    /// Any [`Error`].
    pub fn call<E: Endpoint>(&self, endpoint: E) -> Result<E::Response> {
        let exchange = self.client.exchange(&endpoint);
        self.drive(E::CALL.name, async { exchange.await.answered() })?.read(&endpoint)
    }

    /// Runs a future that makes calls of the async client.
    fn drive<T: Send>(
        &self,
        call: &'static str,
        future: impl Future<Output = Result<T>> + Send,
    ) -> Result<T> {
        let ended = self.driver.run(call, future);
        if ended.is_err() {
            self.driver.finish(&self.client);
        }
        ended
    }
}

handles!(Client);

impl Dispatch for Client {
    type Reply<T: Send + 'static> = Result<T>;

    fn dispatch<E: Endpoint>(&self, endpoint: Result<E>) -> Result<E::Response> {
        self.call(endpoint?)
    }
}

pool! {
    /// Hands out the account's proxies in turn, and leaves out failing ones for a while.
    /// [`Proxies::pool`](crate::resource::Proxies::pool) creates it. A pool is cheap to clone, and threads may share one.
    ///
    /// ```no_run
    /// # fn example(client: proxymesh::blocking::Client) -> proxymesh::Result<()> {
    /// use proxymesh::{Outcome, PoolOptions};
    ///
    /// let pool = client.proxies().pool(PoolOptions::new().country("DE")?);
    /// let proxy = pool.get()?;
    /// // Make a request through the proxy, and then report its status, or that it failed.
    /// pool.report(&proxy, Outcome::Status(200));
    /// # Ok(()) }
    /// ```
    [] true, |this, wanted| match this.pool.at_once(&wanted) {
        Some(proxy) => proxy,
        None => Ok(this.client.drive("proxies.list", this.pool.next(&this.client.client, &wanted))?.logged(&this.client.client)),
    },
    |target, timeout| {
        let session = this.pool.session(&this.client.client, &wanted, target, timeout);
        Ok(this.client.drive("proxies.session", session)?.logged(&this.client.client))
    }
}

/// An IP that is authorised until this is dropped. [`Ips::authorized`] returns it.
///
/// Dropping it releases the IP, which makes up to three calls. [`release`](Self::release) does the same, and returns the error if
/// that fails.
#[derive(Debug)]
#[must_use = "dropping it releases the IP"]
pub struct IpLease {
    ip: IpAddr,
    client: Client,
    /// `None` once it has been released.
    lease: Option<Lease>,
}

impl IpLease {
    /// The authorised address.
    #[must_use]
    pub fn ip(&self) -> IpAddr {
        self.ip
    }

    /// Removes the IP, if a lease added it and nobody on this machine needs it any more. Does nothing in a process that was forked
    /// since the lease was created.
    ///
    /// # Errors
    ///
    /// Those of [`Ips::labels`] and [`Ips::delete`], and [`Error::Timeout`] and [`Error::Config`] as in [`Ips::authorized`]. The IP
    /// then stays authorised, and the next lease of the same account on this machine takes it over or removes it.
    pub fn release(mut self) -> Result<()> {
        self.lease.take().map_or(Ok(()), |lease| self.client.release(&lease))
    }
}

impl Drop for IpLease {
    fn drop(&mut self) {
        if let Some(lease) = self.lease.take()
            && let Err(error) = self.client.release(&lease)
        {
            warn(self.client.client.observer(), self.ip, &error);
        }
    }
}

/// Keeps this machine's address authorised until it is dropped. [`Ips::follow`] returns it.
///
/// Dropping it ends its thread and removes the IP. [`close`](Self::close) does the same, and returns the error if that fails.
#[must_use = "dropping it releases the IP"]
pub struct IpFollower {
    client: Client,
    /// `None` once it has been closed.
    follow: Option<Follow>,
    /// Kept for after that.
    ip: IpAddr,
}

impl IpFollower {
    /// The IP that is authorised now.
    #[must_use]
    pub fn ip(&self) -> IpAddr {
        self.follow.as_ref().map_or(self.ip, Follow::ip)
    }

    /// Why the last check failed; `None` if it worked. After a failure, it is repeated after one second, and then at intervals that
    /// double until they reach [`FollowedIp::interval`].
    #[must_use]
    pub fn error(&self) -> Option<Error> {
        self.follow.as_ref().and_then(Follow::error)
    }

    /// Whether the follower is still running. It ends by itself only if the service rejects the credentials.
    /// [`error`](Self::error) is then that refusal.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.follow.as_ref().is_some_and(Follow::is_running)
    }

    /// Ends the follower and removes the IP, as [`IpLease::release`] does.
    ///
    /// # Errors
    ///
    /// The error that ended the follower, or else the errors of [`IpLease::release`].
    pub fn close(mut self) -> Result<()> {
        self.end()
    }

    fn end(&mut self) -> Result<()> {
        let Some(follow) = self.follow.take() else { return Ok(()) };
        if !follow.is_own() {
            // A lock inside may be locked for ever by a thread that this process does not have.
            std::mem::forget(follow);
            return Ok(());
        }
        self.client.drive("ips.follow", follow.close())
    }
}

impl Drop for IpFollower {
    fn drop(&mut self) {
        if let Err(error) = self.end() {
            warn(self.client.client.observer(), self.ip, &error);
        }
    }
}

impl Client {
    /// Enters a lease. If that fails, gives back what it holds.
    fn enter(&self, lease: &Lease) -> Result<IpAddr> {
        let thread = Some(std::thread::current().id());
        let entered = self.drive("ips.authorized", lease.enter(&self.client, thread));
        if entered.is_err() {
            given_back(&self.client, lease, self.release(lease));
        }
        entered
    }

    fn release(&self, lease: &Lease) -> Result<()> {
        if !lease.is_own() {
            return Ok(());
        }
        let thread = Some(std::thread::current().id());
        self.drive("ips.authorized", lease.release(&self.client, thread))
    }
}

impl Ips<'_, Client> {
    /// Authorises an IP, by default this machine's own, until the returned lease is dropped.
    ///
    /// The IP is added if it is not authorised yet. Leases of one user on one machine share an IP: the last one removes it,
    /// whichever process added it, and even if they use different credentials for the account. A killed process leaves its IP
    /// behind. The next lease of the same account on this machine takes it over. If this machine has a different address by then,
    /// the next lease with the same credentials removes the old one. If the IP's label has changed, the IP belongs to someone
    /// else and stays. An IP that was already authorised stays.
    ///
    /// The leases find each other through files in the user's state folder, or else in a folder for temporary files. These contain
    /// no address, name or secret.
    ///
    /// ```no_run
    /// # fn example(client: proxymesh::blocking::Client) -> proxymesh::Result<()> {
    /// use proxymesh::AuthorizedIp;
    ///
    /// let lease = client.ips().authorized(AuthorizedIp::new().label("nightly crawl")?)?;
    /// println!("{} may use the proxies without credentials", lease.ip());
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`labels`](Self::labels) and [`add`](Self::add). [`Error::Connection`] if this machine's address cannot be determined
    /// within 10 seconds. [`Error::Timeout`] if another process has been adding or removing an IP for more than 60 seconds.
    /// [`Error::Config`] if there is no folder that only this user can write to.
    pub fn authorized(&self, wanted: AuthorizedIp) -> Result<IpLease> {
        let lease = Lease::new(wanted, self.owner.clone());
        let ip = self.via.enter(&lease)?;
        Ok(IpLease { ip, client: self.via.clone(), lease: Some(lease) })
    }

    /// Keeps this machine's address authorised while it changes, until the follower is dropped. A thread checks the address once
    /// per [`interval`](FollowedIp::interval), which is 60 seconds by default. When it has changed, the thread adds the new
    /// address and removes the old one, as [`authorized`](Self::authorized) does. An address that was already authorised stays.
    ///
    /// If this machine has a dynamic DNS name, [`hostnames().add`](crate::resource::Hostnames::add) is the service's own solution
    /// for a changing address. Nothing has to run on this machine then.
    ///
    /// A check that fails, for example because this machine is offline, is repeated. The last address stays authorised meanwhile. Only
    /// rejected credentials end the follower.
    ///
    /// ```no_run
    /// # fn example(client: proxymesh::blocking::Client) -> proxymesh::Result<()> {
    /// use proxymesh::FollowedIp;
    ///
    /// let follower = client.ips().follow(FollowedIp::new().label("home")?)?;
    /// println!("{} may use the proxies without credentials", follower.ip());
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`authorized`](Self::authorized), for the first address. [`Error::Connection`] if the system has no file descriptor,
    /// thread or memory left.
    pub fn follow(&self, wanted: FollowedIp) -> Result<IpFollower> {
        let owner = self.owner.clone();
        let lease = Arc::new(wanted.first(owner.clone()));
        let ip = self.via.enter(&lease)?;
        match Follow::in_thread(&self.via.client, wanted, owner, (ip, lease.clone())) {
            Ok(follow) => Ok(IpFollower { client: self.via.clone(), follow: Some(follow), ip }),
            Err(error) => {
                given_back(&self.via.client, &lease, self.via.release(&lease));
                Err(error)
            }
        }
    }
}

impl fmt::Debug for IpFollower {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IpFollower").field("ip", &self.ip()).finish_non_exhaustive()
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.client, f)
    }
}

/// Checks a proxy, as [`Proxy::check`] does.
///
/// # Errors
///
/// [`Error::Validation`] if the target is not `host:port`, and [`Error::Connection`] if the system has no file descriptor, thread or
/// memory left.
pub fn check(proxy: &Proxy, target: &str, timeout: Duration) -> Result<Check> {
    Driver::new().run("Proxy.check", proxy.check(target, timeout))
}

/// Returns the same proxy, which then holds one exit IP, as [`Proxy::session`] does.
///
/// # Errors
///
/// Those of [`Proxy::session`].
pub fn session(proxy: &Proxy, target: &str, timeout: Duration) -> Result<Proxy> {
    Driver::new().run("proxies.session", proxy.session(target, timeout))
}

/// Runs futures on the calling thread. Its event loop has no thread of its own and is created for the first future.
///
/// If several threads use a driver at the same time, one of them runs the event loop for all. Bindings build their blocking clients
/// on this.
pub struct Driver {
    runtime: Lazy<Runtime>,
    timers: Timers,
}

impl Driver {
    /// Creates a driver. It opens no file descriptor before it runs its first future.
    #[must_use]
    pub const fn new() -> Self {
        Self { runtime: Lazy::new(), timers: Timers::new() }
    }

    /// Runs `future` to completion on this thread. `call` is the name of the call that it makes, for errors.
    ///
    /// # Errors
    ///
    /// The errors of the future, and [`Error::Connection`] if the system has no file descriptor, thread or memory left to run it.
    pub fn run<T: Send, E: From<Error> + Send>(
        &self,
        call: &'static str,
        future: impl Future<Output = Result<T, E>> + Send,
    ) -> Result<T, E> {
        self.run_checked(call, future, Duration::MAX, || Ok(()))
    }

    /// Runs `future` to completion on this thread, and calls `check` whenever the time `every` has passed. If `check` fails, the
    /// future is dropped, which closes its connection.
    ///
    /// `check` is called outside the runtime, so it may itself make calls with this driver, as a signal handler might. If it forks,
    /// the child process leaves the call to its parent.
    ///
    /// # Errors
    ///
    /// The errors of [`run`](Self::run) and of `check`, and [`Error::Config`] in a child process that `check` has forked.
    pub fn run_checked<T: Send, E: From<Error> + Send>(
        &self,
        call: &'static str,
        future: impl Future<Output = Result<T, E>> + Send,
        every: Duration,
        mut check: impl FnMut() -> Result<(), E>,
    ) -> Result<T, E> {
        let process = process::id();
        let mut result = None;
        let mut checked = Ok(());
        // The future's type is erased here, so the code that drives it is compiled once, not once per call.
        let mut work: Pin<Box<dyn Future<Output = ()> + Send + '_>> =
            Box::pin(async { result = Some(future.await) });
        while checked.is_ok()
            && !self.drive(work.as_mut(), every).map_err(|error| Error::lacking(call, &error))?
        {
            checked = check();
            if process::id() != process {
                // The connection belongs to the parent.
                std::mem::forget(work);
                let forked = "the process was forked during the call; make the call again";
                return checked.and_then(|()| Err(Error::config(forked).into()));
            }
        }
        drop(work);
        let result = checked
            .and_then(|()| result.unwrap_or_else(|| Err(Error::config("the call was abandoned").into())));
        if result.is_err() {
            // Let the tasks that the call has left behind end now, such as a trial or a name lookup: nothing runs them between
            // calls.
            let _ = self.drive(pin!(take_notice()), Duration::MAX);
        }
        result
    }

    /// Call this after a call of `client` has failed or has been cancelled. If its request was trying credentials that have not
    /// worked yet, the request continues on a thread of its own until the service responds, for at most five seconds.
    pub fn finish(self: &Arc<Self>, client: &crate::Client) {
        let Some(trial) = client.unfinished() else { return };
        let driver = self.clone();
        // If no thread can be started, the next call drives it.
        let _ = std::thread::Builder::new().name("proxymesh".into()).spawn(move || {
            let mut trial = trial;
            driver.drive(trial.as_mut(), Duration::MAX)
        });
    }

    /// Drives `future` for at most `limit`. Returns whether it has finished.
    fn drive(&self, future: Pin<&mut (dyn Future<Output = ()> + Send)>, limit: Duration) -> io::Result<bool> {
        let runtime = self.runtime.get_or_try_init(runtime::event_loop)?;
        let future = async {
            // Nobody has polled the connections since the last call. Let the runtime notice which ones the server has closed before
            // one is picked.
            tokio::task::yield_now().await;
            let Some(deadline) = Instant::now().checked_add(limit) else {
                future.await;
                return true;
            };
            let (mut future, mut over) = (future, pin!(self.timers.until(deadline)));
            poll_fn(|context| match future.as_mut().poll(context) {
                Poll::Ready(()) => Poll::Ready(true),
                Poll::Pending => over.as_mut().poll(context).map(|()| false),
            })
            .await
        };
        if Handle::try_current().is_err() {
            return Ok(runtime.block_on(future));
        }
        // This thread is inside a runtime, so it must not block on another one. Use a new thread.
        std::thread::scope(|scope| {
            let thread = std::thread::Builder::new()
                .name("proxymesh".into())
                .spawn_scoped(scope, || runtime.block_on(future));
            match thread.map(std::thread::ScopedJoinHandle::join) {
                Ok(Ok(ended)) => Ok(ended),
                Ok(Err(panic)) => std::panic::resume_unwind(panic),
                Err(error) => Err(error),
            }
        })
    }
}

/// Lets spawned tasks run a few times.
async fn take_notice() {
    for _ in 0..4 {
        tokio::task::yield_now().await;
    }
}

impl Default for Driver {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        if let Some(runtime) = std::mem::take(&mut self.runtime).into_inner() {
            // A plain drop would wait for threads that resolve names, and panic inside another runtime.
            runtime.shutdown_background();
        }
    }
}

impl fmt::Debug for Driver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Driver").finish_non_exhaustive()
    }
}
