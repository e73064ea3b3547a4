//! What a pool hands out, and in which order.

use crate::{
    error::{Error, Result},
    proxy::{ExitChoice, Proxy, ProxyHost},
};
use std::time::Duration;

/// The order in which a pool hands out its proxies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Order {
    /// In the order of the list, one after another.
    #[default]
    RoundRobin,
    /// Every proxy once per round, in random order.
    Random,
    /// Faster proxies more often, in inverse proportion to their average latency. The latencies come from reports. A proxy without
    /// one counts as the fastest.
    Fastest,
}

/// The options of a pool.
///
/// ```
/// # fn main() -> proxymesh::Result<()> {
/// use proxymesh::{Order, PoolOptions};
///
/// let options = PoolOptions::new().country("DE")?.country("FR")?.exclude("us-ca")?.order(Order::Fastest);
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct PoolOptions {
    pub(super) countries: Option<Vec<String>>,
    pub(super) exclude: Vec<ProxyHost>,
    pub(super) order: Order,
    pub(super) ttl: Duration,
    pub(super) cooldown: Duration,
    pub(super) credentials: bool,
    pub(super) rotating: bool,
}

impl PoolOptions {
    /// All proxies in the order of the list, with the client's credentials.
    #[must_use]
    pub fn new() -> Self {
        Self {
            countries: None,
            exclude: Vec::new(),
            order: Order::RoundRobin,
            ttl: Duration::from_secs(300),
            cooldown: Duration::from_secs(60),
            credentials: true,
            rotating: false,
        }
    }

    /// Hands out only proxies with exit IPs in this country, given as a two-letter code, or in one of the countries given before.
    /// These are the proxies in the country, and `open` and `world` if their geo counts include it. `open` and `world` are asked
    /// for an exit IP in the country; if there are several countries, each has its turn.
    ///
    /// # Errors
    ///
    /// [`Error::Validation`] with the field `country` if it is not a two-letter code.
    pub fn country(mut self, code: &str) -> Result<Self> {
        let code = country(code)?;
        let countries = self.countries.get_or_insert_default();
        if !countries.contains(&code) {
            countries.push(code);
        }
        Ok(self)
    }

    /// Leaves out a proxy, in addition to those given before. Takes the host (`us-ca`), the domain (`us-ca.proxymesh.com`),
    /// `domain:port` or a [`Proxy`].
    ///
    /// # Errors
    ///
    /// [`Error::Validation`] with the field `proxy` if it has none of these forms.
    pub fn exclude<P>(mut self, proxy: P) -> Result<Self>
    where
        P: TryInto<ProxyHost>,
        Error: From<P::Error>,
    {
        self.exclude.push(proxy.try_into()?);
        Ok(self)
    }

    /// The order in which the proxies are handed out; round robin by default.
    #[must_use]
    pub fn order(mut self, order: Order) -> Self {
        self.order = order;
        self
    }

    /// How long a list of proxies is used before it is fetched again; 5 minutes by default. If it cannot be fetched, the old list
    /// stays in use.
    ///
    /// # Errors
    ///
    /// [`Error::Validation`] with the field `ttl` if it is zero.
    pub fn ttl(mut self, ttl: Duration) -> Result<Self> {
        self.ttl = positive("ttl", ttl)?;
        Ok(self)
    }

    /// How long a proxy is left out after its first failure; 60 s by default. Each further failure doubles the time, up to 16 times
    /// this value.
    ///
    /// # Errors
    ///
    /// [`Error::Validation`] with the field `cooldown` if it is zero.
    pub fn cooldown(mut self, cooldown: Duration) -> Result<Self> {
        self.cooldown = positive("cooldown", cooldown)?;
        Ok(self)
    }

    /// Whether the proxies are handed out with the client's credentials; true by default. They are not needed if this machine's IP
    /// is authorised.
    #[must_use]
    pub fn credentials(mut self, credentials: bool) -> Self {
        self.credentials = credentials;
        self
    }

    /// Whether each https request through one of the proxies opens a new tunnel, as with [`Proxy::rotating`]; false by default.
    #[must_use]
    pub fn rotating(mut self, rotating: bool) -> Self {
        self.rotating = rotating;
        self
    }

    pub(super) fn excludes(&self, proxy: &Proxy) -> bool {
        self.exclude.iter().any(|host| host.names(proxy))
    }
}

impl Default for PoolOptions {
    fn default() -> Self {
        Self::new()
    }
}

/// The country code, as checked by [`ExitChoice`].
pub(super) fn country(code: &str) -> Result<String> {
    Ok(ExitChoice::new().country(code)?.wanted_country().unwrap_or_default().to_owned())
}

/// Longer times are cut to this, because a point in time that far away cannot be represented on all platforms.
const LONGEST: Duration = Duration::from_secs(10 * 365 * 24 * 60 * 60);

fn positive(field: &'static str, value: Duration) -> Result<Duration> {
    if value.is_zero() {
        return Err(Error::validation(field, "must be a number of seconds greater than 0"));
    }
    Ok(value.min(LONGEST))
}
