//! `client.proxies`: `/api/prox…`

use super::handle;
use crate::{
    error::Result,
    pool::{self, AsyncProxyPool, Countries, ProxyPool},
    proxy::Named,
    setting,
};
use pyo3::prelude::*;

handle! {
    /// The proxies that the account may use. See `client.proxies`.
    Proxies, AsyncProxies {
        /// Lists the proxies that the account may use: `GET /api/proxies/`.
        #[pyo3(signature = () -> "builtins.list[Proxy]")]
        fn list(py, caller) {
            caller.proxies().list()
        }

        /// Authorises the account to use a proxy: `POST /api/proxy/add/`. If the proxy is already authorised, the call succeeds
        /// and changes nothing.
        ///
        /// Args:
        ///     proxy: The host (`us-ca`), the domain (`us-ca.proxymesh.com`), `domain:port` or a `Proxy`.
        ///
        /// Returns:
        ///     The domain.
        ///
        /// Raises:
        ///     BadRequestError: There is no such proxy.
        ///     PlanLimitError: The plan does not allow more proxies.
        ///     ServerError: The service could not look up the plan (503). Try again in a few minutes.
        #[pyo3(signature = (proxy: "str | Proxy") -> "str")]
        fn add(py, caller, proxy: Named<'_>) {
            caller.proxies().add(proxy.host()?)
        }

        /// Deauthorises a proxy: `POST /api/proxy/delete/`. If the proxy is not authorised, the call succeeds and changes nothing.
        ///
        /// Args:
        ///     proxy: The host (`us-ca`), the domain (`us-ca.proxymesh.com`), `domain:port` or a `Proxy`.
        ///
        /// Raises:
        ///     BadRequestError: There is no such proxy.
        #[pyo3(signature = (proxy: "str | Proxy") -> "None")]
        fn delete(py, caller, proxy: Named<'_>) {
            caller.proxies().delete(proxy.host()?)
        }
    }
    also {
        /// Creates a pool that hands out these proxies in turn and leaves out failing ones for a while.
        ///
        ///     >>> from proxymesh.sandbox import Sandbox
        ///     >>> with Sandbox() as sandbox, sandbox.client() as client:
        ///     ...     pool = client.proxies.pool()
        ///     ...     [pool.get().name for _ in range(4)]
        ///     ['us-ca', 'us-ny', 'us-il', 'us-ca']
        ///
        /// The pool sends nothing until the first proxy is requested.
        ///
        /// Args:
        ///     country: One or more two-letter country codes. The pool hands out only proxies with exit IPs in one of these countries.
        ///         These are the proxies in the country, and `open` and `world` if their geo counts include it. `open` and `world` are
        ///         asked for an exit IP in the country; if there are several countries, each has its turn.
        ///     exclude: Proxies to leave out: hosts (`us-ca`), domains (`us-ca.proxymesh.com`), `domain:port` or `Proxy` objects.
        ///     order: `round_robin`, `random` or `fastest`. With `random`, each round hands out every proxy once, in random order. With
        ///         `fastest`, proxies with a lower average latency are handed out more often. The latencies come from `report`. A
        ///         proxy without one counts as the fastest.
        ///     ttl: The seconds after which the list is fetched again. If fetching fails, the old list stays in use.
        ///     cooldown: The seconds for which a proxy is left out after its first failure. Each further failure doubles the time,
        ///         up to 16 times this value.
        ///     credentials: Whether to hand out the proxies with the client's credentials. They are not needed if this machine's
        ///         IP is authorised.
        ///     rotating: Whether each https request through one of the proxies opens a new tunnel; see `Proxy.rotating`.
        ///
        /// Raises:
        ///     ValidationError: A country code or an option is invalid.
        #[pyo3(signature = (
            *,
            country: "str | Iterable[str] | None" = None,
            exclude: "Iterable[str | Proxy] | None" = None,
            order: "Literal['round_robin', 'random', 'fastest']" = "round_robin",
            ttl: "float" = 300.0,
            cooldown: "float" = 60.0,
            credentials: "bool" = true,
            rotating: "bool" = false,
        ) -> "ProxyPool")]
        #[allow(clippy::too_many_arguments)]
        fn pool(
            &self,
            country: Option<Countries<'_>>,
            exclude: Option<&Bound<'_, PyAny>>,
            order: &str,
            #[pyo3(from_py_with = setting::ttl)] ttl: f64,
            #[pyo3(from_py_with = setting::cooldown)] cooldown: f64,
            credentials: bool,
            rotating: bool,
        ) -> Result<ProxyPool> {
            self.0.open()?;
            let pool = pool::options(country.as_ref(), exclude, order, ttl, cooldown, credentials, rotating)?;
            Ok(ProxyPool::new(&self.0, pool))
        }
    } {
        /// Creates a pool that hands out these proxies in turn and leaves out failing ones for a while.
        ///
        /// The pool sends nothing until the first proxy is requested.
        ///
        /// Args:
        ///     country: One or more two-letter country codes. The pool hands out only proxies with exit IPs in one of these countries.
        ///         These are the proxies in the country, and `open` and `world` if their geo counts include it. `open` and `world` are
        ///         asked for an exit IP in the country; if there are several countries, each has its turn.
        ///     exclude: Proxies to leave out: hosts (`us-ca`), domains (`us-ca.proxymesh.com`), `domain:port` or `Proxy` objects.
        ///     order: `round_robin`, `random` or `fastest`. With `random`, each round hands out every proxy once, in random order. With
        ///         `fastest`, proxies with a lower average latency are handed out more often. The latencies come from `report`. A
        ///         proxy without one counts as the fastest.
        ///     ttl: The seconds after which the list is fetched again. If fetching fails, the old list stays in use.
        ///     cooldown: The seconds for which a proxy is left out after its first failure. Each further failure doubles the time,
        ///         up to 16 times this value.
        ///     credentials: Whether to hand out the proxies with the client's credentials. They are not needed if this machine's
        ///         IP is authorised.
        ///     rotating: Whether each https request through one of the proxies opens a new tunnel; see `Proxy.rotating`.
        ///
        /// Raises:
        ///     ValidationError: A country code or an option is invalid.
        #[pyo3(signature = (
            *,
            country: "str | Iterable[str] | None" = None,
            exclude: "Iterable[str | Proxy] | None" = None,
            order: "Literal['round_robin', 'random', 'fastest']" = "round_robin",
            ttl: "float" = 300.0,
            cooldown: "float" = 60.0,
            credentials: "bool" = true,
            rotating: "bool" = false,
        ) -> "AsyncProxyPool")]
        #[allow(clippy::too_many_arguments)]
        fn pool(
            &self,
            country: Option<Countries<'_>>,
            exclude: Option<&Bound<'_, PyAny>>,
            order: &str,
            #[pyo3(from_py_with = setting::ttl)] ttl: f64,
            #[pyo3(from_py_with = setting::cooldown)] cooldown: f64,
            credentials: bool,
            rotating: bool,
        ) -> Result<AsyncProxyPool> {
            self.0.open()?;
            let pool = pool::options(country.as_ref(), exclude, order, ttl, cooldown, credentials, rotating)?;
            Ok(AsyncProxyPool::new(&self.0, pool))
        }
    }
}
