//! `client.proxies`: `/api/prox…`

use super::handle;
use crate::{
    asyncio::Awaited,
    blocking::Blocking,
    call::Class,
    error::{Result, import},
    input::text,
    proxy::Proxy,
    setting,
};
use proxymesh::ProxyHost;
use pyo3::{
    prelude::*,
    types::{PyDict, PyString},
};

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
        ///     country: A two-letter country code. The pool hands out only proxies with exit IPs in this country. These are the
        ///         proxies in the country, and `open` and `world` if their geo counts include it. `open` and `world` are asked for
        ///         an exit IP in the country.
        ///     order: `round_robin` or `random`. With `random`, each round hands out every proxy once, in random order.
        ///     ttl: The seconds after which the list is fetched again. If fetching fails, the old list stays in use.
        ///     cooldown: The seconds for which a proxy is left out after its first failure. Each further failure doubles the time,
        ///         up to 16 times this value.
        ///     credentials: Whether to hand out the proxies with the client's credentials. They are not needed if this machine's
        ///         IP is authorised.
        ///
        /// Raises:
        ///     ValidationError: The country code or an option is invalid.
        #[pyo3(signature = (
            *,
            country: "str | None" = None,
            order: "Literal['round_robin', 'random']" = "round_robin",
            ttl: "float" = 300.0,
            cooldown: "float" = 60.0,
            credentials: "bool" = true,
        ) -> "ProxyPool")]
        fn pool<'py>(
            &self,
            py: Python<'py>,
            country: Option<&Bound<'py, PyString>>,
            order: &str,
            #[pyo3(from_py_with = setting::ttl)] ttl: f64,
            #[pyo3(from_py_with = setting::cooldown)] cooldown: f64,
            credentials: bool,
        ) -> PyResult<Bound<'py, PyAny>> {
            let client = Blocking::client_of(py, &self.0)?;
            pool(&client, "ProxyPool", country, order, ttl, cooldown, credentials)
        }
    } {
        /// Creates a pool that hands out these proxies in turn and leaves out failing ones for a while.
        ///
        /// The pool sends nothing until the first proxy is requested.
        ///
        /// Args:
        ///     country: A two-letter country code. The pool hands out only proxies with exit IPs in this country. These are the
        ///         proxies in the country, and `open` and `world` if their geo counts include it. `open` and `world` are asked for
        ///         an exit IP in the country.
        ///     order: `round_robin` or `random`. With `random`, each round hands out every proxy once, in random order.
        ///     ttl: The seconds after which the list is fetched again. If fetching fails, the old list stays in use.
        ///     cooldown: The seconds for which a proxy is left out after its first failure. Each further failure doubles the time,
        ///         up to 16 times this value.
        ///     credentials: Whether to hand out the proxies with the client's credentials. They are not needed if this machine's
        ///         IP is authorised.
        ///
        /// Raises:
        ///     ValidationError: The country code or an option is invalid.
        #[pyo3(signature = (
            *,
            country: "str | None" = None,
            order: "Literal['round_robin', 'random']" = "round_robin",
            ttl: "float" = 300.0,
            cooldown: "float" = 60.0,
            credentials: "bool" = true,
        ) -> "AsyncProxyPool")]
        fn pool<'py>(
            &self,
            py: Python<'py>,
            country: Option<&Bound<'py, PyString>>,
            order: &str,
            #[pyo3(from_py_with = setting::ttl)] ttl: f64,
            #[pyo3(from_py_with = setting::cooldown)] cooldown: f64,
            credentials: bool,
        ) -> PyResult<Bound<'py, PyAny>> {
            let client = Awaited::client_of(py, &self.0)?;
            pool(&client, "AsyncProxyPool", country, order, ttl, cooldown, credentials)
        }
    }
}

/// Creates a pool of the given class.
fn pool<'py>(
    client: &Bound<'py, PyAny>,
    class: &str,
    country: Option<&Bound<'py, PyString>>,
    order: &str,
    ttl: f64,
    cooldown: f64,
    credentials: bool,
) -> PyResult<Bound<'py, PyAny>> {
    let options = PyDict::new(client.py());
    options.set_item("country", country)?;
    options.set_item("order", order)?;
    options.set_item("ttl", ttl)?;
    options.set_item("cooldown", cooldown)?;
    options.set_item("credentials", credentials)?;
    import(client.py(), "proxymesh._pool")?.call_method(class, (client,), Some(&options))
}

/// A proxy given by name, or as a `Proxy`.
#[derive(FromPyObject)]
enum Named<'py> {
    #[pyo3(transparent, annotation = "str")]
    Text(Bound<'py, PyString>),
    #[pyo3(transparent, annotation = "Proxy")]
    Listed(PyRef<'py, Proxy>),
}

impl Named<'_> {
    fn host(&self) -> Result<ProxyHost> {
        match self {
            Self::Text(name) => Ok(ProxyHost::new(text("proxy", name)?)?),
            Self::Listed(proxy) => Ok(ProxyHost::from(&proxy.core)),
        }
    }
}
