//! Hands out the account's proxies in turn, and leaves out failing ones for a while.
//!
//! [`rotation`] decides which proxy is next. [`state`] decides who fetches the list. Neither does I/O. This module holds the lock and
//! does the I/O, but never both: the lock is held only for as long as it takes to choose a proxy.

#[cfg(test)]
mod interleavings;
mod options;
mod rotation;
mod state;

pub use options::{Order, PoolOptions};

use crate::{
    client::Client,
    error::{Error, Result},
    observer::Event,
    process::PerProcess,
    proxy::{Check, Proxy},
};
use options::country;
use rotation::{Countries, Geo};
use state::{Fetch, Next, SoFar, State};
use std::{
    convert::Infallible,
    fmt,
    future::{Future, poll_fn},
    pin::pin,
    sync::{Arc, PoisonError},
    task::Poll,
    thread::ThreadId,
    time::Duration,
};

/// The primitives that the model checker replaces in tests, so that it can run a pool in every order.
mod sync {
    #[cfg(test)]
    pub(super) use super::interleavings::sleep_until;
    #[cfg(test)]
    pub(super) use crate::simulated::Instant;
    #[cfg(test)]
    pub(super) use shuttle::sync::{Mutex, MutexGuard};
    #[cfg(not(test))]
    pub(super) use std::sync::{Mutex, MutexGuard};
    #[cfg(not(test))]
    pub(super) use tokio::time::{Instant, sleep_until};
}
use sync::{Instant, Mutex, MutexGuard, sleep_until};

/// How a request through a proxy went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Outcome {
    /// It worked.
    Success,
    /// It failed, or got no response.
    Failure,
    /// It got a response with this status. 402, 403, 407, 429, and 500 and above count as failures: such a status usually comes
    /// from the proxy, or from a site that blocks it. A number below 100 is not a status, so it counts as a failure.
    Status(u16),
}

/// What a program reports about a request: its outcome, and what else it knows. See [`ProxyPool::report`].
///
/// ```
/// use proxymesh::Report;
/// use std::time::Duration;
///
/// let report = Report::from(200).latency(Duration::from_millis(180)).bytes(14_302);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Report {
    outcome: Outcome,
    latency: Option<Duration>,
    bytes: u64,
}

impl Report {
    /// The time until the response arrived. It counts for [`Order::Fastest`].
    #[must_use]
    pub fn latency(mut self, latency: Duration) -> Self {
        self.latency = Some(latency);
        self
    }

    /// How many bytes were transferred. The pool only adds them up.
    #[must_use]
    pub fn bytes(mut self, bytes: u64) -> Self {
        self.bytes = bytes;
        self
    }
}

impl From<Outcome> for Report {
    fn from(outcome: Outcome) -> Self {
        Self { outcome, latency: None, bytes: 0 }
    }
}

impl From<u16> for Report {
    /// The report of a response with this status.
    fn from(status: u16) -> Self {
        Outcome::Status(status).into()
    }
}

impl From<&Check> for Report {
    /// The report of a check, with its latency.
    fn from(check: &Check) -> Self {
        let outcome = if check.ok() { Outcome::Success } else { Outcome::Failure };
        let report = Self::from(outcome);
        if check.ok() { report.latency(check.latency) } else { report }
    }
}

/// What a pool knows about one of its proxies.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ProxyStats {
    /// The proxy, as the pool hands it out. If the pool has several countries, the country changes with every turn, so this value
    /// has none.
    pub proxy: Proxy,
    /// How often the pool has handed it out.
    pub handed_out: u64,
    /// How many successes were reported.
    pub successes: u64,
    /// How many failures were reported.
    pub failures: u64,
    /// How many bytes were reported.
    pub bytes: u64,
    /// The average of the reported latencies. Newer ones count more.
    pub latency: Option<Duration>,
    /// How long it will still be left out; `None` if it is not left out.
    pub cooling: Option<Duration>,
}

/// A pool without a client. It is what [`ProxyPool`] and [`blocking::ProxyPool`](crate::blocking::ProxyPool) share. Bindings build
/// their pools on it.
pub struct Pool {
    options: PoolOptions,
    state: PerProcess<Mutex<State>>,
}

/// A caller that needs a proxy.
pub struct Wanted {
    countries: Countries,
    /// The thread of a blocking caller. If this thread is already fetching the list, the caller is a signal handler or a finalizer
    /// that has interrupted it, so it must not wait for the list.
    thread: Option<ThreadId>,
}

/// A proxy that was handed out.
pub struct HandedOut {
    /// The proxy.
    pub proxy: Proxy,
    /// Why the list of proxies could not be renewed, if this call has tried that. The old list stays in use.
    pub stale: Option<Error>,
}

/// Where the list comes from.
trait Source {
    fn list(&self) -> impl Future<Output = Result<Vec<Proxy>>> + Send;
    fn geo(&self) -> impl Future<Output = Result<Geo>> + Send;
}

impl Pool {
    /// A pool that has no list yet.
    #[must_use]
    pub fn new(options: PoolOptions) -> Self {
        Self { options, state: PerProcess::empty() }
    }

    /// What a caller wants. Without countries, these are the pool's own.
    ///
    /// # Errors
    ///
    /// [`Error::Validation`] with the field `country` if a country is not a two-letter code, or if there is none.
    pub fn wanted<'c>(
        &self,
        countries: Option<impl IntoIterator<Item = &'c str>>,
        blocking: bool,
    ) -> Result<Wanted> {
        let countries = match countries {
            None => self.options.countries.clone(),
            Some(countries) => {
                let countries = countries.into_iter().map(country).collect::<Result<Vec<_>>>()?;
                if countries.is_empty() {
                    return Err(Error::validation("country", "name at least one country"));
                }
                Some(countries)
            }
        };
        Ok(Wanted { countries, thread: blocking.then(|| std::thread::current().id()) })
    }

    /// The next proxy, if the list need not be fetched for it.
    pub fn at_once(&self, wanted: &Wanted) -> Option<Result<Proxy>> {
        lock(&self.state()).ready(&self.options, wanted, Instant::now(), false)
    }

    /// The next proxy. `client` fetches the list if necessary.
    ///
    /// # Errors
    ///
    /// [`Error::PoolExhausted`], [`Error::Validation`] if no proxy fits, and the errors of the calls that fetch the list.
    pub async fn next(&self, client: &Client, wanted: &Wanted) -> Result<HandedOut> {
        self.next_from(&Service { client, options: &self.options }, wanted).await
    }

    async fn next_from(&self, source: &impl Source, wanted: &Wanted) -> Result<HandedOut> {
        let state = self.state();
        let mut stale = None;
        let mut so_far = SoFar::Nothing;
        loop {
            let next = lock(&state).next(&self.options, wanted, Instant::now(), so_far);
            match next {
                Next::Ready(proxy) => return Ok(HandedOut { proxy: proxy?, stale }),
                Next::Wait(mut fetch) => {
                    so_far = SoFar::WaitedFor(fetch.number());
                    let mut late = pin!(sleep_until(fetch.until()));
                    let mut over = pin!(fetch.progress());
                    poll_fn(|context| match over.as_mut().poll(context) {
                        Poll::Ready(()) => Poll::Ready(()),
                        Poll::Pending => late.as_mut().poll(context),
                    })
                    .await;
                }
                Next::Fetch(started) => {
                    let fetch = Fetch::new(&state, &self.options, started);
                    stale = renew(source, fetch, wanted).await?;
                    so_far = SoFar::Fetched;
                }
            }
        }
    }

    /// The next proxy, which then holds an exit IP; see [`ProxyPool::session`].
    ///
    /// # Errors
    ///
    /// Those of [`next`](Self::next) and [`Proxy::session`].
    pub async fn session(
        &self,
        client: &Client,
        wanted: &Wanted,
        target: &str,
        timeout: Duration,
    ) -> Result<HandedOut> {
        let (mut tried, mut failed, mut stale) = (0, None, None);
        loop {
            let next = match (self.next(client, wanted).await, failed) {
                // The reason why the last one failed says more.
                (Err(Error::PoolExhausted { .. }), Some(failed)) => return Err(failed),
                (next, _) => next?,
            };
            let proxy = next.proxy;
            stale = next.stale.or(stale);
            let (free, check) = proxy.free_exit(target, timeout).await?;
            // These are about the account, so another proxy would refuse too.
            let is_final = matches!(check.status, Some(402 | 407 | 429 | 509));
            // What is about the account or the target is no reason to leave the proxy out.
            let proxy_failed = matches!(check.status, None | Some(500 | 501 | 505..=508 | 510..));
            let report = Report::from(&check);
            let held = free.held_by(check);
            if held.is_ok() || proxy_failed {
                self.report(&proxy, report);
            }
            tried += 1;
            match held {
                Ok(proxy) => return Ok(HandedOut { proxy, stale }),
                Err(error) if is_final || tried >= self.members(&wanted.countries).len() => {
                    return Err(error);
                }
                Err(error) => failed = Some(error),
            }
        }
    }

    /// Records how a request went; see [`ProxyPool::report`].
    pub fn report(&self, proxy: &Proxy, report: Report) -> Option<Duration> {
        let state = self.state();
        lock(&state).rotation.report(&self.options, proxy, report, Instant::now())
    }

    /// The proxies that the pool hands out, with what is known about them; see [`ProxyPool::stats`].
    pub fn stats(&self) -> Vec<ProxyStats> {
        self.members(&self.options.countries)
    }

    fn members(&self, countries: &Countries) -> Vec<ProxyStats> {
        let (state, now) = (self.state(), Instant::now());
        lock(&state).rotation.stats(countries, now, |until| until.saturating_duration_since(now))
    }

    /// Whether the list of proxies has been fetched.
    pub fn is_listed(&self) -> bool {
        lock(&self.state()).is_listed()
    }

    /// The countries of the pool, if it is limited to some.
    #[must_use]
    pub fn countries(&self) -> Option<&[String]> {
        self.options.countries.as_deref()
    }

    /// The state of this process. A forked process starts with what its parent knew, and fetches its own lists.
    fn state(&self) -> Arc<Mutex<State>> {
        let state = self.state.get_or_try_init(|inherited| {
            // A thread that the child process does not have may hold the lock.
            let known =
                inherited.and_then(|inherited| inherited.try_lock().ok().map(|state| state.inherited()));
            Ok::<_, Infallible>(Mutex::new(known.unwrap_or_default()))
        });
        match state {
            Ok(state) => state,
            Err(never) => match never {},
        }
    }
}

/// Fetches the list, and the geo counts if anyone has asked for a country. Returns the error if the old list can still be used.
async fn renew(source: &impl Source, fetch: Fetch<'_>, wanted: &Wanted) -> Result<Option<Error>> {
    let fetched = async {
        let proxies = source.list().await?;
        if fetch.listed(proxies) {
            fetch.counted(source.geo().await?);
        }
        Ok(())
    };
    match fetched.await {
        Ok(()) => {
            fetch.ended(Ok(()), wanted);
            Ok(None)
        }
        Err(error) => {
            if fetch.ended(Err(&error), wanted) {
                Ok(Some(error))
            } else {
                Err(error)
            }
        }
    }
}

/// Nothing panics while the lock is held. If something did, each change would still be complete.
fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Service<'a> {
    client: &'a Client,
    options: &'a PoolOptions,
}

impl Source for Service<'_> {
    async fn list(&self) -> Result<Vec<Proxy>> {
        let mut proxies = self.client.proxies().list().await?;
        if self.options.credentials {
            let credentials = self.client.credentials();
            proxies = proxies.into_iter().map(|proxy| proxy.using(credentials.clone())).collect();
        }
        if self.options.rotating {
            proxies = proxies.into_iter().map(Proxy::rotating).collect();
        }
        Ok(proxies)
    }

    async fn geo(&self) -> Result<Geo> {
        let open = self.client.geo().open().await?;
        let world = self.client.geo().world().await?;
        Ok(Geo::from([("open", open), ("world", world)]))
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProxyPool").field("options", &self.options).finish_non_exhaustive()
    }
}

/// Defines the pool of a client, `Client`, which must be in scope. Both kinds of client have the same methods.
macro_rules! pool {
    ($(#[$doc:meta])* [$($async:ident)?] $blocking:literal, |$this:ident, $wanted:ident| $next:expr,
        |$target:ident, $timeout:ident| $session:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug)]
        pub struct ProxyPool {
            client: Client,
            pool: std::sync::Arc<$crate::pool::Pool>,
        }

        impl $crate::resource::Proxies<'_, Client> {
            /// Creates a pool that hands out these proxies in turn and leaves out failing ones for a while. It sends nothing until
            /// the first proxy is requested.
            #[must_use]
            pub fn pool(&self, options: $crate::PoolOptions) -> ProxyPool {
                ProxyPool {
                    client: self.via.clone(),
                    pool: std::sync::Arc::new($crate::pool::Pool::new(options)),
                }
            }
        }

        impl ProxyPool {
            /// Returns the next proxy. The pool fetches the list of proxies first if there is none, or if it is older than its
            /// [`ttl`](crate::PoolOptions::ttl). One caller at a time fetches it, and the others go on with the old one.
            ///
            /// # Errors
            ///
            /// [`Error::PoolExhausted`](crate::Error::PoolExhausted) if all proxies are cooling down, or the account has no
            /// authorised proxy. [`Error::Validation`](crate::Error::Validation) if no proxy has exit IPs in the pool's countries,
            /// or if all are excluded. If the list could not be fetched and there is no older one, the errors of the calls that
            /// fetch it.
            pub $($async)? fn get(&self) -> $crate::Result<$crate::Proxy> {
                let ($this, $wanted) = (self, self.pool.wanted(None::<[&str; 0]>, $blocking)?);
                $next
            }

            /// Returns the next proxy with exit IPs in one of these countries, given as two-letter codes. They override the pool's
            /// countries. Otherwise, this is the same as [`get`](Self::get).
            ///
            /// # Errors
            ///
            /// The errors of [`get`](Self::get), and [`Error::Validation`](crate::Error::Validation) if a country is not a
            /// two-letter code, or if none is given.
            pub $($async)? fn get_in<'c>(
                &self,
                countries: impl IntoIterator<Item = &'c str>,
            ) -> $crate::Result<$crate::Proxy> {
                let ($this, $wanted) = (self, self.pool.wanted(Some(countries), $blocking)?);
                $next
            }

            /// Returns the next proxy, which then holds one exit IP; see [`Proxy::session`](crate::Proxy::session). If a proxy does
            /// not work, the pool tries the next one, unless the refusal is about the account (402, 407, 429, 509). It leaves out a
            /// proxy that does not respond, or that reports an error of its own, for the cooldown.
            ///
            /// # Errors
            ///
            /// The errors of [`get`](Self::get) and of [`Proxy::session`](crate::Proxy::session). If no proxy works, it is the error of
            /// the last one.
            pub $($async)? fn session(&self, $target: &str, $timeout: std::time::Duration) -> $crate::Result<$crate::Proxy> {
                let ($this, $wanted) = (self, self.pool.wanted(None::<[&str; 0]>, $blocking)?);
                $session
            }

            /// Returns the next proxy with exit IPs in one of these countries, given as two-letter codes, which then holds one exit
            /// IP. They override the pool's countries. Otherwise, this is the same as [`session`](Self::session).
            ///
            /// # Errors
            ///
            /// The errors of [`get_in`](Self::get_in) and of [`session`](Self::session).
            pub $($async)? fn session_in<'c>(
                &self,
                countries: impl IntoIterator<Item = &'c str>,
                $target: &str,
                $timeout: std::time::Duration,
            ) -> $crate::Result<$crate::Proxy> {
                let ($this, $wanted) = (self, self.pool.wanted(Some(countries), $blocking)?);
                $session
            }

            /// Reports how a request through a proxy went: an [`Outcome`](crate::Outcome), a status, a [`Check`](crate::Check), or
            /// a [`Report`](crate::Report) with more details. After a failure, the proxy is left out for the cooldown. Each
            /// failure after that doubles the cooldown, up to 16 times the first. Failures that are reported during a cooldown do
            /// not extend it. A success resets the cooldown to its first length, but does not end one that has begun. A proxy
            /// that the pool does not know is ignored. The proxy's credentials and its exit choice do not matter.
            ///
            /// Returns how long the proxy is now left out; `None` if it is not, or if it already was.
            pub fn report(
                &self,
                proxy: &$crate::Proxy,
                report: impl Into<$crate::Report>,
            ) -> Option<std::time::Duration> {
                self.pool.report(proxy, report.into())
            }

            /// The proxies that the pool hands out, from the last list, and what the pool knows about each. Empty until the list has
            /// been fetched.
            #[must_use]
            pub fn stats(&self) -> Vec<$crate::ProxyStats> {
                self.pool.stats()
            }

            /// The proxies that are cooling down, with the remaining time.
            #[must_use]
            pub fn cooling(&self) -> Vec<($crate::Proxy, std::time::Duration)> {
                self.stats().into_iter().filter_map(|stats| Some((stats.proxy, stats.cooling?))).collect()
            }
        }
    };
}
pub(crate) use pool;

pool! {
    /// Hands out the account's proxies in turn, and leaves out failing ones for a while.
    /// [`Proxies::pool`](crate::resource::Proxies::pool) creates it. A pool is cheap to clone, and tasks and threads may share one.
    ///
    /// ```no_run
    /// # async fn example(client: proxymesh::Client) -> proxymesh::Result<()> {
    /// use proxymesh::{Outcome, PoolOptions};
    ///
    /// let pool = client.proxies().pool(PoolOptions::new().country("DE")?);
    /// let proxy = pool.get().await?;
    /// // Make a request through the proxy, and then report its status, or that it failed.
    /// pool.report(&proxy, Outcome::Status(200));
    /// # Ok(()) }
    /// ```
    [async] false, |this, wanted| Ok(this.pool.next(&this.client, &wanted).await?.logged(&this.client)),
    |target, timeout| Ok(this.pool.session(&this.client, &wanted, target, timeout).await?.logged(&this.client))
}

impl HandedOut {
    /// The proxy. Logs why the list could not be refreshed, also to the observer of `client`.
    pub fn logged(self, client: &Client) -> Proxy {
        if let Some(error) = &self.stale {
            tracing::warn!(target: "proxymesh", %error, "could not refresh the list of proxies, so the old one stays in use");
        }
        if let (Some(observer), Some(warning)) = (client.observer(), self.warning()) {
            observer.tell(Event::Warning(warning));
        }
        self.proxy
    }

    /// One line that says why the list could not be refreshed.
    #[must_use]
    pub fn warning(&self) -> Option<String> {
        let error = self.stale.as_ref()?;
        Some(format!("could not refresh the list of proxies, so the old one stays in use: {error}"))
    }
}
