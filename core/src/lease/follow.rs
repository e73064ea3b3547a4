//! Keeps the authorised IP in step with this machine's address.
//!
//! [`Plan`] decides when to check again, and whether to go on. [`Following`] does it, in a [`World`]: the service and this machine,
//! or a simulation in tests.

use super::{FollowedIp, Lease, entered, warn};
use crate::{
    client::{Client, Pending},
    error::{Error, Result},
    model::Username,
    observer::{Event, Observer},
    process,
    resource::Ips,
    runtime,
};
use arc_swap::ArcSwap;
use std::{
    collections::BTreeMap,
    fmt,
    future::{Future, poll_fn},
    net::IpAddr,
    pin::pin,
    sync::Arc,
    task::Poll,
    time::Duration,
};
use tokio::{runtime::Handle, sync::watch, time};

const FOLLOW: &str = "ips.follow";
/// How long to wait after the first failure. Each further failure doubles the time, up to the interval.
const FIRST_RETRY: Duration = Duration::from_secs(1);
/// The longest wait that the service can ask for, unless the interval is longer.
const LONGEST_RETRY: Duration = Duration::from_secs(60);

/// A follower without a client of its own: what [`IpFollower`] and [`blocking::IpFollower`](crate::blocking::IpFollower) share. Bindings
/// build their own on it. Dropping it ends the follower, which then releases the IP in the background.
pub struct Follow {
    seen: Arc<ArcSwap<Seen>>,
    stop: watch::Sender<bool>,
    ended: watch::Receiver<Option<Result<()>>>,
    /// The process in which the follower runs.
    process: u32,
}

/// What a follower knows.
struct Seen {
    ip: IpAddr,
    error: Option<Error>,
    is_running: bool,
}

impl FollowedIp {
    /// The lease of the first address.
    #[doc(hidden)]
    #[must_use]
    pub fn first(&self, owner: Option<Username>) -> Lease {
        Lease::new(self.authorized.clone(), owner)
    }
}

impl Follow {
    /// Follows the address in a task on `runtime`. `first` is the entered lease of the first address.
    #[must_use]
    pub fn on(
        runtime: &Handle,
        client: Client,
        wanted: FollowedIp,
        owner: Option<Username>,
        (ip, first): (IpAddr, Arc<Lease>),
    ) -> Self {
        let interval = wanted.interval;
        let (follow, following) = Self::new(Account { client, wanted, owner }, interval, ip, first);
        runtime.spawn(following.run());
        follow
    }

    /// Follows the address in a thread of its own, which also has its own connections.
    ///
    /// # Errors
    ///
    /// [`Error::Connection`] if the system has no file descriptor, thread or memory left.
    pub fn in_thread(
        client: &Client,
        wanted: FollowedIp,
        owner: Option<Username>,
        (ip, first): (IpAddr, Arc<Lease>),
    ) -> Result<Self> {
        let lacking = |error| Error::lacking(FOLLOW, &error);
        let (client, interval) = (client.renewed()?, wanted.interval);
        let event_loop = runtime::event_loop().map_err(lacking)?;
        let (follow, following) = Self::new(Account { client, wanted, owner }, interval, ip, first);
        let run = move || {
            event_loop.block_on(following.run());
            // A plain drop would wait for threads that resolve names.
            event_loop.shutdown_background();
        };
        std::thread::Builder::new().name("proxymesh".into()).spawn(run).map_err(lacking)?;
        Ok(follow)
    }

    pub(super) fn new<W: World>(
        world: W,
        interval: Duration,
        ip: IpAddr,
        first: W::Lease,
    ) -> (Self, Following<W>) {
        let (stop, stopped) = watch::channel(false);
        let (ends, ended) = watch::channel(None);
        let seen = Arc::new(ArcSwap::from_pointee(Seen { ip, error: None, is_running: true }));
        let following = Following {
            world,
            plan: Plan { interval, failures: 0 },
            current: ip,
            leases: BTreeMap::from([(ip, first)]),
            seen: seen.clone(),
            stopped,
            ends: Ends(ends),
        };
        (Self { seen, stop, ended, process: process::id() }, following)
    }

    /// The IP that is authorised now.
    #[must_use]
    pub fn ip(&self) -> IpAddr {
        self.seen.load().ip
    }

    /// Why the last check failed; `None` if it worked.
    #[must_use]
    pub fn error(&self) -> Option<Error> {
        self.seen.load().error.clone()
    }

    /// Whether this process started the follower. A process forked since then has no part in it.
    #[must_use]
    pub fn is_own(&self) -> bool {
        self.process == process::id()
    }

    /// Whether the follower is still running. It ends when it is closed, and when the service rejects the credentials.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.is_own() && self.seen.load().is_running
    }

    /// Ends the follower and waits until it has released the IP. Does nothing in a process that was forked since it began.
    ///
    /// # Errors
    ///
    /// The error that ended the follower, or else the error of releasing the IP.
    pub async fn close(&self) -> Result<()> {
        if !self.is_own() {
            return Ok(());
        }
        self.stop.send_replace(true);
        let mut ended = self.ended.clone();
        let ended = ended.wait_for(Option::is_some).await.map(|ended| ended.clone());
        ended.ok().flatten().unwrap_or_else(|| {
            Err(Error::config(
                "the event loop of ips.follow has ended before it was closed, so the IP stays authorised",
            ))
        })
    }
}

impl Drop for Follow {
    fn drop(&mut self) {
        // In a forked process, a lock inside may be locked for ever.
        if self.is_own() {
            self.stop.send_replace(true);
        }
    }
}

/// What a follower needs.
pub(super) trait World: Send + Sync {
    type Lease: Send + Sync;

    fn sleep(&self, wait: Duration) -> impl Future<Output = ()> + Send {
        time::sleep(wait)
    }

    fn address(&self) -> impl Future<Output = Result<IpAddr>> + Send;
    fn lease(&self, ip: IpAddr) -> Self::Lease;
    fn enter(&self, lease: &Self::Lease) -> impl Future<Output = Result<()>> + Send;
    fn release(&self, lease: &Self::Lease) -> impl Future<Output = Result<()>> + Send;

    fn observer(&self) -> Option<&Observer> {
        None
    }
}

/// The service, and this machine.
struct Account {
    client: Client,
    wanted: FollowedIp,
    owner: Option<Username>,
}

impl World for Account {
    type Lease = Arc<Lease>;

    async fn address(&self) -> Result<IpAddr> {
        self.wanted.authorized.address(&self.client).await
    }

    fn lease(&self, ip: IpAddr) -> Arc<Lease> {
        let wanted = super::AuthorizedIp { ip: Some(ip), ..self.wanted.authorized.clone() };
        Arc::new(Lease::new(wanted, self.owner.clone()))
    }

    async fn enter(&self, lease: &Arc<Lease>) -> Result<()> {
        lease.enter(&self.client, None).await.map(drop)
    }

    async fn release(&self, lease: &Arc<Lease>) -> Result<()> {
        lease.release(&self.client, None).await
    }

    fn observer(&self) -> Option<&Observer> {
        self.client.observer()
    }
}

/// When to check again.
#[derive(Debug)]
struct Plan {
    interval: Duration,
    /// How many checks have failed in a row.
    failures: u32,
}

impl Plan {
    /// Takes note of how a check went. Returns whether to go on: credentials that the service rejects stay wrong, and trying them
    /// again might ban the caller.
    fn note(&mut self, checked: &Result<()>) -> bool {
        match checked {
            Ok(()) => self.failures = 0,
            Err(Error::Authentication(_) | Error::AuthenticationBlocked { .. }) => return false,
            Err(_) => self.failures = self.failures.saturating_add(1),
        }
        true
    }

    /// How long to wait before the next check.
    fn wait(&self, failed: Option<&Error>) -> Duration {
        let Some(doubled) = self.failures.checked_sub(1) else { return self.interval };
        let wait = FIRST_RETRY.saturating_mul(2_u32.saturating_pow(doubled)).min(self.interval);
        // The service may ask for more, but a changed address must not go unnoticed for hours.
        let asked = failed.and_then(Error::retry_after).unwrap_or_default();
        wait.max(asked.min(self.interval.max(LONGEST_RETRY)))
    }
}

/// A follower at work.
pub(super) struct Following<W: World> {
    world: W,
    plan: Plan,
    /// The address that is authorised.
    current: IpAddr,
    /// The lease of the current address, and those that could not be given back yet.
    leases: BTreeMap<IpAddr, W::Lease>,
    seen: Arc<ArcSwap<Seen>>,
    stopped: watch::Receiver<bool>,
    ends: Ends,
}

/// Whoever waits for the end learns of it, even if the event loop has ended first.
struct Ends(watch::Sender<Option<Result<()>>>);

impl<W: World> Following<W> {
    pub(super) async fn run(mut self) {
        let ended = match self.follow().await {
            Ok(()) => self.give_back(None).await,
            Err(error) => Err(error),
        };
        self.tell(self.seen.load().error.clone(), false);
        // Whoever waits for the end may enter a lease at once, and must not find these still held.
        self.leases.clear();
        self.ends.0.send_replace(Some(ended));
    }

    /// Follows the address until it is told to stop, or the service rejects the credentials.
    async fn follow(&mut self) -> Result<()> {
        let mut stopped = self.stopped.clone();
        let mut wait = self.plan.interval;
        while unless(&mut stopped, self.world.sleep(wait)).await.is_some() {
            // What a check has begun when it is told to stop is in `leases`.
            let Some(checked) = unless(&mut stopped, self.check()).await else { break };
            let goes_on = self.plan.note(&checked);
            let failed = checked.as_ref().err();
            wait = self.plan.wait(failed);
            self.tell(failed.cloned(), goes_on);
            if let Some(error) = failed {
                if self.plan.failures == 1 || !goes_on {
                    tracing::warn!(target: "proxymesh", ip = %self.current, %error, goes_on, "could not check or change the authorised IP");
                    let then = if goes_on { "will try again" } else { "has given up" };
                    self.report(Event::Warning(format!(
                        "ips.follow could not check or change the authorised IP {}, and {then}: {error}",
                        self.current
                    )));
                }
                if !goes_on {
                    return checked;
                }
            }
        }
        Ok(())
    }

    async fn check(&mut self) -> Result<()> {
        let ip = self.world.address().await?;
        if ip != self.current || !self.leases.contains_key(&ip) {
            self.change_to(ip).await?;
            tracing::info!(target: "proxymesh", from = %self.current, to = %ip, "this machine's address has changed");
            self.report(Event::Info(format!(
                "this machine's address has changed from {} to {ip}",
                self.current
            )));
            self.current = ip;
            self.tell(None, true);
        }
        self.give_back(Some(ip)).await
    }

    /// Authorises a new address. The old one is removed only afterwards, unless the account is full.
    async fn change_to(&mut self, ip: IpAddr) -> Result<()> {
        match self.enter(ip).await {
            Err(Error::BadRequest(_)) => {
                self.give_back(None).await?;
                self.enter(ip).await
            }
            result => result,
        }
    }

    async fn enter(&mut self, ip: IpAddr) -> Result<()> {
        // What an earlier attempt could not give back.
        if let Some(earlier) = self.leases.get(&ip) {
            self.world.release(earlier).await?;
        }
        let lease = self.world.lease(ip);
        self.leases.insert(ip, lease);
        let Some(lease) = self.leases.get(&ip) else { return Ok(()) };
        let entered = self.world.enter(lease).await;
        if entered.is_err() && self.world.release(lease).await.is_ok() {
            self.leases.remove(&ip);
        }
        entered
    }

    /// Gives back all leases except that of `needed`. Returns the first error, and keeps what could not be given back.
    async fn give_back(&mut self, needed: Option<IpAddr>) -> Result<()> {
        let mut result = Ok(());
        for ip in self.leases.keys().copied().filter(|ip| Some(*ip) != needed).collect::<Vec<_>>() {
            let Some(lease) = self.leases.get(&ip) else { continue };
            match self.world.release(lease).await {
                Ok(()) => drop(self.leases.remove(&ip)),
                Err(error) => {
                    warn(self.world.observer(), ip, &error);
                    result = result.and(Err(error));
                }
            }
        }
        result
    }

    fn report(&self, event: Event) {
        if let Some(observer) = self.world.observer() {
            observer.tell(event);
        }
    }

    fn tell(&self, error: Option<Error>, is_running: bool) {
        self.seen.store(Arc::new(Seen { ip: self.current, error, is_running }));
    }
}

/// Does the work unless it is told to stop.
async fn unless<T>(stopped: &mut watch::Receiver<bool>, work: impl Future<Output = T>) -> Option<T> {
    let (mut work, mut stopped) = (pin!(work), pin!(stopped.wait_for(|stopped| *stopped)));
    poll_fn(|context| match stopped.as_mut().poll(context).is_ready() {
        true => Poll::Ready(None),
        false => work.as_mut().poll(context).map(Some),
    })
    .await
}

/// Keeps this machine's address authorised until it is closed. [`Ips::follow`] returns it.
///
/// Call [`close`](Self::close) when the address no longer needs to be authorised. If it is dropped instead, its task ends and removes
/// the IP in the background. If the runtime ends before that, the IP stays authorised. The next lease of the same account on this
/// machine then takes it over or removes it.
#[must_use = "dropping it releases the IP"]
pub struct IpFollower(Follow);

impl IpFollower {
    /// The IP that is authorised now.
    #[must_use]
    pub fn ip(&self) -> IpAddr {
        self.0.ip()
    }

    /// Why the last check failed; `None` if it worked. After a failure, it is repeated after one second, and then at intervals that
    /// double until they reach [`FollowedIp::interval`].
    #[must_use]
    pub fn error(&self) -> Option<Error> {
        self.0.error()
    }

    /// Whether the follower is still running. It ends by itself only if the service rejects the credentials.
    /// [`error`](Self::error) is then that refusal.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.0.is_running()
    }

    /// Ends the follower and removes the IP, as [`IpLease::release`](crate::IpLease::release) does.
    ///
    /// # Errors
    ///
    /// The error that ended the follower, or else the errors of [`IpLease::release`](crate::IpLease::release).
    pub async fn close(self) -> Result<()> {
        self.0.close().await
    }
}

impl Ips<'_, Client> {
    /// Keeps this machine's address authorised while it changes, until the follower is closed. A task on the current runtime
    /// checks the address once per [`interval`](FollowedIp::interval), which is 60 seconds by default. When it has changed, the
    /// task adds the new address and removes the old one, as [`authorized`](Self::authorized) does. An address that was already
    /// authorised stays.
    ///
    /// If this machine has a dynamic DNS name, [`hostnames().add`](crate::resource::Hostnames::add) is the service's own solution
    /// for a changing address. Nothing has to run on this machine then.
    ///
    /// A check that fails, for example because this machine is offline, is repeated. The last address stays authorised meanwhile. Only
    /// rejected credentials end the follower.
    ///
    /// ```no_run
    /// # async fn example(client: proxymesh::Client) -> proxymesh::Result<()> {
    /// use proxymesh::FollowedIp;
    ///
    /// let follower = client.ips().follow(FollowedIp::new().label("home")?).await?;
    /// println!("{} may use the proxies without credentials", follower.ip());
    /// follower.close().await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`authorized`](Self::authorized), for the first address.
    pub fn follow(&self, wanted: FollowedIp) -> Pending<IpFollower> {
        let (client, owner) = (self.via.clone(), self.owner.clone());
        Box::pin(async move {
            let (ip, unreleased) = entered(&client, wanted.first(owner.clone())).await?;
            let first = (ip, unreleased.disarm());
            Ok(IpFollower(Follow::on(&Handle::current(), client, wanted, owner, first)))
        })
    }
}

impl fmt::Debug for Follow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Follow").field("ip", &self.ip()).field("error", &self.error()).finish_non_exhaustive()
    }
}

impl fmt::Debug for IpFollower {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Refusal;
    use std::{
        collections::VecDeque,
        sync::{Mutex, PoisonError},
    };
    use tokio::time::Instant;

    const MINUTE: Duration = Duration::from_secs(60);

    /// A machine and a service. Each check takes the next thing that happens; after the last one, nothing changes.
    #[derive(Clone, Default)]
    struct Fake(Arc<Mutex<Happens>>);

    #[derive(Default)]
    struct Happens {
        addresses: VecDeque<Result<IpAddr>>,
        entering: VecDeque<Error>,
        releasing: VecDeque<Error>,
        last: Option<IpAddr>,
        /// The addresses that are authorised.
        there: Vec<IpAddr>,
        most: usize,
        checks: Vec<Instant>,
    }

    impl Fake {
        fn with(&self, change: impl FnOnce(&mut Happens)) {
            change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
        }

        fn there(&self) -> Vec<IpAddr> {
            self.0.lock().unwrap().there.clone()
        }
    }

    impl World for Fake {
        type Lease = IpAddr;

        async fn address(&self) -> Result<IpAddr> {
            let mut happens = self.0.lock().unwrap();
            happens.checks.push(Instant::now());
            if let Some(Ok(ip)) = happens.addresses.front() {
                happens.last = Some(*ip);
            }
            match happens.addresses.pop_front() {
                Some(next) => next,
                None => Ok(happens.last.unwrap_or(ip(1))),
            }
        }

        fn lease(&self, ip: IpAddr) -> IpAddr {
            ip
        }

        async fn enter(&self, ip: &IpAddr) -> Result<()> {
            let mut happens = self.0.lock().unwrap();
            if let Some(error) = happens.entering.pop_front() {
                return Err(error);
            }
            happens.there.push(*ip);
            happens.most = happens.most.max(happens.there.len());
            Ok(())
        }

        async fn release(&self, ip: &IpAddr) -> Result<()> {
            let mut happens = self.0.lock().unwrap();
            if let Some(error) = happens.releasing.pop_front() {
                return Err(error);
            }
            happens.there.retain(|there| there != ip);
            Ok(())
        }
    }

    fn ip(last: u8) -> IpAddr {
        [203, 0, 113, last].into()
    }

    fn offline() -> Error {
        Error::Connection { call: FOLLOW, reason: "offline".to_owned(), attempts: 1 }
    }

    fn refused(status: u16) -> Error {
        Refusal { status, ..Refusal::elsewhere("ips.add") }.into_error()
    }

    fn started(fake: &Fake) -> Follow {
        fake.with(|happens| happens.there.push(ip(1)));
        let (follow, following) = Follow::new(fake.clone(), MINUTE, ip(1), ip(1));
        tokio::spawn(following.run());
        follow
    }

    #[tokio::test(start_paused = true)]
    async fn it_follows_three_changes_and_an_hour_offline() {
        let fake = Fake::default();
        let follow = started(&fake);
        fake.with(|happens| happens.addresses.extend([Ok(ip(1)), Ok(ip(2)), Ok(ip(3))]));
        let began = Instant::now();
        for (minutes, now) in [(1, ip(1)), (2, ip(2)), (3, ip(3))] {
            tokio::time::sleep_until(began + MINUTE * minutes + Duration::from_secs(1)).await;
            assert_eq!((follow.ip(), fake.there()), (now, vec![now]));
        }
        fake.with(|happens| happens.addresses.extend((0..65).map(|_| Err(offline()))));
        tokio::time::sleep(MINUTE * 61).await;
        assert_eq!((follow.ip(), fake.there()), (ip(3), vec![ip(3)]));
        assert!(matches!(follow.error(), Some(Error::Connection { .. })) && follow.is_running());
        fake.with(|happens| {
            happens.addresses = VecDeque::from([Ok(ip(4))]);
            // 1, 2, 4, 8, 16 and 32 seconds, and then every minute.
            assert!((60..70).contains(&happens.checks.len()), "{}", happens.checks.len());
        });
        tokio::time::sleep(MINUTE).await;
        assert_eq!((follow.ip(), fake.there()), (ip(4), vec![ip(4)]));
        assert!(follow.error().is_none());
        follow.close().await.unwrap();
        assert!(fake.there().is_empty() && !follow.is_running());
        fake.with(|happens| {
            assert_eq!(happens.most, 2, "the new one is added before the old one is removed")
        });
    }

    #[tokio::test(start_paused = true)]
    async fn rejected_credentials_end_it() {
        for error in [refused(401), Error::AuthenticationBlocked { call: "ips.add", retry_after: MINUTE }] {
            let fake = Fake::default();
            let follow = started(&fake);
            fake.with(|happens| {
                happens.addresses.push_back(Ok(ip(2)));
                happens.entering.push_back(error.clone());
            });
            tokio::time::sleep(MINUTE * 10).await;
            assert!(!follow.is_running());
            fake.with(|happens| assert_eq!(happens.checks.len(), 1));
            assert_eq!(follow.error().unwrap().to_string(), error.to_string());
            assert_eq!(follow.close().await.unwrap_err().to_string(), error.to_string());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_fails_is_tried_again() {
        let fake = Fake::default();
        let follow = started(&fake);
        fake.with(|happens| {
            happens.addresses.push_back(Ok(ip(2)));
            happens.entering.extend([refused(503), refused(503)]);
            happens.releasing.extend([refused(503), refused(503)]);
        });
        tokio::time::sleep(MINUTE + Duration::from_millis(1)).await;
        assert_eq!((follow.ip(), fake.there()), (ip(1), vec![ip(1)]));
        assert!(matches!(follow.error(), Some(Error::Server(_))));
        tokio::time::sleep(MINUTE).await;
        assert_eq!((follow.ip(), fake.there()), (ip(2), vec![ip(2)]));
        assert!(follow.error().is_none());
        follow.close().await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_full_account_first_loses_the_old_address() {
        let fake = Fake::default();
        let follow = started(&fake);
        fake.with(|happens| {
            happens.addresses.push_back(Ok(ip(2)));
            happens.entering.push_back(refused(400));
        });
        tokio::time::sleep(MINUTE + Duration::from_secs(1)).await;
        assert_eq!((follow.ip(), fake.there()), (ip(2), vec![ip(2)]));
        // Even if the new one is refused for good, the old one comes back with the address.
        fake.with(|happens| {
            happens.addresses.extend([Ok(ip(3)), Ok(ip(2))]);
            happens.entering.extend([refused(400), refused(400)]);
        });
        tokio::time::sleep(MINUTE * 2).await;
        assert_eq!((follow.ip(), fake.there()), (ip(2), vec![ip(2)]));
        follow.close().await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn closing_it_ends_a_check_and_dropping_it_releases_the_ip() {
        struct Slow(Fake);

        impl World for Slow {
            type Lease = IpAddr;

            async fn address(&self) -> Result<IpAddr> {
                self.0.address().await
            }

            fn lease(&self, ip: IpAddr) -> IpAddr {
                ip
            }

            async fn enter(&self, ip: &IpAddr) -> Result<()> {
                self.0.enter(ip).await?;
                std::future::pending().await
            }

            async fn release(&self, ip: &IpAddr) -> Result<()> {
                self.0.release(ip).await
            }
        }

        for close in [true, false] {
            let fake = Fake::default();
            fake.with(|happens| {
                happens.there.push(ip(1));
                happens.addresses.push_back(Ok(ip(2)));
            });
            let (follow, following) = Follow::new(Slow(fake.clone()), MINUTE, ip(1), ip(1));
            tokio::spawn(following.run());
            tokio::time::sleep(MINUTE * 2).await;
            assert_eq!(fake.there(), [ip(1), ip(2)], "it is in the middle of a change");
            if close {
                follow.close().await.unwrap();
            } else {
                drop(follow);
                tokio::time::sleep(MINUTE).await;
            }
            assert!(fake.there().is_empty());
        }
    }

    #[test]
    fn the_service_can_ask_it_to_wait_but_not_for_hours() {
        let asking = |seconds| {
            let retry_after = Some(Duration::from_secs(seconds));
            Refusal { status: 503, retry_after, ..Refusal::elsewhere("ips.labels") }.into_error()
        };
        let wait = |interval, seconds| {
            let mut plan = Plan { interval: Duration::from_secs(interval), failures: 0 };
            let failed = Err(asking(seconds));
            assert!(plan.note(&failed));
            plan.wait(failed.as_ref().err()).as_secs()
        };
        assert_eq!(wait(60, 0), 1);
        assert_eq!(wait(60, 20), 20);
        assert_eq!(wait(60, 86_400), 60);
        assert_eq!(wait(10, 86_400), 60);
        assert_eq!(wait(600, 86_400), 600);
    }

    #[test]
    fn closing_it_does_not_wait_for_an_event_loop_that_is_gone() {
        let runtime = runtime::event_loop().unwrap();
        let fake = Fake::default();
        let follow = runtime.block_on(async { started(&fake) });
        drop(runtime);
        let error = runtime::event_loop().unwrap().block_on(follow.close()).unwrap_err();
        assert!(error.to_string().contains("event loop"), "{error}");
    }
}
