//! A pool of the account's proxies.

use crate::{
    calls::{methods, operations},
    client::Via,
    error::Failure,
    model::response,
    proxy::{Proxy, ProxyInput},
};
use proxymesh::{
    Outcome, ProxyHost,
    binding::{self, PoolParts, seconds},
};
use std::sync::Arc;

/// The options of a pool. An option that is not given has its default.
#[derive(uniffi::Record)]
pub struct PoolOptions {
    /// The countries of the exit IPs, as two-letter codes; all by default.
    pub countries: Option<Vec<String>>,
    /// The proxies to leave out, as hosts (`us-ca`), domains or `domain:port`.
    pub exclude: Vec<String>,
    /// `round_robin`, `random` or `fastest`.
    pub order: String,
    /// The seconds after which the list is fetched again; 300 by default.
    pub ttl: Option<f64>,
    /// The seconds for which a proxy is left out after its first failure; 60 by default.
    pub cooldown: Option<f64>,
    /// Whether the proxies are handed out with the client's credentials.
    pub credentials: bool,
    /// Whether each https request through one of the proxies opens a new tunnel.
    pub rotating: bool,
}

/// How a request through a proxy went.
#[derive(uniffi::Record)]
pub struct Report {
    /// The status of the response, if there is one. If it is given, `succeeded` is ignored.
    pub status: Option<i32>,
    /// Whether the request succeeded.
    pub succeeded: bool,
    /// The seconds until the response arrived.
    pub latency: Option<f64>,
    /// How many bytes were transferred.
    pub bytes: i64,
}

impl Report {
    fn check(self) -> proxymesh::Result<proxymesh::Report> {
        let outcome = match (self.status, self.succeeded) {
            // A number that is not a status is a failure, like 0.
            (Some(status), _) => Outcome::Status(u16::try_from(status).unwrap_or(0)),
            (None, true) => Outcome::Success,
            (None, false) => Outcome::Failure,
        };
        binding::report(outcome, self.latency, u64::try_from(self.bytes).unwrap_or(0))
    }
}

/// What a pool knows about one of its proxies.
#[derive(uniffi::Record)]
pub struct ProxyStats {
    /// The proxy, as the pool hands it out.
    pub proxy: Proxy,
    /// How often the pool has handed it out.
    pub handed_out: i64,
    /// How many successes were reported.
    pub successes: i64,
    /// How many failures were reported.
    pub failures: i64,
    /// How many bytes were reported.
    pub bytes: i64,
    /// The average of the reported latencies, in seconds.
    pub latency: Option<f64>,
    /// The seconds for which it will still be left out.
    pub cooling: Option<f64>,
}

response!(proxymesh::ProxyStats => ProxyStats);

impl From<proxymesh::ProxyStats> for ProxyStats {
    fn from(core: proxymesh::ProxyStats) -> Self {
        let signed = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        Self {
            handed_out: signed(core.handed_out),
            successes: signed(core.successes),
            failures: signed(core.failures),
            bytes: signed(core.bytes),
            latency: core.latency.map(|latency| latency.as_secs_f64()),
            cooling: core.cooling.map(|cooling| cooling.as_secs_f64()),
            proxy: core.proxy.into(),
        }
    }
}

/// Hands out the account's proxies in turn, and leaves out failing ones for a while.
#[cfg_attr(feature = "description", derive(uniffi::Object))]
pub struct Pool {
    pub(crate) via: Via,
    core: Arc<binding::Pool>,
}

impl Pool {
    pub(crate) fn new(via: Via, options: PoolOptions) -> Result<Self, Failure> {
        let exclude = options.exclude.iter().map(|proxy| ProxyHost::new(proxy));
        let parts = PoolParts {
            countries: options.countries,
            exclude: exclude.collect::<proxymesh::Result<_>>()?,
            order: &options.order,
            ttl: options.ttl,
            cooldown: options.cooldown,
            credentials: options.credentials,
            rotating: options.rotating,
        };
        Ok(Self { via, core: Arc::new(binding::Pool::new(parts.check()?)) })
    }

    fn wanted(&self, countries: Option<&[String]>) -> proxymesh::Result<binding::Wanted> {
        // No code of these languages interrupts a thread that fetches the list, so a caller can always wait for it.
        self.core.wanted(countries.map(|codes| codes.iter().map(String::as_str)), false)
    }
}

methods! {
    Pool:

    /// Returns the next proxy, if the list of proxies need not be fetched for it.
    fn pool_at_once(pool, countries: Option<Vec<String>>) -> Option<Proxy> {
        let wanted = pool.wanted(countries.as_deref())?;
        Ok(pool.core.at_once(&wanted).transpose()?)
    }

    /// Records how a request through a proxy went. Returns the seconds for which the proxy is now left out.
    fn pool_report(pool, proxy: ProxyInput, report: Report) -> Option<f64> {
        let cooldown = pool.core.report(&proxy.check()?, report.check()?);
        Ok(cooldown.map(|cooldown| cooldown.as_secs_f64()))
    }

    /// Returns the proxies that the pool hands out, with what it knows about each.
    fn pool_stats(pool) -> Vec<ProxyStats> {
        Ok(pool.core.stats())
    }

    /// Returns whether the list of proxies has been fetched.
    fn pool_is_listed(pool) -> bool {
        Ok(pool.core.is_listed())
    }
}

operations! {
    Pool:

    /// Returns the next proxy. Fetches the list of proxies first if that is necessary.
    calls("proxies.list")
    fn pool_next(pool, client, countries: Option<Vec<String>>) -> Proxy {
        let wanted = pool.wanted(countries.as_deref())?;
        Ok(pool.core.next(&client, &wanted).await?.logged(&client))
    }

    /// Returns the next proxy, which then holds one exit IP. `timeout` is the time limit for each proxy, in seconds.
    calls("proxies.session")
    fn pool_session(pool, client, countries: Option<Vec<String>>, target: String, timeout: f64) -> Proxy {
        let (wanted, timeout) = (pool.wanted(countries.as_deref())?, seconds("timeout", timeout)?);
        Ok(pool.core.session(&client, &wanted, &target, timeout).await?.logged(&client))
    }
}
